"""The plan of topics and rights, and where the broker is: pure parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bus.kafka import layout, rights
from hub.bus.kafka.clients import MAX_RECORD_BYTES
from hub.bus.kafka.endpoint import BrokerListener
from hub.errors import SettingsError
from hub.ports import topics
from hub.ports.broker import Reader

PREFIX = "simpul."
AGENCIES = st.frozensets(st.sampled_from(["pu", "sosial", "kab-kotim", "prov-kalteng"]))
READERS = st.lists(
    st.builds(
        Reader,
        st.sampled_from(["pu", "sosial"]),
        st.sampled_from(["a", "ab", "abc"]),
        st.booleans(),
        st.booleans(),
    )
)
EXISTING = st.lists(
    st.builds(
        layout.Topic,
        st.sampled_from(["simpul.events", "simpul.agency.pu", "simpul.inbound.lama", "simpul.inbound.pu"]),
        st.integers(1, 20),
        st.integers(1, 3),
        st.dictionaries(
            st.sampled_from(["retention.ms", "cleanup.policy"]), st.sampled_from(["1", "delete"])
        ),
    ),
    unique_by=lambda topic: topic.name,
)


def carried_out(existing: list[layout.Topic], plan: layout.Plan) -> list[layout.Topic]:
    after = [
        replace(
            topic,
            partitions=plan.grows.get(topic.name, (0, topic.partitions))[1],
            configs={
                **topic.configs,
                **{k: new for k, (_, new) in plan.settings.get(topic.name, {}).items()},
            },
        )
        for topic in existing
    ]
    return after + list(plan.creates)


@given(EXISTING, AGENCIES, st.integers(1, 5))
def test_once_carried_out_nothing_is_left_and_nothing_was_taken_away(
    existing: list[layout.Topic], agencies: frozenset[str], brokers: int
) -> None:
    wish = layout.wanted(PREFIX, agencies, brokers)
    after = carried_out(existing, layout.plan(existing, wish))
    assert layout.plan(after, wish).sentences() == ()
    counts = {topic.name: topic.partitions for topic in after}
    assert all(counts[topic.name] >= topic.partitions for topic in existing)
    assert {topic.name for topic in wish} <= set(counts)


def test_personal_data_expires_within_a_day_and_replication_follows_the_brokers() -> None:
    for brokers, replicas, insync in ((1, 1, "1"), (2, 2, "1"), (3, 3, "2"), (5, 3, "2")):
        for topic in layout.wanted(PREFIX, ["pu"], brokers):
            assert (topic.replication, topic.configs["min.insync.replicas"]) == (replicas, insync)
            if ".agency." in topic.name or ".inbound." in topic.name:
                assert int(topic.configs["retention.ms"]) <= layout.DAY_MS
    assert layout.MAX_MESSAGE_BYTES > MAX_RECORD_BYTES


def test_a_dead_letter_is_kept_as_long_on_its_topic_as_in_the_table() -> None:
    (dead,) = [t for t in layout.wanted(PREFIX, [], 3) if t.name == topics.dead_letter(PREFIX)]
    assert int(dead.configs["retention.ms"]) == topics.DEAD_LETTERS_KEPT.days * layout.DAY_MS


def test_no_broker_compresses_anew_what_it_is_given() -> None:
    """It would hold a whole batch unpacked, and a default of lz4 could be read by nobody."""
    assert {t.configs["compression.type"] for t in layout.wanted(PREFIX, ["pu"], 3)} == {"producer"}


@given(READERS, READERS)
def test_rights_after_a_change_are_those_that_are_wanted(before: list[Reader], after: list[Reader]) -> None:
    foreign = {
        rights.Right("User:analis", "TOPIC", "simpul.events", "READ"),
        rights.Right("User:lain", "GROUP", "lain.", "READ", "PREFIXED"),
    }
    there = rights.wanted(PREFIX, before) | foreign
    grant, withdraw = rights.changes(PREFIX, there, rights.wanted(PREFIX, after))
    assert (there | grant) - withdraw == rights.wanted(PREFIX, after) | foreign


@pytest.mark.parametrize(
    ("right", "goes"),
    [
        (("User:k", "*"), True),
        (("User:*", "*"), True),
        (("User:client_lama", "simpul.", "PREFIXED"), True),
        (("User:k", "simpul.ag", "PREFIXED"), True),
        (("User:k", "s", "PREFIXED"), True),
        (("User:k", "simpul.inbound.lain", "PREFIXED"), True),
        (("User:*", "simpul.events"), True),
        (("User:k", "simpul.dead-letter"), True),
        (("User:lain", "simpul.inbound.pu"), True),
        (("User:hub", "simpul.", "PREFIXED"), False),
        (("User:hub", "simpul.inbound.pu"), False),
        (("User:pemantau", "*"), False),
        (("User:analis", "simpul.events"), False),
        (("User:*", "simpulan"), False),
        (("User:k", "simpul.lain", "PREFIXED"), False),
        (("User:*", "gudang.", "PREFIXED"), False),
    ],
)
def test_rights_that_cover_our_topics_go_however_wide(right: tuple[str, str], goes: bool) -> None:
    """What others were given, by name, on more than the agencies' topics is told, not taken."""
    who, name, *pattern = right
    found = rights.Right(who, "TOPIC", name, "READ", *pattern)
    wish = rights.wanted(PREFIX, [Reader("pu", "k")])
    _, withdrawn = rights.changes(PREFIX, wish | {found}, wish, "User:hub")
    assert withdrawn == ({found} if goes else set())
    told = rights.notes(PREFIX, wish | {found}, wish, "User:hub")
    assert [found.sentence() in note for note in told] == [True] * (who in ("User:pemantau", "User:analis"))


