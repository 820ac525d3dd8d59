"""`simpul rebuild` and `rebuild --check`: the log is folded into the database itself, or into a scratch file
of SQLite that is then compared row by row, whichever engine the database is on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hub.ports.store import ReadSession, WriteTransaction
from hub.store.leftovers import REBUILD, scratch_folder, sweep, working_folder
from hub.store.migrate import migrate
from hub.store.projections import drop_trimmed, empty, first_difference
from hub.store.reading import Session
from hub.store.sqlite.transaction import SQLITE_SQL
from hub.store.writing import Transaction

if TYPE_CHECKING:
    from hub.store.engines import AnyStore

Fold = Callable[[ReadSession, WriteTransaction], int]
"""Reads the log from the session, writes the projections into the transaction; the number of events."""


def rebuild_in_place(store: AnyStore, fold: Fold, still: Callable[[], None] = lambda: None) -> int:
    """One transaction: either the tables are made anew or nothing happened. `still`, asked before the commit,
    raises where the caller is no longer alone on the database."""
    if store.folder is not None:
        sweep(store.folder)
    with store.writing() as connection:
        for statement in store.dialect.patience:
            connection.execute(statement)
        empty(connection)
        events = fold(Session(connection, store.sql), Transaction(connection, store.sql))
        drop_trimmed(connection)
        still()
        return events


def check_rebuild(store: AnyStore, fold: Fold, beside: Path | None = None) -> tuple[int, str | None]:
    """(number of events, first difference or None). Reads one snapshot; the hub may run meanwhile. What it
    makes for that lies beside the database, or in the folder `beside` where that has none."""
    place = store.folder or beside
    sweep(place)
    with working_folder(REBUILD, scratch_folder(place)) as folder:
        path = folder / "rebuilt.db"
        migrate(path)
        with store.connection() as stored:
            scratch = sqlite3.connect(path, isolation_level=None)
            try:
                scratch.execute("PRAGMA synchronous = OFF")
                scratch.execute("BEGIN")
                events = fold(Session(stored, store.sql), Transaction(scratch, SQLITE_SQL))
                scratch.execute("COMMIT")
                return events, first_difference(stored, scratch)
            finally:
                scratch.close()
