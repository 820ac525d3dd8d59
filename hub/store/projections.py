"""Projections as a whole: emptied before a rebuild, compared row by row after one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Table

from hub.store.tables import PROJECTIONS

NOT_DERIVED: Final = {"agencies": {"generation"}}
"""Columns in projections that the log does not determine."""


def empty(connection: sqlite3.Connection) -> None:
    """Deletes every projected row, within the open transaction."""
    for table in PROJECTIONS:
        connection.execute(f"DELETE FROM {table.name}")  # noqa: S608  # our own table names


def drop_trimmed(connection: sqlite3.Connection) -> None:
    """Deletes what a rebuild made again though it was trimmed by policy: trim points are no projection."""
    connection.execute(
        "DELETE FROM mailbox WHERE position < "
        "(SELECT first FROM mailbox_cursors AS marks WHERE marks.agency = mailbox.agency)"
    )


def first_difference(stored: sqlite3.Connection, rebuilt: sqlite3.Connection) -> str | None:
    """The first difference between the tables as they are and as the log makes them, in words; None if
    there is none."""
    for table in PROJECTIONS:
        lefts, rights = _rows(stored, table), _rows(rebuilt, table, stored)
        left, right = next(lefts, None), next(rights, None)
        while left == right and left is not None:
            left, right = next(lefts, None), next(rights, None)
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
    """Both are in the order of their keys, so of two different rows the one that comes first stands alone."""
    names = [c.name for c in table.primary_key.columns]

    def key(row: dict[str, Any]) -> list[Any]:
        return [row[name] for name in names]

    def where(row: dict[str, Any]) -> str:
        return f"{table.name}: the row " + ", ".join(f"{name}={row[name]}" for name in names)

    if right is not None and (left is None or key(right) < key(left)):
        return f"{where(right)} is missing; the log has it."
    if left is not None and (right is None or key(left) < key(right)):
        return f"{where(left)} is there, but nothing in the log makes it."
    differing = [name for name in left or {} if (left or {})[name] != (right or {}).get(name)]
    return f"{where(left or {})} differs from the log in {', '.join(differing)}."
