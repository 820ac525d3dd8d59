"""A publisher that must wait for the broker says for what, in words: an unfinished transaction of somebody
else's, a coordinator that does not load. The library tries again by itself and keeps the cause to itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource
from kafka.errors import KafkaTimeoutError, NotCoordinatorError
from kafka.producer.transaction_manager import TransactionalRequestResult, TxnOffsetCommitHandler
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

from hub.bus.kafka import clients, marks
from hub.bus.kafka.errors import told
from hub.bus.kafka.publisher import KafkaPublisher
from hub.ports.broker import BrokerAway
from tests.bus.kafka_broker.brokerwork import Bench, numbers, publish_all, record
from tests.parts import kafka

CHECK = "transaction.partition.verification.enable"


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clients, "REQUEST_MS", 1_500)
    yield


def _holding_marks_open(bench: Bench, topic: str, group: str) -> clients.Producer:
    """Somebody else's transaction over the same marks, left open."""
    other = clients.producer(bench.endpoint, bench.prefix + "somebody-else")
    other.init_transactions()
    other.begin_transaction()
    other.add_offsets_within({TopicPartition(topic, 0): OffsetAndMetadata(9, "awal", -1)}, group, 10_000)
    return other


async def test_marks_that_a_transaction_holds_open_are_told_and_waited_for(
    bench: Bench, publisher: KafkaPublisher, short_waits: None
) -> None:
    topic, group = bench.topic("events"), bench.prefix + "relay"
    other = _holding_marks_open(bench, topic, group)
    try:
        with pytest.raises(BrokerAway) as told:
            await publisher.publish([record(topic, 1)])
        assert "UnstableOffsetCommit" in str(told.value) and "None" not in str(told.value)
        assert group in str(told.value) and "not finished" in str(told.value)
        assert publisher.away == str(told.value)
        other.abort_within(10_000)
        await publish_all(publisher, [record(topic, 1)])
        assert publisher.away is None
    finally:
        other.discard()
    assert numbers(bench.read(topic)) == [1]


def _left_behind(bench: Bench, topic: str, name: str) -> None:
    """Marks under an id whose coordinator of transactions knows of none that is open, so that nobody ever
    ends them. A broker that checks each write with the coordinator (the default) refuses them when they come
    like this. From outside it looks as it did when the relay stood still after kill -9 of the broker."""
    bench.admin.alter_configs([ConfigResource("BROKER", "1", {CHECK: "false"})])
    producer = clients.producer(bench.endpoint, name)
    producer.init_transactions()
    producer.begin_transaction()
    manager = producer._transaction_manager
    offsets = {TopicPartition(topic, 0): OffsetAndMetadata(9, "awal", -1)}
    manager._pending_txn_offset_commits.update(offsets)
    done = TransactionalRequestResult()
    manager._enqueue_request(TxnOffsetCommitHandler(manager, ConsumerGroupMetadata(name), offsets, done))
    producer._sender.wakeup()
    assert done.wait(10_000)
    producer.discard()


async def test_marks_that_a_dead_predecessor_left_open_are_ended(own_bench: Bench) -> None:
    """Nobody else will: the relay stood still for as long as the broker ran."""
    topic, name = own_bench.topic("events"), own_bench.prefix + "relay"
    _left_behind(own_bench, topic, name)
    publisher = KafkaPublisher(own_bench.endpoint, name)
    await publisher.start()
    try:
        await publish_all(publisher, [record(topic, 1), record(topic, 10)], patience_s=30)
        assert publisher.away is None
    finally:
        await publisher.stop()
    assert numbers(own_bench.read(topic)) == [1, 10], "a mark that was never committed counts for nothing"


async def test_a_wait_for_marks_does_not_hold_up_a_stop(bench: Bench, publisher: KafkaPublisher) -> None:
    topic = bench.topic("events")
    other = _holding_marks_open(bench, topic, bench.prefix + "relay")
    try:
        waiting = asyncio.create_task(publisher.publish([record(topic, 1)]))
        await asyncio.sleep(1)
        started = time.monotonic()
        await publisher.stop()
        assert time.monotonic() - started < 5
        with pytest.raises(BrokerAway):
            await asyncio.wait_for(waiting, 5)
    finally:
        other.discard()


async def test_a_taking_over_that_takes_too_long_says_what_it_waits_for(
    mortal_node: kafka.Node, mortal_bench: Bench, short_waits: None
) -> None:
    producer = clients.producer(mortal_bench.endpoint, mortal_bench.prefix + "relay")
    mortal_node.pause()
    try:
        with pytest.raises(KafkaTimeoutError, match=clients.UNFOUND):
            producer.take_over()
    finally:
        mortal_node.go_on()
        producer.discard()


def test_a_group_that_is_not_ready_is_named_with_the_remedy() -> None:
    """As a broker answers for a partition of __consumer_offsets that it failed to load: until its restart."""

    class NotReady:
        def stored(self, part: TopicPartition, limit_ms: int) -> None:
            raise NotCoordinatorError

    with pytest.raises(BrokerAway, match=r"simpul\.relay.*Failed to load metadata.*restart that broker"):
        marks._settled(NotReady(), None, "simpul.relay", "simpul.events")  # type: ignore[arg-type]


def test_a_timer_of_the_library_is_told_without_its_none() -> None:
    assert (
        str(told(KafkaTimeoutError(None), "reading")) == "reading: the broker does not answer (KafkaTimeout)"
    )
