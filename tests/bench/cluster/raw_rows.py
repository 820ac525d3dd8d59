"""The batched insert on PostgreSQL of the very rows that the hub wrote: same tables, indexes, batch sizes and
fsyncs, and nothing else. Job on standard input: `hub` and `raw` (URLs), `after` (position), `method`
(executemany, pipelined: one round trip a batch; or copy, binary), `pids` of the server."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
import psycopg

from hub.service.writer import BULK_CHUNK
from tests.bench import machine

Rows = list[tuple[Any, ...]]
Batch = list[tuple[str, Rows]]
BY_STREAM: Final = {
    "stream_keys": "stream",
    "identities": "case_id",
    "cases": "id",
    "case_agencies": "case_id",
    "case_references": "case_id",
}
"""Tables with rows of a case, and the column that names it."""
HEADS: Final = "INSERT INTO mailboxes VALUES (%s, %s) ON CONFLICT (agency) DO UPDATE SET head = excluded.head"


def main() -> None:
    job = orjson.loads(sys.stdin.buffer.read())
    with psycopg.connect(job["hub"]) as source:
        batches = list(_batches(source, job["after"]))
    insert = {"executemany": _executemany, "copy": _copy}[job["method"]]
    with psycopg.connect(job["raw"], autocommit=True) as connection:
        types = {table: _types(connection, table) for table, _ in batches[0]}
        cpu_s, began = _cpu_s(job["pids"]), time.monotonic()
        for batch in batches:
            insert(connection, batch, types)
        seconds, used = time.monotonic() - began, _cpu_s(job["pids"]) - cpu_s
    count = sum(len(rows) for batch in batches for table, rows in batch if table == "log")
    result = {"good": count, "seconds": seconds, "rate": count / seconds, "cpu_us": used / count * 1e6}
    sys.stdout.buffer.write(orjson.dumps(result))


def _cpu_s(pids: Sequence[int]) -> float:
    return time.process_time() + sum(machine.cpu_s(pid) for pid in pids)


def _batches(source: psycopg.Connection[Any], after: int) -> Iterator[Batch]:
    """Of each batch its tables with their rows, in the hub's own order and batch size."""
    log = _read(source, "SELECT * FROM log WHERE position > %s ORDER BY position", after)
    streams = "SELECT stream FROM log WHERE position > %s"
    by_case = {
        table: _grouped(_read(source, f"SELECT {key}, t.* FROM {table} t WHERE {key} IN ({streams})", after))
        for table, key in BY_STREAM.items()
    }
    boxes = _grouped(_read(source, "SELECT event, t.* FROM mailbox t WHERE event > %s", after))
    for first in range(0, len(log), BULK_CHUNK):
        events = log[first : first + BULK_CHUNK]
        mailbox = [row for event in events for row in boxes.get(event[0], [])]
        tables = {
            table: [row for event in events for row in rows.get(event[1], [])]
            for table, rows in by_case.items()
        }
        heads: Rows = list({row[0]: (row[0], row[1]) for row in mailbox}.values())
        tables = {"log": events} | tables | {"mailbox": mailbox, "mailboxes": heads}
        yield [(table, rows) for table, rows in tables.items() if rows]


def _read(source: psycopg.Connection[Any], query: str, after: int) -> Rows:
    return source.execute(query, (after,)).fetchall()


def _grouped(rows: Rows) -> dict[Any, Rows]:
    """By the first column, which is then left out."""
    found: dict[Any, Rows] = {}
    for key, *row in rows:
        found.setdefault(key, []).append(tuple(row))
    return found


def _types(connection: psycopg.Connection[Any], table: str) -> list[int]:
    described = connection.execute(f"SELECT * FROM {table} LIMIT 0").description
    return [column.type_code for column in described or ()]


def _executemany(connection: psycopg.Connection[Any], batch: Batch, types: dict[str, list[int]]) -> None:
    with connection.pipeline(), connection.transaction():
        for table, rows in batch:
            places = ", ".join(["%b"] * len(types[table]))
            statement = HEADS if table == "mailboxes" else f"INSERT INTO {table} VALUES ({places})"
            with connection.cursor() as cursor:
                cursor.executemany(statement, rows)


def _copy(connection: psycopg.Connection[Any], batch: Batch, types: dict[str, list[int]]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        for table, rows in batch:
            if table == "mailboxes":
                cursor.executemany(HEADS, rows)
                continue
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(types[table])
                for row in rows:
                    copy.write_row(row)


if __name__ == "__main__":
    main()
