"""`topics apply` on a real broker: twice is once, it grows, it never shrinks, a dry run changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from kafka.admin import ConfigResource

from hub.bus.kafka import rights
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.topics import KafkaTopics
from hub.ports.broker import BrokerAway, Reader
from hub.ports.topics import events, inbound
from tests.bus.kafka_broker.brokerwork import Bench
from tests.connectors.processes import eventually
from tests.parts import kafka

SHOWN = "the broker shows what its controller has acknowledged"


@pytest.fixture
async def topics(bench: Bench) -> AsyncIterator[KafkaTopics]:
    made = KafkaTopics(bench.endpoint, bench.prefix)
    await made.start()
    yield made
    await made.stop()


def names(bench: Bench) -> set[str]:
    return {name.removeprefix(bench.prefix) for name in bench.admin.list_topics() if bench.prefix in name}


def configs(bench: Bench, name: str) -> dict[str, str]:
    found = bench.admin.describe_configs([ConfigResource("TOPIC", bench.prefix + name)], config_filter="all")
    return {key: config["value"] for key, config in found["topic"][bench.prefix + name].items()}


def there(bench: Bench) -> set[rights.Right]:
    return set(rights.read(bench.admin.describe_acls(rights.everything())[0]))


async def test_the_second_time_nothing_is_left_to_do(bench: Bench, topics: KafkaTopics) -> None:
    readers = [Reader("pu", bench.prefix + "kl")]
    first = await topics.apply(["pu"], readers)
    assert names(bench) == {"events", "dead-letter", "inbound.pu", "agency.pu"}
    assert len([change for change in first.changes if change.startswith("create")]) == 4
    assert len([change for change in first.changes if change.startswith("allow")]) == 5
    assert (await topics.apply(["pu"], readers)).changes == ()
    kept = configs(bench, "inbound.pu")
    assert (kept["retention.ms"], kept["segment.ms"], kept["message.timestamp.type"]) == (
        "86400000", "3600000", "LogAppendTime",
    )  # fmt: skip


async def test_two_processes_that_make_the_same_topics_at_once_both_succeed(
    bench: Bench, topics: KafkaTopics
) -> None:
    other = KafkaTopics(bench.endpoint, bench.prefix)
    await other.start()
    try:
        for round_ in range(4):
            agencies = [f"a{round_}{number}" for number in range(4)]
            await asyncio.gather(topics.apply(agencies, []), other.apply(agencies, []))
            assert {f"inbound.{agency}" for agency in agencies} <= names(bench)
    finally:
        await other.stop()


async def test_a_dry_run_says_the_same_and_changes_nothing(bench: Bench, topics: KafkaTopics) -> None:
    readers = [Reader("pu", bench.prefix + "kl")]
    planned = await topics.apply(["pu"], readers, dry_run=True)
    assert names(bench) == set()
    assert not _rules(bench)
    done = await topics.apply(["pu"], readers)
    assert planned.changes == done.changes


async def test_it_grows_and_sets_but_never_shrinks_nor_deletes(bench: Bench, topics: KafkaTopics) -> None:
    bench.topic("events", 2)
    bench.topic("dead-letter", 4, **{"retention.ms": "1000"})
    bench.topic("inbound.lama", 5)
    bench.topic("catatan", 1)
    done = await topics.apply([], [])
    assert any("grow" in change and "events from 2 to 12" in change for change in done.changes)
    assert any("retention.ms" in change and "from 1000 to 7776000000" in change for change in done.changes)
    assert any("dead-letter keeps its 4 partitions" in note for note in done.notes)
    assert any("inbound.lama is left" in note for note in done.notes)
    assert names(bench) == {"events", "dead-letter", "inbound.lama", "catatan"}
    counts = {topic["name"]: len(topic["partitions"]) for topic in bench.admin.describe_topics()}
    found = {name: counts[bench.prefix + name] for name in names(bench)}
    assert found == {"events": 12, "dead-letter": 4, "inbound.lama": 5, "catatan": 1}
    assert (await topics.apply([], [])).changes == ()


async def test_settings_that_lose_or_hold_up_records_are_set(bench: Bench, topics: KafkaTopics) -> None:
    bad = {
        "retention.bytes": "1",
        "retention.ms": "1",
        "cleanup.policy": "compact",
        "max.message.bytes": "500",
        "compression.type": "snappy",
        "message.timestamp.type": "CreateTime",
        "min.insync.replicas": "3",
        "unclean.leader.election.enable": "true",
    }
    await topics.apply(["pu"], [])
    right = configs(bench, "inbound.pu")
    name = bench.prefix + "inbound.pu"
    bench.admin.alter_configs([ConfigResource("TOPIC", name, bad)])
    eventually(lambda: bad.items() <= configs(bench, "inbound.pu").items(), SHOWN)
    planned = await topics.apply(["pu"], [], dry_run=True)
    assert {change.split()[1] for change in planned.changes} == set(bad)
    assert (await topics.apply(["pu"], [])).changes == planned.changes
    eventually(lambda: configs(bench, "inbound.pu") == right, SHOWN)


async def test_wide_rights_are_withdrawn_and_told(bench: Bench, topics: KafkaTopics) -> None:
    readers = [Reader("pu", bench.prefix + "kl")]
    await topics.apply(["pu"], readers)
    who = rights.principal(bench.prefix + "kl")
    wide = {
        rights.Right(who, "TOPIC", bench.prefix, "READ", "PREFIXED"),
        rights.Right(who, "TOPIC", "*", "READ"),
        rights.Right("User:*", "TOPIC", events(bench.prefix), "READ"),
    }
    bench.admin.create_acls([rights.rule(right) for right in wide])
    eventually(lambda: wide <= there(bench), SHOWN)
    planned = await topics.apply(["pu"], readers, dry_run=True)
    assert set(planned.changes) == {f"withdraw: {right.sentence()}" for right in wide}
    assert (await topics.apply(["pu"], readers)).changes == planned.changes
    eventually(lambda: not wide & there(bench), SHOWN)
    assert (await topics.apply(["pu"], readers)).changes == ()


async def test_foreign_rights_on_agency_topics_go_and_others_stay(bench: Bench, topics: KafkaTopics) -> None:
    """Also those of a client that is no longer there, groups included; an analyst's on events are not
    ours."""
    await topics.apply(["pu"], [Reader("pu", bench.prefix + "lama")])
    intruder = rights.Right("User:x", "TOPIC", inbound(bench.prefix, "pu"), "WRITE")
    analyst = rights.Right("User:analis", "TOPIC", events(bench.prefix), "READ")
    bench.admin.create_acls([rights.rule(intruder), rights.rule(analyst)])
    done = await topics.apply(["pu"], [])
    assert len(done.changes) == 6 and all(change.startswith("withdraw") for change in done.changes)
    assert _rules(bench) == {analyst}


@pytest.mark.parametrize("password", ["rahasia", "salah"])
async def test_the_hub_signs_in_with_its_password(bench: Bench, node: kafka.Node, password: str) -> None:
    endpoint = BrokerListener(node.signed_bootstrap, mechanism="PLAIN", username="hub", password=password)
    topics = KafkaTopics(endpoint, bench.prefix)
    await topics.start()
    try:
        if password == "rahasia":
            assert (await topics.apply([], [])).changes
        else:
            with pytest.raises(BrokerAway):
                await topics.apply([], [])
            assert topics.away is not None
    finally:
        await topics.stop()


def _rules(bench: Bench) -> set[rights.Right]:
    """Those of this test's topics and clients."""
    rules, _ = bench.admin.describe_acls(rights.everything())
    return {rule for rule in rights.read(rules) if bench.prefix in rule.name}


async def test_a_deleted_topic_of_the_hubs_own_is_missed_until_it_is_made_again(
    bench: Bench, topics: KafkaTopics
) -> None:
    await topics.apply([], [])
    await topics.ping()
    assert topics.missing == frozenset()
    bench.admin.delete_topics([events(bench.prefix)])
    async with asyncio.timeout(30):  # the broker answers before it shows what it did
        while not topics.missing:
            await topics.ping()
    assert topics.missing == {events(bench.prefix)}
    await topics.apply([], [])
    await topics.ping()
    assert topics.missing == frozenset()
