"""Rows carried from one database to another, whichever engines they are on: backups, restores, a move."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import Boolean, Table

from hub.store.dialect import Dialect
from hub.store.tables import ENDED, PROJECTIONS, metadata

CHUNK: Final = 1000
CHUNK_BYTES: Final = 4 * 1024 * 1024
"""Of texts and bytes: a thousand long complaints would be a hundred megabytes."""
KEPT: Final[tuple[Table, ...]] = tuple(
    table for table in metadata.sorted_tables if table not in (*PROJECTIONS, *ENDED)
)
"""What a backup holds: everything that no rebuild could make again, and that outlives a restore."""

Row = Sequence[Any]


def walk(connection: Any, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Any]:
    """The rows of a SELECT, in bounded memory. The connection must not be used until it is through."""
    stream = getattr(connection, "walk", connection.execute)
    return iter(stream(statement, parameters))


def columns(table: Table) -> str:
    """Quoted, since `partition` and the like are words of SQL."""
    return ", ".join(f'"{column.name}"' for column in table.columns)


def keys(table: Table, direction: str = "") -> str:
    """The columns of the primary key, quoted, each in `direction`."""
    return ", ".join(f'"{column.name}" {direction}'.strip() for column in table.primary_key.columns)


def copy_rows(source: Any, target: Any, dialect: Dialect, table: Table) -> int:
    """Every row of a table, in the order of its key, into the target's table, which is empty; how many.
    `dialect` is the target's; it is within the caller's transaction on both sides."""
    rows = walk(source, f"SELECT {columns(table)} FROM {table.name} ORDER BY {keys(table)}")  # noqa: S608
    insert, flags, count = dialect.insert(table, ""), _flags(table), 0
    while chunk := list(islice(rows, CHUNK)):
        insert.run(target, [fitting(row, flags) for row in chunk] if flags else chunk)
        count += len(chunk)
    return count


def chunks_after(source: Any, table: Table, after: Row | None) -> Iterator[list[Row]]:
    """The rows of SQLite's table whose key comes after `after` (None: all), in the order of their keys, ready
    for the other engine; each list is bounded in rows and in bytes."""
    marks = ", ".join("?" for _ in table.primary_key.columns)
    where = f"WHERE ({keys(table)}) > ({marks})" if after is not None else ""
    statement = f"SELECT {columns(table)} FROM {table.name} {where} ORDER BY {keys(table)}"  # noqa: S608
    flags, chunk, size = _flags(table), list[Row](), 0
    for row in walk(source, statement, tuple(after or ())):
        chunk.append(fitting(row, flags) if flags else row)
        size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
        if len(chunk) >= CHUNK or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def last_key(connection: Any, table: Table) -> Row | None:
    """The greatest key in the table; None when it is empty."""
    found: Row | None = connection.execute(
        f"SELECT {keys(table)} FROM {table.name} ORDER BY {keys(table, 'DESC')} LIMIT 1"  # noqa: S608
    ).fetchone()
    return found


def compare(source: Any, target: Any, table: Table, unlike: Collection[str] = ()) -> tuple[int, str | None]:
    """(rows that are the same on both sides, the first difference in words or None): both tables are walked
    in the order of their keys, and every column compared. `unlike` are first key columns to pass over."""
    statement = f"SELECT {columns(table)} FROM {table.name} ORDER BY {keys(table)}"  # noqa: S608
    lefts, rights = _without(walk(source, statement), unlike), _without(walk(target, statement), unlike)
    count = 0
    for left in lefts:
        right = next(rights, None)
        if right is None or tuple(left) != tuple(right):
            return count, _difference(table, left, right)
        count += 1
    right = next(rights, None)
    return count, None if right is None else _difference(table, None, right)


def _without(rows: Iterator[Row], unlike: Collection[str]) -> Iterator[Row]:
    return (row for row in rows if row[0] not in unlike) if unlike else rows


def _difference(table: Table, left: Row | None, right: Row | None) -> str:
    """Both are in the order of their keys, so of two different rows the one that comes first stands alone."""
    if left is None or (right is not None and _key(table, right) < _key(table, left)):
        return f"{table.name}: the row {described(table, right or ())} is there, but not in the source"
    if right is None or _key(table, left) < _key(table, right):
        return f"{table.name}: the row {described(table, left)} is missing"
    names = [c.name for c, one, other in zip(table.columns, left, right, strict=True) if one != other]
    return f"{table.name}: the row {described(table, left)} differs in {', '.join(names)}"


def _key(table: Table, row: Row) -> list[Any]:
    """The primary key's values, in its own order."""
    names = [column.name for column in table.columns]
    return [row[names.index(column.name)] for column in table.primary_key.columns]


def described(table: Table, row: Row) -> str:
    """A row by its key alone: what else it holds may be personal."""
    pairs = zip(table.primary_key.columns, _key(table, row), strict=True)
    return ", ".join(
        f"{column.name}={value.hex() if isinstance(value, bytes) else value}" for column, value in pairs
    )


def _flags(table: Table) -> list[int]:
    return [place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean)]


def fitting(row: Sequence[Any], flags: Sequence[int]) -> list[Any]:
    """SQLite keeps true and false as 1 and 0; PostgreSQL tells them apart."""
    values = list(row)
    for place in flags:
        values[place] = None if values[place] is None else bool(values[place])
    return values
