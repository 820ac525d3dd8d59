"""A broker that is killed, hangs, or is not there yet: nothing lost, nothing twice, and a stop is quick."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

import pytest
import structlog

from hub.bus.kafka import threads
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.publisher import KafkaPublisher
from hub.bus.kafka.source import KafkaSource
from hub.bus.kafka.topics import KafkaTopics
from hub.ports.broker import BrokerAway, Partition
from tests.bus.kafka_broker.brokerwork import Bench, numbers, publish_all, read_until, record
from tests.parts import kafka
from tests.parts.local_server import free_port

STOP_WITHIN_S = 5.0
BATCHES, SIZE = 60, 20


async def beginning(parts: Collection[Partition]) -> dict[Partition, int]:
    return {}


async def stopped_quickly(*parts: KafkaPublisher | KafkaSource | KafkaTopics) -> None:
    started = time.monotonic()
    await asyncio.gather(*(part.stop() for part in parts))
    assert time.monotonic() - started < STOP_WITHIN_S


async def relay(publisher: KafkaPublisher, topic: str, kill: asyncio.Event) -> None:
    """As a relay does: the same batch again until it is acknowledged."""
    for batch in range(BATCHES):
        if batch == BATCHES // 3:
            kill.set()
        start = batch * SIZE
        records = [record(topic, n, key=f"kasus-{n % 5}", size=1500) for n in range(start, start + SIZE)]
        await publish_all(publisher, records, patience_s=90)


def nothing_lost_nothing_twice(bench: Bench, topic: str) -> None:
    found = bench.read(topic)
    assert sorted(numbers(found)) == list(range(BATCHES * SIZE))
    for key in {one.key for one in found}:
        of_key = numbers([one for one in found if one.key == key])
        assert of_key == sorted(of_key)


async def test_the_only_broker_is_killed_while_it_takes_records(
    mortal_node: kafka.Node, mortal_bench: Bench
) -> None:
    """The kill falls into some step of a transaction, another one in each run."""
    topic, kill = mortal_bench.topic("events", 3), asyncio.Event()
    publisher = KafkaPublisher(mortal_bench.endpoint, mortal_bench.prefix + "relay")
    source = KafkaSource(mortal_bench.endpoint, mortal_bench.prefix + "pembaca", beginning)
    source.subscribe([topic])
    await publisher.start()
    await source.start()
    publishing = asyncio.create_task(relay(publisher, topic, kill))
    await kill.wait()
    mortal_node.kill()
    await asyncio.sleep(1)
    mortal_node.start()
    await asyncio.wait_for(publishing, 100)
    nothing_lost_nothing_twice(mortal_bench, topic)
    seen: set[int] = set()
    await read_until(source, lambda got: seen.update(numbers(got)) or len(seen) == BATCHES * SIZE)  # type: ignore[func-returns-value]
    assert publisher.away is None and source.away is None
    await stopped_quickly(publisher, source)


async def test_it_starts_without_a_broker_and_works_once_there_is_one(
    mortal_node: kafka.Node, mortal_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = structlog.testing.LogCapture()
    monkeypatch.setattr(threads, "log", structlog.wrap_logger(None, processors=[said]))
    topic = mortal_bench.topic("events")
    mortal_node.stop()
    publisher = KafkaPublisher(mortal_bench.endpoint, mortal_bench.prefix + "relay")
    source = KafkaSource(mortal_bench.endpoint, mortal_bench.prefix + "pembaca", beginning)
    source.subscribe([topic])
    started = time.monotonic()
    await publisher.start()
    await source.start()
    assert time.monotonic() - started < 2.0
    for wait in (publisher.publish([record(topic, 1)]), source.poll()):
        with pytest.raises(BrokerAway):
            await wait
    assert publisher.away is not None and "does not answer" in publisher.away
    mortal_node.start()
    await publish_all(publisher, [record(topic, 1)])
    await read_until(source, lambda got: len(got) == 1)
    assert publisher.away is None
    away = [entry["name"] for entry in said.entries if entry["event"] == "kafka_away"]
    assert len(away) == len(set(away)) == 2, "one each, however often they tried"
    await stopped_quickly(publisher, source)


async def test_they_stop_quickly_where_nobody_listens() -> None:
    endpoint = BrokerListener(f"127.0.0.1:{free_port()}")
    parts = (
        KafkaPublisher(endpoint, "relay"),
        KafkaSource(endpoint, "pembaca", beginning),
        KafkaTopics(endpoint, "simpul."),
    )
    for part in parts:
        await part.start()
    await asyncio.sleep(0.1)
    await stopped_quickly(*parts)


async def test_they_stop_quickly_while_the_broker_hangs_and_callers_are_told(
    mortal_node: kafka.Node, mortal_bench: Bench
) -> None:
    topic = mortal_bench.topic("events")
    publisher = KafkaPublisher(mortal_bench.endpoint, mortal_bench.prefix + "relay")
    source = KafkaSource(mortal_bench.endpoint, mortal_bench.prefix + "pembaca", beginning)
    source.subscribe([topic])
    topics = KafkaTopics(mortal_bench.endpoint, mortal_bench.prefix)
    for part in (publisher, source, topics):
        await part.start()
    await publish_all(publisher, [record(topic, 1)])
    await read_until(source, lambda got: len(got) == 1)
    mortal_node.pause()
    waiting = [
        asyncio.create_task(publisher.publish([record(topic, 2)])),
        asyncio.create_task(source.poll()),
        asyncio.create_task(topics.apply([], [])),
    ]
    await asyncio.sleep(0.3)
    await stopped_quickly(publisher, source, topics)
    _, pending = await asyncio.wait(waiting, timeout=10)
    mortal_node.go_on()
    assert not pending
    assert [type(task.exception()) for task in waiting if task is not waiting[1]] == [BrokerAway] * 2


async def test_after_a_pause_of_the_broker_the_same_batch_is_there_once(
    mortal_node: kafka.Node, mortal_bench: Bench
) -> None:
    topic = mortal_bench.topic("events")
    publisher = KafkaPublisher(mortal_bench.endpoint, mortal_bench.prefix + "relay")
    await publisher.start()
    await publish_all(publisher, [record(topic, 1)])
    mortal_node.pause()
    waiting = asyncio.create_task(publish_all(publisher, [record(topic, 2), record(topic, 3)]))
    await asyncio.sleep(8)
    assert not waiting.done()
    mortal_node.go_on()
    await asyncio.wait_for(waiting, 60)
    assert numbers(mortal_bench.read(topic)) == [1, 2, 3]
    await stopped_quickly(publisher)


async def test_one_of_three_brokers_is_killed(three_nodes: list[kafka.Node]) -> None:
    """The one that leads most: the others go on within the session timeout, and it comes back."""
    bootstrap = ",".join(node.bootstrap for node in three_nodes)
    with Bench(bootstrap, "tiga.") as bench:
        topic, kill = bench.topic("events", 3), asyncio.Event()
        topics = KafkaTopics(bench.endpoint, bench.prefix)
        await topics.start()
        done = await topics.apply([], [])
        assert any("events from 3 to 12" in change for change in done.changes)
        assert any("12 partitions" not in change and "3 replicas" in change for change in done.changes)
        assert any("no authorizer" in note for note in done.notes)
        publisher = KafkaPublisher(bench.endpoint, "relay")
        await publisher.start()
        publishing = asyncio.create_task(relay(publisher, topic, kill))
        await kill.wait()
        three_nodes[0].kill()
        started = time.monotonic()
        await asyncio.wait_for(publishing, 100)
        assert time.monotonic() - started < 60
        three_nodes[0].start()
        nothing_lost_nothing_twice(bench, topic)
        await stopped_quickly(publisher, topics)
