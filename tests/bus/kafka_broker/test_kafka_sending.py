"""What the library's sender does while a broker it needs does not take its connection: it forgets nothing."""

from __future__ import annotations

import threading

import pytest
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from hub.bus.kafka import clients
from tests.bus.kafka_broker.brokerwork import Bench, numbers

FAILURES = 5
"""The pause is near a second then."""


def out_of_reach(producer: clients.Producer) -> None:
    """As after a broker's death: the connection is gone, and the next one is to be tried after a pause."""
    sender, cut = producer._sender, threading.Event()
    node = producer._transaction_manager._transaction_coordinator

    def cut_off() -> None:
        del sender.run_once
        for _ in range(FAILURES):
            sender._client._manager.update_backoff(node)
        sender._client.close(node)
        cut.set()

    sender.run_once = cut_off
    sender.wakeup()
    assert cut.wait(5)


@pytest.mark.parametrize("step", ["partition", "marks", "end"])
def test_a_request_whose_coordinator_is_out_of_reach_waits_for_it(
    mortal_bench: Bench, producer: clients.Producer, step: str
) -> None:
    """It was forgotten: the batch waited in vain until its time was over, and then all began anew."""
    topic = mortal_bench.topic("events")
    producer.begin_transaction()
    for at in ("partition", "marks", "end"):
        if step == at:
            out_of_reach(producer)
        if at == "partition":
            sent = producer.send(topic, b"1")
            producer.flush(5)
            assert sent.succeeded()
        elif at == "marks":
            marks = {TopicPartition(topic, 0): OffsetAndMetadata(1, "awal", -1)}
            producer.add_offsets_within(marks, mortal_bench.prefix + "relay", 5_000)
        else:
            producer.commit_within(5_000)
    assert numbers(mortal_bench.read(topic)) == [1]
