"""The reader on a real broker: where it begins, who reads what, and topics that cannot be read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import suppress

import pytest

from hub.bus.kafka.publisher import KafkaPublisher
from hub.bus.kafka.source import KafkaSource
from hub.ports.broker import BrokerAway, Mark, OutRecord, Partition, TopicClosed, Trouble
from hub.ports.relaying import Place
from tests.bus.kafka_broker.brokerwork import Bench, publish_all, read_until, record


class Offsets:
    """What the hub stored: the next offset of each partition, moved on by its effects."""

    def __init__(self) -> None:
        self.next: dict[Partition, int] = {}
        self.topic_ids: dict[str, str] = {}
        self.asked: list[frozenset[Partition]] = []
        self.failures = 0

    async def __call__(self, parts: Collection[Partition]) -> dict[Partition, Place]:
        self.asked.append(frozenset(parts))
        if self.failures:
            self.failures -= 1
            raise LookupError("the database is away")
        return {
            part: Place(self.next[part], self.topic_ids.get(part[0], ""))
            for part in parts
            if part in self.next
        }


Make = Callable[..., Awaitable[KafkaSource]]


@pytest.fixture
async def make(bench: Bench) -> AsyncIterator[Make]:
    made: list[KafkaSource] = []

    async def start(offsets: Offsets, *topics: str, **more: object) -> KafkaSource:
        source = KafkaSource(bench.endpoint, bench.prefix + "inbound", offsets, **more)  # type: ignore[arg-type]
        made.append(source)
        source.subscribe(topics)
        await source.start()
        return source

    yield start
    for source in made:
        await source.stop()


async def test_it_begins_where_the_hub_says_and_else_at_the_beginning(
    bench: Bench, make: Make, publisher: KafkaPublisher
) -> None:
    topic, other = bench.topic("inbound.a"), bench.topic("inbound.b")
    await publish_all(publisher, [record(topic, n) for n in range(5)] + [record(other, n) for n in range(3)])
    offsets = Offsets()
    offsets.next[(topic, 0)] = 3
    found, batches = await read_until(await make(offsets, topic, other), lambda got: len(got) == 5)
    assert sorted((one.topic, int(one.value or b"")) for one in found) == [
        (topic, 3), (topic, 4), (other, 0), (other, 1), (other, 2),
    ]  # fmt: skip
    assert frozenset().union(*(batch.assigned for batch in batches)) == {(topic, 0), (other, 0)}
    first = found[0]
    assert (first.key, first.headers) == (b"kasus", (("ce_id", first.value),)) and first.timestamp_ms > 0


async def test_only_committed_records_come_and_a_tombstone_is_one(
    bench: Bench, make: Make, publisher: KafkaPublisher
) -> None:
    topic = bench.topic("inbound.a")
    held = publisher._thread
    await publish_all(publisher, [record(topic, 1)])
    producer = held._life.thing.producer  # type: ignore[union-attr]
    producer.begin_transaction()
    producer.send(topic, b"99").get(timeout=10)
    producer.abort_within(10_000)
    await publish_all(publisher, [OutRecord(topic, b"k", (), None, Mark("awal", 2))])
    found, _ = await read_until(await make(Offsets(), topic), lambda got: len(got) == 2)
    assert [one.value for one in found] == [b"1", None]


async def test_a_batch_is_bounded_and_a_poll_that_was_given_up_loses_nothing(
    bench: Bench, make: Make, publisher: KafkaPublisher
) -> None:
    topic = bench.topic("inbound.a")
    await publish_all(publisher, [record(topic, n) for n in range(100)])
    source = await make(Offsets(), topic, max_records=7)
    taken = []
    for _ in range(20):
        with suppress(TimeoutError):  # from the moment on when it has joined they come in time
            taken.append(await asyncio.wait_for(source.poll(), 0.01))
    assert len(taken) < 20, "some were given up"
    early = [one for batch in taken for one in batch.records]
    found, batches = await read_until(source, lambda got: len(early) + len(got) == 100)
    assert [int(one.value or b"") for one in (*early, *found)] == list(range(100))
    assert max(len(batch.records) for batch in (*taken, *batches)) == 7


class Member:
    """A process of the hub: it handles its batch before it polls again."""

    def __init__(self, source: KafkaSource, offsets: Offsets, seen: list[int]) -> None:
        self.source, self.offsets, self.seen = source, offsets, seen
        self.holds: frozenset[Partition] = frozenset()

    async def until(self, done: Callable[[], bool]) -> None:
        while not done():
            try:
                batch = await self.source.poll()
            except BrokerAway:
                await asyncio.sleep(0.05)
                continue
            self.holds = self.holds - batch.revoked | batch.assigned
            for one in batch.records:
                part = (one.topic, one.partition)
                assert one.offset >= self.offsets.next.get(part, 0), "a record came twice"
                self.seen.append(int(one.value or b""))
                self.offsets.next[part] = one.offset + 1


async def test_two_members_share_the_partitions_and_one_takes_over_what_the_other_leaves(
    bench: Bench, make: Make, publisher: KafkaPublisher
) -> None:
    """Both store their offsets in one place, as two processes do in one database."""
    topic, offsets, seen = bench.topic("inbound.a", 4), Offsets(), []
    sent = [[record(topic, n, key=str(n)) for n in range(at, at + 100)] for at in (0, 100, 200)]
    first = Member(await make(offsets, topic, max_records=20), offsets, seen)
    await publish_all(publisher, sent[0])
    await asyncio.wait_for(first.until(lambda: len(seen) == 100), 40)
    second = Member(await make(offsets, topic, max_records=20), offsets, seen)

    def shared() -> bool:
        return len(first.holds) == len(second.holds) == 2 and not first.holds & second.holds

    await asyncio.wait_for(asyncio.gather(first.until(shared), second.until(shared)), 40)
    await publish_all(publisher, sent[1])
    both = (first.until(lambda: len(seen) == 200), second.until(lambda: len(seen) == 200))
    await asyncio.wait_for(asyncio.gather(*both), 40)
    await first.source.stop()
    await publish_all(publisher, sent[2])
    await asyncio.wait_for(second.until(lambda: len(seen) == 300), 40)
    assert sorted(seen) == list(range(300)) and len(second.holds) == 4


async def test_a_failing_database_delays_the_beginning_and_skips_nothing(
    bench: Bench, make: Make, publisher: KafkaPublisher
) -> None:
    topic, offsets = bench.topic("inbound.a"), Offsets()
    await publish_all(publisher, [record(topic, n) for n in range(3)])
    offsets.failures = 2
    source = await make(offsets, topic)
    failed, found = 0, []
    while len(found) < 3:
        try:
            found += (await source.poll()).records
        except LookupError:
            failed += 1
        except Exception as error:
            assert "not connected yet" in str(error)
    assert failed == 2 and [int(one.value or b"") for one in found] == [0, 1, 2]


async def test_a_missing_topic_is_told_once_and_read_once_it_is_there(
    bench: Bench, make: Make, publisher: KafkaPublisher
) -> None:
    now = [0.0]
    topic, later = bench.topic("inbound.a"), bench.prefix + "inbound.baru"
    await publish_all(publisher, [record(topic, 1)])
    source = await make(Offsets(), topic, later, clock=lambda: now[0])
    _, batches = await read_until(source, lambda got: len(got) == 1)
    now[0] += 60
    batches.append(await source.poll())
    notices = [notice for batch in batches for notice in batch.notices]
    assert [(notice.trouble, notice.topic) for notice in notices] == [(TopicClosed.MISSING, later)]
    bench.topic("inbound.baru")
    now[0] += 60
    await publish_all(publisher, [record(later, 7)])
    await read_until(source, lambda got: any(one.topic == later for one in got))


async def test_the_set_of_topics_can_change(bench: Bench, make: Make, publisher: KafkaPublisher) -> None:
    a, b = bench.topic("inbound.a"), bench.topic("inbound.b")
    await publish_all(publisher, [record(a, 1), record(b, 1)])
    source = await make(Offsets(), a)
    await read_until(source, lambda got: len(got) == 1)
    source.subscribe([b])
    found, batches = await read_until(source, lambda got: len(got) == 1)
    assert [one.topic for one in found] == [b]
    assert (a, 0) in frozenset().union(*(batch.revoked for batch in batches))
    source.subscribe([])
    assert (await source.poll()).records == []


async def test_expired_and_renewed_offsets_are_told(
    bench: Bench, make: Make, publisher: KafkaPublisher
) -> None:
    old, renewed = bench.topic("inbound.a"), bench.topic("inbound.b")
    await publish_all(publisher, [record(old, n) for n in range(5)] + [record(renewed, 0)])
    from kafka import TopicPartition

    bench.admin.delete_records({TopicPartition(old, 0): 4})
    offsets = Offsets()
    offsets.next = {(old, 0): 1, (renewed, 0): 500}
    found, batches = await read_until(await make(offsets, old, renewed), lambda got: len(got) == 2)
    assert {(one.topic, one.offset) for one in found} == {(old, 4), (renewed, 0)}
    notices = {n.topic: n for batch in batches for n in batch.notices}
    assert (notices[old].trouble, notices[old].missed) == (Trouble.RECORDS_EXPIRED, 3)
    assert notices[renewed].trouble is Trouble.OFFSETS_RENEWED


async def made_anew(bench: Bench, topic: str) -> None:
    bench.admin.delete_topics([topic])
    deadline = time.monotonic() + 30
    while topic in bench.admin.list_topics():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    bench.topic(topic.removeprefix(bench.prefix))


@pytest.mark.parametrize("reads_on", [False, True])
async def test_a_topic_that_was_made_anew_is_read_from_its_beginning(
    bench: Bench, make: Make, publisher: KafkaPublisher, reads_on: bool
) -> None:
    """Though the offset that is kept lies within it; also where it is made anew while it is read."""
    topic, offsets = bench.topic("inbound.a"), Offsets()
    await publish_all(publisher, [record(topic, n) for n in range(3)])
    now = [0.0]
    source = await make(offsets, topic, clock=lambda: now[0])
    found, _ = await read_until(source, lambda got: len(got) == 3)
    ids = {one.topic_id for one in found}
    assert len(ids) == 1 and "" not in ids
    offsets.next, offsets.topic_ids = {(topic, 0): 3}, {topic: ids.pop()}
    if not reads_on:
        await source.stop()
    await made_anew(bench, topic)
    await publish_all(publisher, [record(topic, n, mark=False) for n in range(10, 16)])
    now[0] += 60.0
    if not reads_on:
        source = await make(offsets, topic)
    found, batches = await read_until(source, lambda got: any(int(one.value or b"") == 10 for one in got))
    notices = [notice for batch in batches for notice in batch.notices if notice.partition == 0]
    assert [notice.trouble for notice in notices] == [Trouble.OFFSETS_RENEWED]
    assert found[-1].topic_id not in ("", offsets.topic_ids[topic])


async def test_a_hub_without_an_agency_on_kafka_polls_at_its_ease(make: Make) -> None:
    """Without a group the library's next heartbeat is for ever overdue, and its poll would spin."""
    source = await make(Offsets())
    for _ in range(5):  # until a heartbeat would be due
        assert not (await source.poll()).records
    used_s, began_s = time.process_time(), time.monotonic()
    for _ in range(4):
        await source.poll()
    assert time.process_time() - used_s < 0.25 * (time.monotonic() - began_s)
