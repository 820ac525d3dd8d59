"""The dialect of PostgreSQL: lists travel as arrays, many rows as one INSERT from `unnest`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import sqlalchemy
from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects import postgresql

from hub.store.dialect import Dialect, Row
from hub.store.postgres.arrays import bigs, blobs, flags, floats, texts

_KINDS: Final[dict[type[Any], tuple[str, Callable[[Iterable[Any]], bytes]]]] = {
    Text: ("text[]", texts),
    LargeBinary: ("bytea[]", blobs),
    Integer: ("bigint[]", bigs),
    BigInteger: ("bigint[]", bigs),
    Float: ("float8[]", floats),
    Boolean: ("boolean[]", flags),
}
"""A column's type -> the array's type, and what packs it. A number that is too large for its column is
refused by the server when it is assigned."""


class Insert:
    """An INSERT of any number of rows: one array a column."""

    def __init__(self, table: Table, conflict: str) -> None:
        kinds = [_KINDS[type(column.type)] for column in table.columns]
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        arrays = ", ".join(f"?::{array}" for array, _ in kinds)
        self._text = f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays}) {conflict}".strip()  # noqa: S608
        self._packers = [packer for _, packer in kinds]

    def run(self, connection: Any, rows: Sequence[Row]) -> None:
        if rows:
            columns = zip(*rows, strict=True)
            packed = [packer(values) for packer, values in zip(self._packers, columns, strict=True)]
            connection.execute(self._text, packed)


class Together:
    """Stands in for a connection: what INSERTs would send to it goes as one statement, a part of WITH each.
    For a single complaint the driver's work on each of ten statements is most of the transaction."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._values: list[bytes] = []

    def execute(self, statement: str, values: Sequence[bytes]) -> None:
        self._texts.append(statement)
        self._values += values

    def send(self, connection: Any) -> None:
        if self._texts:
            connection.execute(_joined(tuple(self._texts)), self._values)
        self._texts, self._values = [], []


@lru_cache(maxsize=256)
def _joined(statements: tuple[str, ...]) -> str:
    """No statement of them sees another's rows, and none needs to."""
    *others, last = statements
    parts = ", ".join(f"w{number} AS ({statement})" for number, statement in enumerate(others))
    return f"WITH {parts} {last}" if parts else last


class PostgresDialect:
    """Implements `hub.store.dialect.Dialect`."""

    name = "postgresql"
    core: sqlalchemy.Dialect = postgresql.dialect(paramstyle="qmark")  # type: ignore[no-untyped-call]
    texts = "unnest(?::text[]) WITH ORDINALITY AS wanted (one, place)"
    pairs = "unnest(?::text[], ?::text[]) AS wanted (one, other)"
    heads = (
        # LIMIT 1 over the index, however few rows the planner believes a stream to have
        "SELECT l.stream, l.sequence, l.chain FROM unnest(?::text[]) AS wanted (one) CROSS JOIN LATERAL "
        "(SELECT h.stream, h.sequence, h.chain FROM log AS h WHERE h.stream = wanted.one "
        "ORDER BY h.sequence DESC LIMIT 1) AS l"
    )
    locking = " FOR UPDATE"
    patience: tuple[str, ...] = (
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
    )
    now = "extract(epoch FROM clock_timestamp())::float8"

    def of_texts(self, values: Sequence[str]) -> tuple[Any, ...]:
        return (texts(values),)

    def of_pairs(self, pairs: Sequence[tuple[str, str]]) -> tuple[Any, ...]:
        return texts(one for one, _ in pairs), texts(other for _, other in pairs)

    def json_text(self, column: str, *path: str) -> str:
        return f"(convert_from({column}, 'UTF8')::json #>> '{{{','.join(path)}}}')"

    def contains(self, text: str) -> str:
        return f"{text} COLLATE \"C\" ILIKE ? ESCAPE '\\'"

    def through(self, index: str) -> str:
        """Its statistics know each index's size."""
        return ""

    def insert(self, table: Table, conflict: str) -> Insert:
        return Insert(table, conflict)


POSTGRES: Final[Dialect] = PostgresDialect()
