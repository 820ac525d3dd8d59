"""`simpul rebuild` and `rebuild --check` on SQLite: the log is folded into the database itself, or into a
scratch file that is then compared."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from hub.ports.store import ReadSession, WriteTransaction
from hub.store.migrate import migrate
from hub.store.projections import drop_trimmed, empty, first_difference
from hub.store.reading import SqliteSession
from hub.store.sqlite import SqliteStore
from hub.store.writing import SqliteTransaction

Fold = Callable[[ReadSession, WriteTransaction], int]
"""Reads the log from the session, writes the projections into the transaction; the number of events."""


def rebuild_in_place(store: SqliteStore, fold: Fold) -> int:
    """One transaction: either the tables are made anew or nothing happened."""
    with store.writing() as connection:
        empty(connection)
        events = fold(SqliteSession(connection), SqliteTransaction(connection))
        drop_trimmed(connection)
        return events


def check_rebuild(store: SqliteStore, fold: Fold) -> tuple[int, str | None]:
    """(number of events, first difference or None). Reads one snapshot; the hub may run meanwhile."""
    with tempfile.TemporaryDirectory(prefix="rebuild-", dir=store.path.parent) as folder:
        path = Path(folder) / "rebuilt.db"
        migrate(path)
        with store.connection() as stored:
            scratch = sqlite3.connect(path, isolation_level=None)
            try:
                scratch.execute("PRAGMA synchronous = OFF")
                scratch.execute("BEGIN")
                events = fold(SqliteSession(stored), SqliteTransaction(scratch))
                scratch.execute("COMMIT")
                return events, first_difference(stored, scratch)
            finally:
                scratch.close()
