"""A reader that is stopped behind its own back is found out, said, and replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any

import pytest
from kafka.admin import MemberToRemove

from hub.bus.kafka import standstill
from hub.bus.kafka.publisher import KafkaPublisher
from hub.bus.kafka.reading import Reading
from hub.bus.kafka.source import KafkaSource
from hub.bus.kafka.standstill import LONGEST_S, LOOK_EVERY_S, STANDS_STILL_S, Standstill
from hub.ports.broker import BrokerAway, InRecord, Notice, Partition, Trouble
from tests.bus.kafka_broker.brokerwork import Bench, publish_all, read_until, record

WITHIN_S = 10.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def source(bench: Bench, clock: Clock) -> AsyncIterator[KafkaSource]:
    async def beginning(parts: Collection[Partition]) -> dict[Partition, int]:
        return {}

    made = KafkaSource(bench.endpoint, bench.prefix + "inbound", beginning, clock=clock)
    made.subscribe([bench.topic("inbound.a")])
    await made.start()
    yield made
    await made.stop()


def _stopped(held: Reading) -> None:
    """Nothing of the library is called any more that would read or join."""
    held.consumer.poll = lambda **_: {}


def _left(held: Reading) -> None:
    """Heartbeats end and the group goes on without it: it is not told."""
    coordinator = held.consumer._coordinator
    coordinator._heartbeat_enabled = False
    member = held.consumer.group_metadata().member_id
    held.admin.remove_group_members(coordinator.group_id, [MemberToRemove(member_id=member)])
    held.consumer.poll = lambda **_: {}


@pytest.mark.parametrize("stop", [_stopped, _left])
async def test_it_is_replaced_and_reads_on(
    bench: Bench,
    source: KafkaSource,
    publisher: KafkaPublisher,
    clock: Clock,
    stop: Callable[[Reading], None],
) -> None:
    topic = bench.prefix + "inbound.a"
    await publish_all(publisher, [record(topic, 1)])
    await read_until(source, lambda got: len(got) == 1, WITHIN_S)
    await source._thread.run(stop, WITHIN_S)
    await publish_all(publisher, [record(topic, 2)])
    clock.now += LOOK_EVERY_S
    assert not (await source.poll()).records
    assert source.away is None, "a moment is no standstill"
    clock.now += STANDS_STILL_S
    with pytest.raises(BrokerAway, match="stood still"):
        await source.poll()
    assert "stood still" in str(source.away), "/readyz says degraded"
    _, batches = await read_until(source, lambda got: _number(got) == 2, WITHIN_S)
    notices: list[Notice] = [notice for batch in batches for notice in batch.notices]
    assert [(one.trouble, one.topic) for one in notices] == [(Trouble.STOOD_STILL, topic)]
    assert source.away is None


async def test_who_never_joins_its_group_is_replaced(
    bench: Bench, source: KafkaSource, publisher: KafkaPublisher, clock: Clock
) -> None:
    await source._thread.run(_stopped, WITHIN_S)
    await publish_all(publisher, [record(bench.prefix + "inbound.a", 1)])
    await source.poll()
    clock.now += STANDS_STILL_S
    with pytest.raises(BrokerAway, match="no member of its group"):
        await source.poll()
    await read_until(source, lambda got: len(got) == 1, WITHIN_S)


async def test_a_quiet_topic_is_no_standstill(
    bench: Bench, source: KafkaSource, publisher: KafkaPublisher, clock: Clock
) -> None:
    """Nor is a transaction that is open, or was aborted, nor are the broker's own marks behind a record."""
    await publish_all(publisher, [record(bench.prefix + "inbound.a", 1)])
    await read_until(source, lambda got: len(got) == 1, WITHIN_S)
    producer = publisher._thread._life.thing.producer  # type: ignore[union-attr]
    producer.begin_transaction()
    producer.send(bench.prefix + "inbound.a", b"99").get(timeout=WITHIN_S)
    for aborted in (False, True):
        if aborted:
            producer.abort_within(int(WITHIN_S * 1000))
        for _ in range(3):
            clock.now += 2 * STANDS_STILL_S
            await source.poll()
        assert source.away is None


async def test_an_error_that_nobody_foresaw_replaces_the_reader(
    bench: Bench, source: KafkaSource, publisher: KafkaPublisher
) -> None:
    """The library may be half done with what it was at; it would fail, or be silent, for ever."""
    await read_until(source, lambda got: source._thread._life.thing is not None, WITHIN_S)  # type: ignore[union-attr]

    def broken(held: Reading) -> None:
        def crash(**_: Any) -> None:
            raise KeyError("a defect of the library")

        held.consumer.poll = crash

    await source._thread.run(broken, WITHIN_S)
    with pytest.raises(KeyError):
        await source.poll()
    assert source.away is not None
    await publish_all(publisher, [record(bench.prefix + "inbound.a", 1)])
    await asyncio.wait_for(read_until(source, lambda got: len(got) == 1), WITHIN_S)
    assert source.away is None


def test_only_what_lasts_is_a_standstill_and_vain_replacements_become_rarer() -> None:
    clock = Clock()
    judge = Standstill(clock)
    assert judge.judge({"a": "stands"}) is None
    clock.now += STANDS_STILL_S
    assert judge.judge({"b": "another one"}) is None and judge.cause is None
    waited = []
    for _ in range(7):
        began = clock.now
        while judge.judge({"b": "stands"}) is None:
            clock.now += LOOK_EVERY_S
        waited.append(clock.now - began)
    assert waited[:3] == [STANDS_STILL_S, 2 * STANDS_STILL_S, 4 * STANDS_STILL_S]
    assert waited[-1] == LONGEST_S and "stands" in str(judge.cause)
    judge.moved()
    assert judge.cause is None
    assert judge.judge({"b": "stands"}) is None
    clock.now += standstill.STANDS_STILL_S
    assert judge.judge({"b": "stands"}) is not None
    assert judge.judge({}) is None and judge.cause is None


def _number(got: list[InRecord]) -> int:
    return int(got[-1].value or b"0") if got else 0
