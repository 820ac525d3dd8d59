"""Reads an app's rows in the order of a rising column: the statement and its pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.database import Rows, Session
from connectors.dialects.base import parameters_in
from connectors.errors import ConfigRefused, StatementRefused
from connectors.options import option
from connectors.rules import COLUMN
from connectors.statements import check_part, check_single
from connectors.wording import blame

_JOINED = re.compile(r"\bJOIN\s+(\w+)", re.IGNORECASE)
_TABLE = re.compile(r"^\w+(\.\w+)?$")


@dataclass(frozen=True, kw_only=True)
class Source:
    """[source]: the rows that are complaints. Give `table` and `key`, or a `query` of your own."""

    key: str = option(
        reason="the column with the app's own number of a report, in each row another; with the prefix it is "
        "the reference"
    )
    table: str = option("", reason="the table of reports")
    join: str = option(
        "", reason='further tables, such as "LEFT JOIN masyarakat ON masyarakat.nik = pengaduan.nik"'
    )
    where: str = option("", reason="which rows are meant, such as \"status <> 'draft'\"")
    query: str = option(
        "", reason="instead of table: a SELECT with `cursor > :cursor ORDER BY cursor LIMIT :limit` inside"
    )
    cursor: str = option("", reason="a unique column that only rises; default: the key")
    reference_prefix: str = option("", reason="put before the key, when one agency joins several apps")
    start_after: int | str = option(0, reason="rows up to this cursor value are left alone (an old backlog)")
    every_s: float = option(2.0, reason="how often new rows are looked for", minimum=0.05)
    page: int = option(500, reason="rows read at once; more than the window", minimum=2, maximum=10000)
    window: int = option(
        200, reason="rows read again each time, for auto-increment rows commit late", minimum=0
    )
    rescan_every_s: float = option(900.0, reason="pause between comparisons of all rows; 0: never", minimum=0)
    rescan_pause_s: float = option(0.5, reason="pause between two pages of a comparison", minimum=0)
    spool_limit: int = option(
        10000, reason="reading pauses while so many complaints wait for the hub", minimum=1
    )


def check_source(source: Source) -> None:
    """What one key alone cannot show."""
    if bool(source.table) == bool(source.query):
        raise ConfigRefused("source", "needs either table or query", "give one of the two")
    if source.table and not _TABLE.match(source.table):
        raise ConfigRefused(
            "source.table", f"{source.table!r} is no table name", "write table or schema.table"
        )
    if source.query and not {"cursor", "limit"} <= parameters_in(source.query):
        raise ConfigRefused(
            "source.query", "lacks :cursor or :limit", "add WHERE id > :cursor ORDER BY id LIMIT :limit"
        )
    check_single("source.query", source.query)
    for name in ("where", "join"):
        check_part(f"source.{name}", getattr(source, name))
    for name in ("key", "cursor"):
        value = getattr(source, name)
        if value and not COLUMN.match(value):
            raise ConfigRefused(
                f"source.{name}", f"{value!r} is no column name", "write column or table.column"
            )
    if source.page <= source.window:
        raise ConfigRefused(
            "source.page", "is not larger than the window", "give a page of at least window + 1"
        )


class RowReader:
    """Pages of rows after a cursor value. Rows come as configured column -> value."""

    def __init__(self, source: Source, columns: Mapping[str, str]) -> None:
        """`columns`: column -> the key of the configuration that names it."""
        self.key = source.key
        self.cursor = source.cursor or source.key
        self._table = source.table
        self._names = list(dict.fromkeys([self.key, self.cursor, *columns]))
        self._keys = _keys(source, columns)
        self._own_query = bool(source.query)
        self.statement = source.query or self._select(source)

    def page(self, session: Session, after: Any, limit: int) -> Rows:
        """At most `limit` rows whose cursor is greater than `after`, in its order."""
        try:
            return self._page(session, after, limit)
        except Exception as error:
            refused = session.as_refusal(error)
            if refused is None:
                raise
            raise blame(refused, self._keys, self._table) from error

    def _page(self, session: Session, after: Any, limit: int) -> Rows:
        parameters = {"cursor": after, "limit": limit}
        if not self._own_query:
            found = session.tuples(self.statement, parameters)
            return [dict(zip(self._names, row, strict=True)) for row in found]
        rows = session.rows(self.statement, parameters)
        missing = [name for name in self._names if rows and name not in rows[0]]
        if missing:
            raise StatementRefused(
                f"source.query gives no column {missing[0]!r}, which the configuration names"
            )
        return rows

    def _select(self, source: Source) -> str:
        cursor = qualified(self.cursor, source.table)
        names = [qualified(self.key, source.table) if name == self.key else name for name in self._names]
        names = [cursor if name == self.cursor else name for name in names]
        where = f" AND ({source.where})" if source.where else ""
        return (
            f"SELECT {', '.join(names)} FROM {source.table} {source.join} "  # noqa: S608 (checked names, own configuration)
            f"WHERE {cursor} > :cursor{where} ORDER BY {cursor} LIMIT :limit"
        )


def _keys(source: Source, columns: Mapping[str, str]) -> dict[str, str]:
    """Every name that the statement holds -> its key."""
    keys = dict(columns)
    for key in ("join", "table", "cursor", "key"):
        name = getattr(source, key)
        if key == "join":
            keys |= dict.fromkeys(_JOINED.findall(name), "[source] join")
        elif name:
            keys[name] = f"[source] {key}"
    return keys


def qualified(column: str, table: str) -> str:
    """The column as the statement names it."""
    return column if "." in column else f"{table}.{column}"
