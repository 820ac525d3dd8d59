"""Agencies at the real broker: who gets in with which token, and what they may touch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterator

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, TopicAuthorizationFailedError

from hub.bus.kafka import rights, wire
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.probe import KafkaListenerProbe, forgeries
from hub.bus.kafka.publisher import KafkaPublisher
from hub.bus.kafka.source import KafkaSource
from hub.bus.kafka.topics import KafkaTopics
from hub.ports.broker import BrokerAway, ListenerUnsafe, Partition, Reader, TopicClosed
from hub.ports.topics import events, inbound, outbound
from tests.bus.kafka_broker.brokerwork import Bench, numbers, publish_all, read_until, record
from tests.bus.kafka_broker.tokens import Issuer, TokenEndpoint
from tests.parts import kafka

SOON = {"bootstrap_timeout_ms": 5000, "request_timeout_ms": 5000, "max_block_ms": 5000}


@pytest.fixture(scope="session", params=["ES256", "EdDSA"])
def issuer(request: pytest.FixtureRequest, node: kafka.Node) -> Issuer:
    made = Issuer(request.param)
    made.publish(node)
    return made


async def signed_in(node: kafka.Node, token: str) -> list[wire.Address]:
    return await wire.sign_in(("127.0.0.1", node.agency), token, None, 5)


async def test_the_hubs_token_opens_the_listener(node: kafka.Node, issuer: Issuer) -> None:
    assert await signed_in(node, issuer.token("klien-a")) == [("127.0.0.1", node.agency)]


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [kafka.ISSUER]},
        {"iss": "https://lain.example"},
        {"exp": int(time.time()) - 2},
        {"exp": None},
        {"sub": None},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_token_for_something_else_is_refused(
    node: kafka.Node, issuer: Issuer, changes: dict[str, object]
) -> None:
    claims = {name: value for name, value in changes.items() if value is not None}
    missing = [name for name, value in changes.items() if value is None]
    token = issuer.token("klien-a", **claims) if not missing else _without(issuer, missing[0])
    with pytest.raises(wire.SignInRefused):
        await signed_in(node, token)


def _without(issuer: Issuer, claim: str) -> str:
    import jwt

    token = issuer.token("klien-a")
    claims = jwt.decode(token, options={"verify_signature": False})
    del claims[claim]
    return jwt.encode(claims, issuer.key, issuer.alg, headers={"kid": issuer.kid, "typ": "at+jwt"})


@pytest.mark.parametrize("number", range(3))
async def test_a_forged_token_is_refused(node: kafka.Node, issuer: Issuer, number: int) -> None:
    _, forged = list(forgeries(issuer.token("klien-a")))[number]
    with pytest.raises(wire.SignInRefused):
        await signed_in(node, forged)


async def test_a_strangers_signature_is_refused(node: kafka.Node, issuer: Issuer) -> None:
    stranger = Issuer(issuer.alg, kid=issuer.kid)
    with pytest.raises(wire.SignInRefused):
        await signed_in(node, stranger.token("klien-a"))


# --- the probe ------------------------------------------------------------------------


async def test_the_probe_finds_the_verifying_listener_sound(node: kafka.Node, issuer: Issuer) -> None:
    probe = KafkaListenerProbe(BrokerListener(node.agency_bootstrap))
    assert await probe.check(issuer.token("hub-probe")) is None


async def test_the_probe_says_when_even_the_right_token_is_refused(node: kafka.Node) -> None:
    said = await KafkaListenerProbe(BrokerListener(node.agency_bootstrap)).check(Issuer().token("hub-probe"))
    assert said is not None and "refuses the hub's own token" in said and str(node.agency) in said


@pytest.mark.parametrize("listener", ["loose", "internal"])
async def test_the_probe_refuses_a_listener_that_verifies_nothing(
    node: kafka.Node, issuer: Issuer, listener: str
) -> None:
    """Also when it is only one of several."""
    port = getattr(node, listener)
    probe = KafkaListenerProbe(BrokerListener(f"{node.agency_bootstrap},127.0.0.1:{port}"))
    with pytest.raises(ListenerUnsafe, match=f"SIMPUL_KAFKA_AGENCY_BOOTSTRAP.*127.0.0.1:{port} lets in"):
        await probe.check(issuer.token("hub-probe"))


async def test_the_probe_says_when_nobody_answers(issuer: Issuer, own_port: int) -> None:
    with pytest.raises(BrokerAway, match="no broker answers"):
        await KafkaListenerProbe(BrokerListener(f"127.0.0.1:{own_port}")).check(issuer.token("hub-probe"))


@pytest.fixture
def own_port() -> int:
    from tests.parts.local_server import free_port

    return free_port()


# --- rights ------------------------------------------------------------------------


@pytest.fixture
def bench(node: kafka.Node, prefix: str) -> Iterator[Bench]:
    """On our own broker: only that one has these listeners."""
    with Bench(node.bootstrap, prefix) as made:
        yield made


@pytest.fixture
async def agencies(bench: Bench) -> AsyncIterator[KafkaTopics]:
    """Two agencies with a client each, as `topics apply` leaves them."""
    topics = KafkaTopics(bench.endpoint, bench.prefix)
    await topics.start()
    await topics.apply(["a", "b"], [Reader("a", bench.prefix + "ka"), Reader("b", bench.prefix + "kb")])
    yield topics
    await topics.stop()


def produce(node: kafka.Node, token: str, topic: str) -> None:
    """As an agency's own program would, with the library alone."""
    options = TokenEndpoint(node.agency_bootstrap, token=token).options()
    producer = KafkaProducer(**options, **SOON, allow_auto_create_topics=False)
    try:
        producer.send(topic, b"{}", key=b"k").get(timeout=8)
    finally:
        producer.close(timeout=2)


