"""The publisher on a real broker: order, transactions, fencing, marks, and records that are in nobody's
way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from hub.bus.kafka.publisher import KafkaPublisher
from hub.ports.broker import ACKNOWLEDGED, Mark, OutRecord, ProducerFenced, Refusal, TopicClosed
from tests.bus.kafka_broker.brokerwork import Bench, numbers, publish_all, record

Make = Callable[[str], Awaitable[KafkaPublisher]]


@pytest.fixture
async def make(bench: Bench) -> AsyncIterator[Make]:
    made: list[KafkaPublisher] = []

    async def start(name: str) -> KafkaPublisher:
        publisher = KafkaPublisher(bench.endpoint, bench.prefix + name)
        made.append(publisher)
        await publisher.start()
        return publisher

    yield start
    for publisher in made:
        await publisher.stop()


async def test_records_of_a_key_keep_their_order_and_their_headers(bench: Bench, make: Make) -> None:
    topic, publisher = bench.topic("events", 3), await make("relay")
    records = [record(topic, number, key=f"kasus-{number % 7}") for number in range(1, 201)]
    for start in range(0, 200, 50):
        assert await publish_all(publisher, records[start : start + 50]) == [ACKNOWLEDGED] * 50
    found = bench.read(topic)
    assert sorted(numbers(found)) == list(range(1, 201))
    for key in {one.key for one in found}:
        of_key = numbers([one for one in found if one.key == key])
        assert of_key == sorted(of_key)
        assert len({one.partition for one in found if one.key == key}) == 1
    assert found[0].headers == [("ce_id", found[0].value)]


async def test_a_second_producer_with_the_same_id_fences_the_first_for_good(bench: Bench, make: Make) -> None:
    topic = bench.topic("events")
    first, second = await make("relay"), await make("relay")
    await publish_all(first, [record(topic, 1)])
    await publish_all(second, [record(topic, 2)])
    for _ in range(2):  # the second time it must not win the id back
        with pytest.raises(ProducerFenced):
            await first.publish([record(topic, 3)])
    await publish_all(second, [record(topic, 4)])
    assert numbers(bench.read(topic)) == [1, 2, 4]


async def test_a_missing_topic_delays_itself_alone_and_is_found_once_it_is_there(
    bench: Bench, make: Make
) -> None:
    now = [0.0]
    topic, later = bench.topic("events"), bench.prefix + "agency.baru"
    publisher = KafkaPublisher(bench.endpoint, bench.prefix + "relay", clock=lambda: now[0])
    await publisher.start()
    try:
        await publish_all(publisher, [record(topic, 1)])
        started = time.monotonic()
        outcomes = await publisher.publish([record(topic, 2), record(later, 2), record(topic, 3)])
        assert time.monotonic() - started < 2
        assert [outcome.refused for outcome in outcomes] == [None, TopicClosed.MISSING, None]
        assert later in outcomes[1].why and "topics apply" in outcomes[1].why
        bench.topic("agency.baru")
        assert (await publisher.publish([record(later, 2)]))[0].refused is TopicClosed.MISSING
        now[0] += 10
        assert await publisher.publish([record(later, 2)]) == [ACKNOWLEDGED]
    finally:
        await publisher.stop()
    assert numbers(bench.read(topic)) == [1, 2, 3]
    assert numbers(bench.read(later)) == [2]


@pytest.mark.parametrize("size", [5_000_000, 900_000])
async def test_a_record_that_is_too_large_is_refused_alone(bench: Bench, make: Make, size: int) -> None:
    """The larger is refused by us, the smaller by a topic that takes less."""
    topic = bench.topic("events", **{"max.message.bytes": "300000"})
    publisher = await make("relay")
    sent = [record(topic, 1), record(topic, 2, size=size), record(topic, 3)]
    outcomes = await publish_all(publisher, sent)
    assert [outcome.refused for outcome in outcomes] == [None, Refusal.TOO_LARGE, None]
    assert numbers(bench.read(topic)) == [1, 3]


async def test_what_is_marked_is_published_once_by_whoever_repeats_it(bench: Bench, make: Make) -> None:
    topic, other = bench.topic("events", 3), bench.topic("agency.pu")
    batch = [record(topic, number, key=str(number)) for number in range(1, 11)]
    await publish_all(await make("relay"), batch[:6])
    successor = await make("relay")
    assert await publish_all(successor, [*batch, record(other, 5)]) == [ACKNOWLEDGED] * 11
    assert await publish_all(successor, batch) == [ACKNOWLEDGED] * 10
    assert sorted(numbers(bench.read(topic))) == list(range(1, 11))
    assert numbers(bench.read(other)) == [5]


async def test_after_a_restore_the_positions_of_the_new_incarnation_count(bench: Bench, make: Make) -> None:
    topic, publisher = bench.topic("events"), await make("relay")
    await publish_all(publisher, [record(topic, 9)])
    restored = OutRecord(topic, b"kasus", (), b"3", Mark("sesudah", 3))
    await publish_all(publisher, [restored])
    await publish_all(publisher, [restored])
    assert numbers(bench.read(topic)) == [9, 3]


async def test_without_a_mark_a_record_is_sent_as_often_as_it_is_published(bench: Bench, make: Make) -> None:
    topic, publisher = bench.topic("dead-letter"), await make("inbound")
    for _ in range(2):
        await publish_all(publisher, [record(topic, 1, mark=False)])
    assert numbers(bench.read(topic)) == [1, 1]


async def test_an_abandoned_transaction_is_never_seen_and_its_successor_goes_on(
    bench: Bench, make: Make
) -> None:
    topic, publisher = bench.topic("events"), await make("relay")
    await publish_all(publisher, [record(topic, 1)])
    held = publisher._thread._life.thing  # type: ignore[union-attr]
    held.producer.begin_transaction()  # as a process that is killed before it commits
    held.producer.send(topic, b"99").get(timeout=10)
    await publish_all(await make("relay"), [record(topic, 2)])
    assert numbers(bench.read(topic)) == [1, 2]
    assert numbers(bench.read(topic, committed=False)) == [1, 99, 2]


async def test_many_callers_at_once_are_served_one_after_the_other(bench: Bench, make: Make) -> None:
    topic, publisher = bench.topic("events"), await make("relay")
    await publish_all(publisher, [record(topic, 1, mark=False)])
    await asyncio.gather(*(publisher.publish([record(topic, n, mark=False)]) for n in range(2, 12)))
    assert numbers(bench.read(topic)) == list(range(1, 12))
