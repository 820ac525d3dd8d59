"""Projections as a whole: emptied before a rebuild, compared row by row after one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

from sqlalchemy import Table

from hub.store.tables import PROJECTIONS

NOT_DERIVED: Final = {"agencies": {"generation"}}
"""Columns in projections that the log does not determine."""


def empty(connection: sqlite3.Connection) -> None:
    """Deletes every projected row, within the open transaction."""
    for table in PROJECTIONS:
        connection.execute(f"DELETE FROM {table.name}")  # noqa: S608  # our own table names


def first_difference(stored: sqlite3.Connection, rebuilt: sqlite3.Connection) -> str | None:
    """The first difference between the tables as they are and as the log makes them, in words; None if
    there is none."""
    for table in PROJECTIONS:
        for left, right in zip_longest(_rows(stored, table), _rows(rebuilt, table, stored)):
            if left != right:
                return _sentence(table, left, right)
    return None


def _rows(
    connection: sqlite3.Connection, table: Table, trimmed: sqlite3.Connection | None = None
) -> Iterator[dict[str, Any]]:
    names = [c.name for c in table.columns if c.name not in NOT_DERIVED.get(table.name, ())]
    keys = ", ".join(c.name for c in table.primary_key.columns)
    cursor = connection.execute(f"SELECT {', '.join(names)} FROM {table.name} ORDER BY {keys}")  # noqa: S608
    first = _first_kept(trimmed) if trimmed is not None and table.name == "mailbox" else {}
    for values in cursor:
        row = dict(zip(names, values, strict=True))
        if table.name == "mailbox" and row["position"] < first.get(row["agency"], 1):
            continue  # trimmed by policy; trim points are no projection
        yield row


def _first_kept(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT agency, first FROM mailbox_cursors").fetchall())


def _sentence(table: Table, left: dict[str, Any] | None, right: dict[str, Any] | None) -> str:
    keys = [c.name for c in table.primary_key.columns]
    row = left or right or {}
    where = ", ".join(f"{name}={row[name]}" for name in keys)
    if left is None:
        return f"{table.name}: the row {where} is missing; the log has it."
    if right is None:
        return f"{table.name}: the row {where} is there, but nothing in the log makes it."
    differing = [name for name in left if left[name] != right.get(name)]
    return f"{table.name}: the row {where} differs from the log in {', '.join(differing)}."