def readable(node: kafka.Node, token: str, topic: str, group: str) -> bool:
    """Whether a record of the topic arrives within some polls."""
    options = TokenEndpoint(node.agency_bootstrap, token=token).options()
    soon = {name: value for name, value in SOON.items() if name != "max_block_ms"}
    reader = KafkaConsumer(
        **options, **soon, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        reader.beginning_offsets([TopicPartition(topic, 0)], timeout_ms=3000)
        reader.subscribe([topic])
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            if reader.poll(timeout_ms=300):
                return True
        return False
    finally:
        reader.close(timeout_ms=1000)


async def test_a_client_writes_its_agencys_inbound_topic_and_no_other(
    bench: Bench, node: kafka.Node, issuer: Issuer, agencies: KafkaTopics
) -> None:
    token = issuer.token(bench.prefix + "ka")
    produce(node, token, inbound(bench.prefix, "a"))
    for foreign in (
        inbound(bench.prefix, "b"),
        outbound(bench.prefix, "a"),
        events(bench.prefix),
    ):
        with pytest.raises(KafkaError):
            produce(node, token, foreign)
        assert bench.read(foreign) == []
    assert len(bench.read(inbound(bench.prefix, "a"))) == 1


async def test_a_client_reads_its_agencys_topic_in_its_own_groups_and_no_other(
    bench: Bench, node: kafka.Node, issuer: Issuer, agencies: KafkaTopics
) -> None:
    me = bench.prefix + "ka"
    token, own = issuer.token(me), outbound(bench.prefix, "a")
    with KafkaProducer(bootstrap_servers=bench.bootstrap) as producer:
        for topic in (own, outbound(bench.prefix, "b"), inbound(bench.prefix, "a")):
            for part in range(3):
                producer.send(topic, b"{}", partition=part).get(timeout=10)
    assert readable(node, token, own, f"{me}.aplikasi")
    with pytest.raises(TopicAuthorizationFailedError):
        readable(node, token, outbound(bench.prefix, "b"), f"{me}.aplikasi")
    with pytest.raises(KafkaError):
        readable(node, token, own, f"{me}x.aplikasi")
    with pytest.raises(KafkaError):
        readable(node, token, own, bench.prefix + "kb.aplikasi")


async def test_a_refused_read_is_told_in_words_and_harms_no_other_topic(
    bench: Bench, node: kafka.Node, issuer: Issuer, agencies: KafkaTopics
) -> None:
    """The library alone would say nothing, and deliver nothing of either."""
    me = bench.prefix + "ka"
    own, hidden, write_only = (
        outbound(bench.prefix, "a"),
        outbound(bench.prefix, "b"),
        inbound(bench.prefix, "a"),
    )

    async def beginning(parts: Collection[Partition]) -> dict[Partition, int]:
        return {}

    source = KafkaSource(
        TokenEndpoint(node.agency_bootstrap, token=issuer.token(me)), f"{me}.sumber", beginning
    )
    with KafkaProducer(bootstrap_servers=bench.bootstrap) as producer:
        producer.send(own, b"{}").get(timeout=10)
    source.subscribe([own, hidden, write_only])
    await source.start()
    try:
        found, batches = await read_until(source, lambda got: len(got) == 1)
    finally:
        await source.stop()
    assert found[0].topic == own
    notices = [notice for batch in batches for notice in batch.notices]
    assert {notice.topic: notice.trouble for notice in notices} == {
        hidden: TopicClosed.NOT_AUTHORISED,
        write_only: TopicClosed.NOT_AUTHORISED,
    }
    assert all("does not let us read" in notice.why for notice in notices)


async def test_a_right_that_is_withdrawn_while_publishing_concerns_its_topic_alone(
    bench: Bench, node: kafka.Node, issuer: Issuer, agencies: KafkaTopics
) -> None:
    """The publisher under a user that is no super user."""
    me = bench.prefix + "ka"
    lost, kept = inbound(bench.prefix, "a"), bench.topic("lain")
    who = rights.principal(me)
    more = [
        rights.Right(who, "TRANSACTIONAL_ID", f"{me}.pengirim", "WRITE"),
        rights.Right(who, "TOPIC", kept, "WRITE"),
        rights.Right(who, "TOPIC", kept, "READ"),
        rights.Right(who, "TOPIC", lost, "READ"),
    ]
    bench.admin.create_acls([rights.rule(right) for right in more])
    while not set(more) <= rights.read(bench.admin.describe_acls(rights.everything())[0]):
        await asyncio.sleep(0.02)
    endpoint = TokenEndpoint(node.agency_bootstrap, token=issuer.token(me))
    publisher = KafkaPublisher(endpoint, f"{me}.pengirim")
    await publisher.start()
    try:
        await publish_all(publisher, [record(lost, 1), record(kept, 1)])
        gone = rights.Right(who, "TOPIC", lost, "WRITE")
        bench.admin.delete_acls([rights.rule_filter(gone)])
        records = [one for number in range(2, 52) for one in (record(lost, number), record(kept, number))]
        deadline = time.monotonic() + 20
        while (outcomes := await publish_all(publisher, records))[0].refused is None:
            assert time.monotonic() < deadline
    finally:
        await publisher.stop()
    assert {outcome.refused for outcome in outcomes[::2]} == {TopicClosed.NOT_AUTHORISED}
    assert {outcome.refused for outcome in outcomes[1::2]} == {None}
    assert numbers(bench.read(kept)) == list(range(1, 52))


async def test_a_revoked_client_loses_its_rights_at_once_and_its_colleague_keeps_them(
    bench: Bench, node: kafka.Node, issuer: Issuer, agencies: KafkaTopics
) -> None:
    second = Reader("a", bench.prefix + "ka2")
    await agencies.apply(["a", "b"], [Reader("a", bench.prefix + "ka"), second])
    done = await agencies.revoke(bench.prefix + "ka")
    assert len(done.changes) == 5
    topic = inbound(bench.prefix, "a")
    with pytest.raises(KafkaError):
        produce(node, issuer.token(bench.prefix + "ka"), topic)
    produce(node, issuer.token(second.client_id), topic)
    assert (await agencies.apply(["a", "b"], [second])).changes == ()
