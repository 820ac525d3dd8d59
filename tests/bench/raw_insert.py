"""The batched insert of the very rows that the hub wrote: same tables, indexes, batch sizes and fsyncs, and
nothing else. python -m tests.bench.raw_insert HUB_DATABASE RAW_DATABASE AFTER_POSITION"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from hub.service.writer import BULK_CHUNK
from hub.store.sqlite.store import SqliteStore

Rows = list[tuple[Any, ...]]
BY_STREAM: Final = {"stream_keys": 0, "identities": 0, "cases": 0, "case_agencies": 1, "case_references": 2}
"""Tables with rows of a case, and the column that names it."""


def main() -> None:
    hub, raw, after = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    with sqlite3.connect(hub) as source:
        _same_schema(source, raw)
        batches = list(_batches(source, after))
    store = SqliteStore(raw)
    store.start_checkpoints()
    cpu_s, began = time.process_time(), time.monotonic()
    for batch in batches:
        with store.writing() as connection:
            for statement, rows in batch:
                connection.executemany(statement, rows)
    seconds, used = time.monotonic() - began, time.process_time() - cpu_s
    store.close()
    count = sum(len(batch[0][1]) for batch in batches)
    result = {"good": count, "seconds": seconds, "rate": count / seconds, "cpu_us": used / count * 1e6}
    sys.stdout.buffer.write(orjson.dumps(result))


def _same_schema(source: sqlite3.Connection, raw: Path) -> None:
    if raw.exists():
        return
    query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'index'"
    statements = [row[0] for row in source.execute(query)]
    with sqlite3.connect(raw) as target:
        for statement in statements:
            target.execute(statement)


def _batches(source: sqlite3.Connection, after: int) -> Iterator[list[tuple[str, Rows]]]:
    """Of each batch its statements with their rows, in the hub's own order and batch size."""
    log = source.execute("SELECT * FROM log WHERE position > ? ORDER BY position", (after,)).fetchall()
    streams = {row[1] for row in log}
    by_case = {table: _grouped(source, table, column, streams) for table, column in BY_STREAM.items()}
    boxes: dict[int, Rows] = {}
    for row in source.execute("SELECT * FROM mailbox WHERE event > ?", (after,)):
        boxes.setdefault(row[2], []).append(row)
    for first in range(0, len(log), BULK_CHUNK):
        events = log[first : first + BULK_CHUNK]
        mailbox = [row for event in events for row in boxes.get(event[0], [])]
        heads = list({row[0]: row[1] for row in mailbox}.items())
        tables = [
            ("INSERT INTO", table, [row for event in events for row in rows.get(event[1], [])])
            for table, rows in by_case.items()
        ]
        tables = [("INSERT INTO", "log", events), *tables, ("INSERT INTO", "mailbox", mailbox)]
        yield [
            _insert(*table) for table in (*tables, ("INSERT OR REPLACE INTO", "mailboxes", heads)) if table[2]
        ]


def _grouped(source: sqlite3.Connection, table: str, column: int, streams: set[str]) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for row in source.execute(f"SELECT * FROM {table}"):
        if row[column] in streams:
            found.setdefault(row[column], []).append(row)
    return found


def _insert(verb: str, table: str, rows: Sequence[tuple[Any, ...]]) -> tuple[str, Rows]:
    return f"{verb} {table} VALUES ({', '.join('?' * len(rows[0]))})", list(rows)


if __name__ == "__main__":
    main()
