"""The library's sender while its broker is away: it waits without computing. The last file here, since nobody
needs the broker after it: one that was killed takes twice as long to start as a new one."""

from __future__ import annotations

from hub.bus.kafka import clients
from tests.bus.kafka_broker.brokerwork import Bench, rounds_in_vain
from tests.parts import kafka

AWAY_S = 1.0
ROUNDS = 300
"""In AWAY_S; a sender that computes all the time makes tens of thousands."""


def test_a_sender_whose_broker_is_away_does_not_compute(
    mortal_node: kafka.Node, mortal_bench: Bench, producer: clients.Producer
) -> None:
    """It looked again without a pause, and took a whole processor until the broker was back."""
    topic = mortal_bench.topic("events")
    producer.begin_transaction()
    producer.send(topic, b"1").get(5)
    mortal_node.kill()
    assert 0 < rounds_in_vain(producer, topic, AWAY_S) < ROUNDS
