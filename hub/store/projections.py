"""Projections as a whole: emptied before a rebuild, compared row by row after one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Table

from hub.domain.case import Case
from hub.domain.threads.thread import Thread
from hub.store.copying import walk
from hub.store.rows import case_from_row
from hub.store.tables import PROJECTIONS, cases
from hub.store.thread_rows import thread_from_row
from hub.store.thread_tables import threads

READ: Final[dict[str, Callable[[bytes, bytes | None], Case | Thread]]] = {
    cases.name: case_from_row,
    threads.name: thread_from_row,
}
NOT_DERIVED: Final = {"agencies": {"generation"}}
"""Columns in projections that the log does not determine."""


def empty(connection: Any) -> None:
    """Deletes every projected row, within the open transaction."""
    for table in PROJECTIONS:
        connection.execute(f"DELETE FROM {table.name}")  # noqa: S608  # our own table names


def drop_trimmed(connection: Any) -> None:
    """Deletes what a rebuild made again though it was trimmed by policy: trim points are no projection."""
    connection.execute(
        "DELETE FROM mailbox WHERE position < "
        "(SELECT first FROM mailbox_cursors AS marks WHERE marks.agency = mailbox.agency)"
    )


def first_difference(stored: Any, rebuilt: Any) -> str | None:
    """The first difference between the tables as they are and as the log makes them, in words; None if
    there is none."""
    first = _first_kept(stored)
    for table in PROJECTIONS:
        lefts, rights = _rows(stored, table, first), _rows(rebuilt, table, first)
        left, right = next(lefts, None), next(rights, None)
        while _same(table, left, right) and left is not None:
            left, right = next(lefts, None), next(rights, None)
        if not _same(table, left, right):
            return _sentence(table, left, right)
    return None


def _same(table: Table, left: dict[str, Any] | None, right: dict[str, Any] | None) -> bool:
    """Whether two rows say the same. A case or a thread that an older program wrote lacks members of its
    state that have their first value."""
    if left == right:
        return True
    if table.name not in READ or left is None or right is None:
        return False
    others = {name: (left[name], right[name]) for name in left if name not in ("state", "texts")}
    found = _read(table, left)
    same = found is not None and found == _read(table, right)
    return same and all(one == two for one, two in others.values())


def _read(table: Table, row: dict[str, Any]) -> Case | Thread | None:
    """None when it cannot be read, as after damage."""
    try:
        return READ[table.name](row["state"], row["texts"])
    except (KeyError, TypeError, ValueError):
        return None


def _rows(connection: Any, table: Table, first: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Without what was trimmed by policy: trim points are no projection."""
    names = [c.name for c in table.columns if c.name not in NOT_DERIVED.get(table.name, ())]
    keys = ", ".join(c.name for c in table.primary_key.columns)
    statement = f"SELECT {', '.join(names)} FROM {table.name} ORDER BY {keys}"  # noqa: S608
    for values in walk(connection, statement):
        row = dict(zip(names, values, strict=True))
        if table.name != "mailbox" or row["position"] >= first.get(row["agency"], 1):
            yield row


def _first_kept(connection: Any) -> dict[str, int]:
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
