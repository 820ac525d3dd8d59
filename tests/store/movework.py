"""What the tests of a move share: rows in every table, all rows of a database, a move that is killed."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, Table

from hub.domain.events import NO_CHAIN, chain
from hub.store import copying, moving, tables
from hub.store.moving import MOVED, move
from hub.store.opening import open_store
from hub.store.postgres import connections
from hub.store.sqlite.dialect import SQLITE

KILLED = 9


def silent(table: str, rows: int) -> None:
    """No progress is told."""


def plain_rows(table: Table, count: int) -> list[tuple[Any, ...]]:
    if table is tables.log:
        return chained(
            [(f"case-{n % 4}", b"header %d" % n, None if n % 3 else b"sealed") for n in range(count)]
        )
    return [tuple(plain_value(column, n) for column in table.columns) for n in range(count)]


def plain_value(column: Any, number: int) -> Any:
    if isinstance(column.type, Boolean):
        return bool(number % 2)
    if isinstance(column.type, (Integer, BigInteger)):
        return number
    if isinstance(column.type, Float):
        return number + 0.1
    return b"\x00\xff%d" % number if isinstance(column.type, LargeBinary) else f"kata-{number}-Ä"


def chained(events: list[tuple[str, bytes, bytes | None]]) -> list[tuple[Any, ...]]:
    """Rows of the log whose hashes hold."""
    heads: dict[str, tuple[int, bytes]] = {}
    rows = []
    for position, (stream, header, sealed) in enumerate(events, 1):
        number, previous = heads.get(stream, (0, NO_CHAIN))
        heads[stream] = number + 1, chain(previous, header, sealed)
        rows.append((position, stream, number + 1, f"e-{position}", header, sealed, heads[stream][1]))
    return rows


def fill(connection: Any, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    connection.execute("BEGIN")
    for name, made in rows.items():
        SQLITE.insert(tables.metadata.tables[name], "").run(connection, made)
    connection.execute("COMMIT")


def everything_in(place: Path | str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, read by other means than the move's own."""
    found = {}
    with closing(sqlite3.connect(place) if isinstance(place, Path) else psycopg.connect(place)) as connection:
        for table in tables.metadata.sorted_tables:
            rows = connection.execute(f"SELECT {copying.columns(table)} FROM {table.name}").fetchall()  # type: ignore[arg-type]
            found[table.name] = sorted(map(tuple, rows), key=repr_of)
    found["facts"] = [row for row in found["facts"] if row[0] not in ("moved_to", "move_under_way")]
    return found


def repr_of(row: tuple[Any, ...]) -> str:
    return repr([int(value) if isinstance(value, bool) else value for value in row])


def say(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(statement).rowcount != 0  # type: ignore[arg-type]


def opens(place: Path | str) -> None:
    open_store(place, lambda known: None, migrates=False).close()


def killed_move(source: Path, target: str, moment: int) -> int:
    """A move in a process that ends, as by kill -9, before its nth statement to either database."""
    child = os.fork()
    if child == 0:
        left = moment

        def watched(plain: Any) -> Any:
            def execute(self: Any, *arguments: Any) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os._exit(KILLED)
                return plain(self, *arguments)

            return execute

        connections.Connection.execute = watched(connections.Connection.execute)  # type: ignore[method-assign]
        moving.keep_mark = watched(moving.keep_mark)
        try:
            move(source, target, silent)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def copied_so_far(target: str) -> int:
    with psycopg.connect(target) as connection:
        if connection.execute("SELECT to_regclass('log')").fetchone() == (None,):
            return 0
        return sum(
            connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # type: ignore[arg-type,index]
            for table in MOVED
        )
