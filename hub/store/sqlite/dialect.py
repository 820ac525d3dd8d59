"""The dialect of SQLite: lists travel as one JSON parameter, many rows as VALUES."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import orjson
import sqlalchemy
from sqlalchemy import Table, insert
from sqlalchemy.dialects import sqlite

from hub.store.dialect import Dialect, Row

CORE: Final = sqlite.dialect(paramstyle="qmark")


class Insert:
    """An INSERT of many rows in one statement. `executemany` steps once a row and lets go of the
    interpreter's lock each time; one step for a whole batch does not. Statements exist for powers of two, so
    that a handful of them stays prepared."""

    _LARGEST = 256

    def __init__(self, table: Table, conflict: str) -> None:
        names = [column.name for column in table.columns]
        single = str(insert(table).compile(dialect=CORE, column_keys=names))
        self._head, self._row = single.split(" VALUES ", 1)
        self._tail = f" {conflict}" if conflict else ""
        self._texts: dict[int, str] = {}

    def run(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        start, left = 0, len(rows)
        while left:
            size = min(self._LARGEST, 1 << (left.bit_length() - 1))
            values = [value for row in rows[start : start + size] for value in row]
            connection.execute(self._text(size), values)
            start, left = start + size, left - size

    def _text(self, size: int) -> str:
        text = self._texts.get(size)
        if text is None:
            rows = ", ".join([self._row] * size)
            text = self._texts[size] = f"{self._head} VALUES {rows}{self._tail}"
        return text


class SqliteDialect:
    """Implements `hub.store.dialect.Dialect`."""

    name = "sqlite"
    core: sqlalchemy.Dialect = CORE
    texts = "(SELECT value AS one, key AS place FROM json_each(?)) AS wanted"
    pairs = "(SELECT value ->> 0 AS one, value ->> 1 AS other FROM json_each(?)) AS wanted"
    heads = (
        f"SELECT l.stream, l.sequence, l.chain FROM {texts} JOIN log AS l ON l.stream = wanted.one "  # noqa: S608
        "AND l.sequence = (SELECT max(h.sequence) FROM log AS h WHERE h.stream = wanted.one)"
    )
    locking = ""
    patience: tuple[str, ...] = ()
    now = "((julianday('now') - 2440587.5) * 86400.0)"

    def of_texts(self, values: Sequence[str]) -> tuple[Any, ...]:
        return (orjson.dumps(values).decode(),)

    def of_pairs(self, pairs: Sequence[tuple[str, str]]) -> tuple[Any, ...]:
        return (orjson.dumps(pairs).decode(),)

    def json_text(self, column: str, *path: str) -> str:
        return f"json_extract(CAST({column} AS TEXT), '$.{'.'.join(path)}')"

    def contains(self, text: str) -> str:
        return f"{text} LIKE ? ESCAPE '\\'"

    def through(self, index: str) -> str:
        return f"INDEXED BY {index}"

    def insert(self, table: Table, conflict: str) -> Insert:
        return Insert(table, conflict)


SQLITE: Final[Dialect] = SqliteDialect()
