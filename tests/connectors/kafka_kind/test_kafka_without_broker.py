"""A connector's producer while the broker is away: it waits without computing. The last file here, since
nobody needs the broker after it."""

from __future__ import annotations

from connectors.broker.clients import Endpoint, close
from connectors.broker.settings import Kafka
from hub.bus.kafka import rights
from hub.ports.broker import Reader
from tests.bus.kafka_broker.brokerwork import Bench, rounds_in_vain
from tests.bus.kafka_broker.tokens import Issuer
from tests.parts import kafka

AWAY_S = 1.0
ROUNDS = 300
"""In AWAY_S; a sender that computes all the time makes tens of thousands."""


def test_a_producer_whose_broker_is_away_does_not_compute(mortal_node: kafka.Node, prefix: str) -> None:
    issuer = Issuer()
    issuer.publish(mortal_node)
    with Bench(mortal_node.bootstrap, prefix) as bench:
        topic = bench.topic("inbound.kotim")
        wanted = rights.wanted(prefix, [Reader("kotim", "kotim")])
        bench.admin.create_acls([rights.rule(right) for right in wanted])
        given = Kafka(bootstrap=mortal_node.agency_bootstrap, tls=False)
        producer = Endpoint(given, "kotim", lambda: issuer.token("kotim")).producer()
        try:
            producer.send(topic, b"1").get(5)
            mortal_node.kill()
            assert 0 < rounds_in_vain(producer, topic, AWAY_S) < ROUNDS
        finally:
            close(producer)
