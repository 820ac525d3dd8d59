"""Rows carried from one database to another, whichever engines they are on: backups, restores, a move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import Boolean, Table

from hub.store.dialect import Dialect
from hub.store.tables import PROJECTIONS, metadata

CHUNK: Final = 1000
KEPT: Final[tuple[Table, ...]] = tuple(table for table in metadata.sorted_tables if table not in PROJECTIONS)
"""What a backup holds: everything that no rebuild could make again."""


def walk(connection: Any, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Any]:
    """The rows of a SELECT, in bounded memory. The connection must not be used until it is through."""
    stream = getattr(connection, "walk", connection.execute)
    return iter(stream(statement, parameters))


def columns(table: Table) -> str:
    """Quoted, since `partition` and the like are words of SQL."""
    return ", ".join(f'"{column.name}"' for column in table.columns)


def copy_rows(source: Any, target: Any, dialect: Dialect, table: Table) -> int:
    """Every row of a table, in the order of its key, into the target's table, which is empty; how many.
    `dialect` is the target's; it is within the caller's transaction on both sides."""
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    rows = walk(source, f"SELECT {columns(table)} FROM {table.name} ORDER BY {keys}")  # noqa: S608
    insert, flags, count = dialect.insert(table, ""), _flags(table), 0
    while chunk := list(islice(rows, CHUNK)):
        insert.run(target, [fitting(row, flags) for row in chunk] if flags else chunk)
        count += len(chunk)
    return count


def _flags(table: Table) -> list[int]:
    return [place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean)]


def fitting(row: Sequence[Any], flags: Sequence[int]) -> list[Any]:
    """SQLite keeps true and false as 1 and 0; PostgreSQL tells them apart."""
    values = list(row)
    for place in flags:
        values[place] = None if values[place] is None else bool(values[place])
    return values
