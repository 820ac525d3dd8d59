"""A join of the group that outlives a poll: the library forgets why it began, and would never end it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any

import pytest

from hub.bus.kafka.clients import Consumer
from hub.bus.kafka.publisher import KafkaPublisher
from hub.bus.kafka.reading import Reading
from hub.bus.kafka.source import KafkaSource
from hub.bus.kafka.standstill import LOOK_EVERY_S, STANDS_STILL_S
from hub.ports.broker import BrokerAway, InRecord, Partition
from tests.bus.kafka_broker.brokerwork import Bench, publish_all, read_until, record

WITHIN_S = 8.0
OTHER_IS_BUSY_S = 0.8

Make = Callable[..., Awaitable[KafkaSource]]


@pytest.fixture
async def make(bench: Bench) -> AsyncIterator[Make]:
    made: list[KafkaSource] = []

    async def beginning(parts: Collection[Partition]) -> dict[Partition, int]:
        return {}

    async def start(*topics: str, **more: Any) -> KafkaSource:
        source = KafkaSource(bench.endpoint, bench.prefix + "inbound", beginning, **more)
        made.append(source)
        source.subscribe(topics)
        await source.start()
        return source

    yield start
    for source in made:
        await source.stop()


async def test_a_change_of_topics_beside_a_member_that_is_busy(
    bench: Bench, make: Make, publisher: KafkaPublisher
) -> None:
    """The join waits for the other member, longer than a poll; by then the library thinks it has joined."""
    old, new = bench.topic("inbound.lama"), bench.topic("inbound.baru")
    await publish_all(publisher, [record(old, 1)])
    source, other = await make(old), await make(old)
    await _both_joined(source, other)
    await publish_all(publisher, [record(new, 2)])
    source.subscribe([old, new])

    async def busy_first() -> None:
        await asyncio.sleep(OTHER_IS_BUSY_S)
        while True:
            await other.poll()

    beside = asyncio.create_task(busy_first())
    try:
        await read_until(source, lambda got: _has(got, new), WITHIN_S)
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)


async def test_more_partitions_while_a_poll_is_too_short_for_the_join(
    bench: Bench, make: Make, publisher: KafkaPublisher
) -> None:
    """As after a start: the leader of the group joins again because it has learned of partitions."""
    topic = bench.topic("inbound.a")
    await publish_all(publisher, [record(topic, 1)])
    source = await make(topic)
    await read_until(source, lambda got: _has(got, topic), WITHIN_S)
    bench.admin.create_partitions({topic: 6})
    await source._thread.run(_join_and_give_up, WITHIN_S)
    await publish_all(publisher, [record(topic, n, key=f"kasus-{n}") for n in range(2, 40)])
    await read_until(source, lambda got: len({one.value for one in got}) == 38 + 1, WITHIN_S)


async def test_a_join_that_is_forgotten_all_the_same_is_found_out(
    bench: Bench, publisher: KafkaPublisher, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of a reader that once read nothing for ever, while /readyz said ready."""
    now, topic = [0.0], bench.topic("inbound.a")
    await publish_all(publisher, [record(topic, 1)])
    source = await make(topic, clock=lambda: now[0])
    await read_until(source, lambda got: _has(got, topic), WITHIN_S)
    bench.admin.create_partitions({topic: 2})
    with monkeypatch.context() as without:
        without.setattr(Consumer, "go_on_joining", lambda self: None)
        await source._thread.run(_join_and_give_up, WITHIN_S)
        now[0] += LOOK_EVERY_S
        assert not (await source.poll()).records and source.away is None
        now[0] += STANDS_STILL_S
        with pytest.raises(BrokerAway, match="does not hold the partitions that it was given"):
            await source.poll()
    await read_until(source, lambda got: _has(got, topic), WITHIN_S)
    assert source.away is None


def _join_and_give_up(held: Reading) -> None:
    """Polls for no time at all until the library begins to join; the answers come between two polls."""
    coordinator, deadline = held.consumer._coordinator, time.monotonic() + WITHIN_S
    held.consumer._cluster.request_update()
    while not coordinator.rejoining:
        assert time.monotonic() < deadline, "it did not notice the new partitions"
        held.consumer.poll(timeout_ms=0)
        time.sleep(0.01)
    while not coordinator._join_task.is_done:
        assert time.monotonic() < deadline, "the broker did not answer"
        time.sleep(0.01)


async def _both_joined(*sources: KafkaSource) -> None:
    """One of them holds the only partition, and the other knows it."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        await asyncio.gather(*(source.poll() for source in sources))
        held = [source._thread._life.thing for source in sources]  # type: ignore[union-attr]
        members = [one.consumer._coordinator for one in held if one is not None]
        generations = {one._generation.generation_id for one in members if one.stable()}
        if len(members) == len(sources) and len(generations) == 1 and all(one.stable() for one in members):
            return
        assert time.monotonic() < deadline, "they did not come together"


def _has(got: list[InRecord], topic: str) -> bool:
    return any(one.topic == topic for one in got)
