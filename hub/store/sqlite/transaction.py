"""The write transaction on SQLite: `BEGIN IMMEDIATE` takes the one write lock, which is every lock that the
port speaks of, keys, streams and the tail."""

from __future__ import annotations

import sqlite3

from hub.ports.effects import Effects
from hub.store.sqlite.dialect import SQLITE
from hub.store.sqlite.errors import translated
from hub.store.statements import Statements
from hub.store.writing import Transaction

SQLITE_SQL = Statements(SQLITE)


class SqliteTransaction(Transaction):
    """Made by `SqliteStore.begin`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection, SQLITE_SQL)

    def write(self, effects: Effects) -> None:
        with translated():
            super().write(effects)

    def commit(self) -> None:
        with translated():
            self._db.execute("COMMIT")

    def rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
