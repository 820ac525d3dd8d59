"""The ministry's own topic, read from the broker as the hub's user."""

from __future__ import annotations

import time

from kafka import KafkaConsumer, TopicPartition

from tests.deploy.image.cluster import Cluster
from tests.deploy.image.engine import ImageTestFailed

WAIT_S = 30.0


def await_record(cluster: Cluster, agency: str, case: str) -> str:
    """The type of the first event about `case` on the agency's topic."""
    topic = f"simpul.agency.{agency}"
    consumer = KafkaConsumer(
        bootstrap_servers=cluster.broker,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username="hub",
        sasl_plain_password=cluster.broker_password,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise ImageTestFailed(f"The broker has no topic {topic}.")
        consumer.assign([TopicPartition(topic, number) for number in numbers])
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    if record.key == case.encode():
                        headers: dict[str, bytes] = dict(record.headers)
                        return headers.get("ce_type", b"?").decode()
    finally:
        consumer.close(timeout_ms=5000)
    raise ImageTestFailed(f"Nothing about case {case} came on {topic} within {WAIT_S:.0f} s.")
