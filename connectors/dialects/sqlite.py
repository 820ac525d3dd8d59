"""SQLite by the standard library."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from connectors.dialects.base import LOOK_UP, NO_COLUMN, NO_TABLE, NOT_UNDERSTOOD, Dialect
from connectors.errors import ConnectorError, DatabaseAway, LoginRefused, StatementRefused

_WAITING_HELPS = ("locked", "busy", "unable to open", "disk i/o", "readonly database", "interrupted")
_WORDS = {
    "no such table": NO_TABLE,
    "no such column": NO_COLUMN,
    "has no column named": NO_COLUMN,
    "syntax error": NOT_UNDERSTOOD,
}


class SQLite(Dialect):
    """A file of another program: never created here, opened read-only for reading."""

    def connect(self, read_only: bool) -> sqlite3.Connection:
        uri = f"{Path(self.address.name).resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=min(self.timeout_s, 5), isolation_level=None, check_same_thread=False
        )
        connection.text_factory = _text
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        return connection

    def placeholders(self, statement: str) -> str:
        return statement

    def begin(self, connection: Any, lock_name: str) -> None:
        connection.execute("BEGIN IMMEDIATE")

    def take_lock(self, connection: Any, lock_name: str) -> None:
        """Nothing of a killed process runs on in SQLite; its transaction is rolled back by the next one."""

    def is_driver_error(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.Error)

    def translate(self, error: Exception, connecting: bool) -> ConnectorError:
        text = str(error)
        if "unable to open" in text:
            return DatabaseAway(
                f"the file {self.address.name} is not there or not readable; {self.address.setting} names it"
            )
        if "not a database" in text:
            mend = self.mend_address("the file's path")
            return LoginRefused(f"SQLite says of {self.address.name}: {text}{mend}")
        if connecting or any(words in text.lower() for words in _WAITING_HELPS):
            return DatabaseAway(f"SQLite says: {text}")
        remedy = next((words for said, words in _WORDS.items() if said in text), LOOK_UP)
        return StatementRefused(f"SQLite says: {text}; {remedy}", text)


def _text(raw: bytes) -> str:
    """Old apps write any bytes; what is not UTF-8 is marked, not fatal."""
    return raw.decode("utf-8", "replace")
