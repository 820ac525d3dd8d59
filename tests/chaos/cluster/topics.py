"""The topics as they stand at the end: read once from their beginning, and held against mailboxes and log."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from kafka import KafkaConsumer, TopicPartition

from tests.chaos.checks import Entry

REPLY: Final = "id.simpul.reply.v1"


@dataclass(frozen=True)
class Record:
    """`position`: of the mailbox or the log; None for an answer."""

    partition: int
    offset: int
    id: str
    type: str
    subject: str
    sequence: str
    position: int | None
    correlation: str | None
    data: Any


def read(
    bootstrap: str, topic: str, enough: Callable[[Sequence[Record]], bool], patience_s: float
) -> list[Record]:
    """Every committed record, until there are enough, or none more come for `patience_s`."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        bootstrap_timeout_ms=15_000,
        max_poll_records=5000,
    )
    found: list[Record] = []
    try:
        parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or (0,)]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        deadline = time.monotonic() + patience_s
        while not enough(found) and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=300).values():
                found += [_record(record) for record in records]
                deadline = time.monotonic() + patience_s
    finally:
        consumer.close()
    return found


def _record(record: Any) -> Record:
    headers = {name: value.decode() for name, value in record.headers}
    position = headers.get("simpul-position")
    kind = headers["ce_type"]
    return Record(
        record.partition,
        record.offset,
        headers["ce_id"],
        kind,
        headers.get("ce_subject", ""),
        headers.get("ce_sequence", ""),
        int(position) if position else None,
        headers.get("ce_correlationid"),
        orjson.loads(record.value) if kind == REPLY else None,
    )


def firsts(records: Sequence[Record]) -> tuple[list[Record], int]:
    """Each positioned event as it came first, in the order of the topic's partitions, and the repeats."""
    seen: dict[str, Record] = {}
    placed = [record for record in records if record.position is not None]
    for record in sorted(placed, key=lambda record: (record.partition, record.offset)):
        seen.setdefault(record.id, record)
    return list(seen.values()), len(placed) - len(seen)


def order(topic: str, records: Sequence[Record]) -> Iterator[str]:
    """Positions rise within a partition, sequences within a subject; a subject stays in one partition, a
    repeat has the same position."""
    known: dict[str, int] = {}
    for record in records:
        if record.position is not None and known.setdefault(record.id, record.position) != record.position:
            yield f"{topic}: event {record.id} came with two positions"
    last: dict[int, int] = defaultdict(int)
    sequences, partitions = dict[str, str](), dict[str, int]()
    for record in firsts(records)[0]:
        if record.position <= last[record.partition]:  # type: ignore[operator]
            yield f"{topic}: position {record.position} stands after {last[record.partition]}"
        last[record.partition] = record.position or 0
        if not sequences.get(record.subject, "") < record.sequence:
            yield f"{topic}: {record.subject} came out of order at {record.sequence}"
        sequences[record.subject] = record.sequence
        if partitions.setdefault(record.subject, record.partition) != record.partition:
            yield f"{topic}: {record.subject} lies in two partitions"


def same_as_mailbox(topic: str, records: Sequence[Record], entries: Sequence[Entry]) -> Iterator[str]:
    """The topic holds each mailbox entry at its position, and nothing else."""
    there = {record.position: record.id for record in firsts(records)[0]}
    due = {entry.position: entry.id for entry in entries}
    missing = sorted(due.keys() - there.keys())
    if missing:
        yield f"{topic}: {len(missing)} of {len(due)} entries never came, the first is {missing[0]}"
    wrong = [position for position, event in there.items() if due.get(position) != event]
    yield from (f"{topic}: position {position} holds another event than the mailbox" for position in wrong)


def contiguous(topic: str, records: Sequence[Record], last: int) -> Iterator[str]:
    """Every position of the log from 1 to `last`."""
    there = {record.position for record in records}
    missing = [position for position in range(1, last + 1) if position not in there]
    if missing:
        yield f"{topic}: {len(missing)} of {last} positions never came, the first is {missing[0]}"


def replies(records: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    """Correlation id -> every answer."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        if record.type == REPLY and record.correlation is not None:
            found[record.correlation].append(record.data)
    return found
