"""kafka-python alone: reads what the hub's relay published, then produces the very same records (keys,
headers, values, order within each topic) into other topics, in pieces of each topic in turn as the relay
does. The clock runs from the first record to the last acknowledgement, or the last commit.

Job on standard input: `bootstrap`, `broker` (process id), and `ways`, each with a `name`, `topics` (from: to)
and a `transactional_id` or null."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from hub.bus.kafka import clients
from hub.delivery.relay_reading import TOGETHER
from tests.bench import machine

READ_WITHIN_S: Final = 120.0


def main() -> None:
    job = orjson.loads(sys.stdin.buffer.read())
    held = {source: _read(job["bootstrap"], source) for source in job["ways"][0]["topics"]}
    found = {way["name"]: _produce(job, way, held) for way in job["ways"]}
    sys.stdout.buffer.write(orjson.dumps(found))


def _produce(job: dict[str, Any], way: dict[str, Any], held: dict[str, list[Any]]) -> dict[str, Any]:
    transactions = way["transactional_id"] is not None
    producer = _producer(job["bootstrap"], way["transactional_id"])
    if transactions:
        producer.init_transactions()
    for target in way["topics"].values():
        producer.partitions_for(target)
    before, cpu_s, began = machine.cpu_s(job["broker"]), time.process_time(), time.monotonic()
    futures = []
    for piece in _pieces(held):
        if transactions:
            producer.begin_transaction()
        futures += [
            producer.send(way["topics"][source], record.value, key=record.key, headers=record.headers)
            for source, record in piece
        ]
        if transactions:
            producer.commit_transaction()
    producer.flush(60)
    seconds = time.monotonic() - began
    used, broker = time.process_time() - cpu_s, machine.cpu_s(job["broker"]) - before
    failed = [future.exception for future in futures if not future.succeeded()]
    producer.close(5)
    if failed:
        raise SystemExit(f"{len(failed)} records of {len(futures)} were not taken: {failed[0]!r}")
    return {
        "good": len(futures),
        "seconds": seconds,
        "rate": len(futures) / seconds,
        "cpu_us": (used + broker) / len(futures) * 1e6,
        "own_share": used / seconds,
        "broker_share": broker / seconds,
    }


def _producer(bootstrap: str, transactional_id: str | None) -> KafkaProducer:
    """The settings that the hub's own producer has."""
    return KafkaProducer(
        bootstrap_servers=bootstrap,
        transactional_id=transactional_id,
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        batch_size=128 * 1024,
        retry_backoff_ms=clients.RETRY_PAUSE_MS,
        max_request_size=clients.MAX_RECORD_BYTES,
        compression_type=None,
        metrics_enabled=False,
    )


def _pieces(held: dict[str, list[Any]]) -> Iterator[Sequence[tuple[str, Any]]]:
    """What makes a transaction: as much as the relay takes when all of these lag behind."""
    each = TOGETHER // len(held)
    for first in range(0, max(map(len, held.values())), each):
        yield [(source, one) for source, some in held.items() for one in some[first : first + each]]


def _read(bootstrap: str, topic: str) -> list[Any]:
    """Every committed record, by its position in the log or mailbox."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_poll_records=5000,
    )
    parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(parts)
    consumer.seek_to_beginning(*parts)
    ends, deadline = consumer.end_offsets(parts), time.monotonic() + READ_WITHIN_S
    found: list[Any] = []
    while any(consumer.position(part) < ends[part] for part in parts):
        if time.monotonic() > deadline:
            raise SystemExit(f"{topic}: {len(found)} records were read within {READ_WITHIN_S} s, not all")
        found += [record for records in consumer.poll(timeout_ms=300).values() for record in records]
    consumer.close()
    return sorted(found, key=lambda record: int(dict(record.headers)["simpul-position"]))


if __name__ == "__main__":
    main()