@pytest.mark.parametrize("name", ["*", "simpul.events", "simpul.inbound.pu"])
def test_a_hub_that_lived_off_everybodys_right_keeps_it_in_its_own_name(name: str) -> None:
    everybodys = rights.Right("User:*", "TOPIC", name, "WRITE")
    its_own = rights.Right("User:hub", "TOPIC", name, "WRITE")
    assert rights.changes(PREFIX, {everybodys}, set(), "User:hub") == ({its_own}, {everybodys})
    assert rights.changes(PREFIX, {everybodys, its_own}, set(), "User:hub") == (set(), {everybodys})
    assert rights.changes(PREFIX, {its_own}, set(), "User:hub") == (set(), set())


@pytest.mark.parametrize("own", ["", rights.ANONYMOUS])
def test_who_does_not_sign_in_is_given_nothing(own: str) -> None:
    everybodys = rights.Right("User:*", "TOPIC", "*", "WRITE")
    assert rights.changes(PREFIX, {everybodys}, set(), own) == (set(), {everybodys})


def test_a_prohibition_stays() -> None:
    denied = rights.Right("User:*", "TOPIC", "*", "READ", permission="DENY")
    assert rights.changes(PREFIX, {denied}, set()) == (set(), set())


def test_a_clients_groups_end_with_a_dot() -> None:
    """Else client `a` would have those of client `ab`."""
    names = {right.name for right in rights.wanted(PREFIX, [Reader("pu", "a")]) if right.kind == "GROUP"}
    assert names == {"a."}


@pytest.mark.parametrize(
    ("endpoint", "is_open"),
    [
        (BrokerListener("127.0.0.1:9092"), False),
        (BrokerListener("[::1]:9092,localhost:9093"), False),
        (BrokerListener("127.0.0.1:9092,10.0.0.5:9092"), True),
        (BrokerListener("kafka:9092"), True),
        (BrokerListener("kafka:9092", username="hub", password="rahasia"), False),
        (BrokerListener("kafka:9092", tls=True), False),
    ],
)
def test_a_plain_listener_is_allowed_on_this_machine_only(endpoint: BrokerListener, is_open: bool) -> None:
    if not is_open:
        return endpoint.refuse_if_open()
    with pytest.raises(SettingsError, match=r"SIMPUL_KAFKA_BOOTSTRAP.*open to the network"):
        endpoint.refuse_if_open()
    return None


def test_options_follow_from_the_endpoint(tmp_path: Path) -> None:
    options = BrokerListener("a:1, b:2", username="hub", password="rahasia", mechanism="PLAIN").options()
    assert options["bootstrap_servers"] == ["a:1", "b:2"]
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_PLAINTEXT", "PLAIN")
    assert BrokerListener("a:1", tls=True).options()["security_protocol"] == "SSL"
    assert "rahasia" not in repr(BrokerListener("a:1", password="rahasia"))
    broken = tmp_path / "ca.pem"
    broken.write_text("bukan sertifikat")
    with pytest.raises(SettingsError, match="SIMPUL_KAFKA_CA_FILE"):
        BrokerListener("a:1", tls=True, ca_file=broken).options()


def test_a_client_has_the_rights_of_its_scopes() -> None:
    """The broker does not say which client of an agency wrote a record: who writes may do all that a record
    may ask for."""

    def of(**may: bool) -> set[tuple[str, str]]:
        return {(right.kind, right.operation) for right in rights.wanted(PREFIX, [Reader("pu", "a", **may)])}

    reading, writing = {("TOPIC", "READ"), ("GROUP", "READ")}, {("TOPIC", "WRITE")}
    assert of(writes=False) == {*reading, ("TOPIC", "DESCRIBE")}
    assert of(reads=False) == {*writing, ("TOPIC", "DESCRIBE")}
    assert of() == {*reading, *writing, ("TOPIC", "DESCRIBE")}
    assert of(writes=False, reads=False) == set()
