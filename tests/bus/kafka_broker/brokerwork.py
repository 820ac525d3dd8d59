"""What the tests of the broker do by themselves, past the adapter: topics, plain reading, records."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import InvalidReplicationFactorError, KafkaTimeoutError

from hub.bus.kafka.endpoint import BrokerListener
from hub.ports.broker import BrokerAway, InBatch, InRecord, Mark, Outcome, OutRecord, Publisher, Source
from tests.connectors.processes import eventually

PATIENCE_S = 60.0


class Bench:
    """A hand on the broker of a test."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.endpoint = BrokerListener(bootstrap)
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.admin: Any = None

    def __enter__(self) -> Bench:
        self.admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        return self

    def __exit__(self, *_: object) -> None:
        self.admin.close()

    def topic(self, name: str, partitions: int = 1, **configs: str) -> str:
        """A broker that a test paused answers before its controller gives it anything to keep."""
        full = self.prefix + name
        wanted = {"num_partitions": partitions, "replication_factor": -1, "configs": configs}

        def made() -> bool:
            try:
                self.admin.create_topics({full: wanted}, wait_for_metadata=True)
            except InvalidReplicationFactorError:
                return False
            return True

        eventually(made, f"{full} is made", PATIENCE_S)
        return full

    def partitions(self, topic: str) -> int:
        """Asked on a new connection: the broker may have been away."""
        with KafkaAdminClient(bootstrap_servers=self.bootstrap) as admin:
            return len(admin.describe_topics([topic])[0]["partitions"])

    def read(self, topic: str, committed: bool = True) -> list[Any]:
        """Every record of the topic, by partition and offset, with the library alone."""
        reader = KafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed" if committed else "read_uncommitted",
            enable_auto_commit=False,
            max_poll_records=5000,
        )
        try:
            parts = [TopicPartition(topic, number) for number in range(self.partitions(topic))]
            reader.assign(parts)
            reader.seek_to_beginning(*parts)
            ends = reader.end_offsets(parts, timeout_ms=10_000)
            found: list[Any] = []
            deadline = time.monotonic() + PATIENCE_S
            while any(reader.position(part) < ends[part] for part in parts):
                assert time.monotonic() < deadline, f"{topic} cannot be read to its end"
                for records in reader.poll(timeout_ms=200).values():
                    found += records
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            reader.close()


def rounds_in_vain(producer: Any, topic: str, seconds: float) -> int:
    """How often the producer's sender goes round while a record waits for a broker that is away."""
    sender, rounds = producer._sender, []
    once = sender.run_once
    sender.run_once = lambda: (rounds.append(None), once())
    producer.send(topic, b"2")
    with pytest.raises(KafkaTimeoutError):
        producer.flush(seconds)
    return len(rounds)


def record(topic: str, number: int, key: str = "kasus", size: int = 0, mark: bool = True) -> OutRecord:
    return OutRecord(
        topic,
        key.encode(),
        (("ce_id", str(number).encode()),),
        str(number).encode().ljust(size, b" "),
        Mark("awal", number) if mark else None,
    )


def numbers(found: Sequence[Any]) -> list[int]:
    """What `record` numbered, as it was read."""
    return [int(one.value) for one in found]


async def publish_all(
    publisher: Publisher, records: Sequence[OutRecord], patience_s: float = PATIENCE_S
) -> list[Outcome]:
    """As a relay does: the same again while the broker is away."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return await publisher.publish(records)
        except BrokerAway:
            assert time.monotonic() < deadline, "the broker did not come back"
            await asyncio.sleep(0.05)


async def read_until(
    source: Source, enough: Callable[[list[InRecord]], bool], patience_s: float = PATIENCE_S
) -> tuple[list[InRecord], list[InBatch]]:
    """Polls until the records are enough: they, and every batch."""
    found: list[InRecord] = []
    batches: list[InBatch] = []
    deadline = time.monotonic() + patience_s
    while not enough(found):
        assert time.monotonic() < deadline, f"only {len(found)} records came"
        try:
            batches.append(await source.poll())
        except BrokerAway:
            await asyncio.sleep(0.05)
            continue
        found += batches[-1].records
    return found, batches
