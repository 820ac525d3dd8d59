"""PostgreSQL by psycopg 3."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
from psycopg.types.string import TextLoader

from connectors.dialects.base import (
    GRANT,
    LOOK_UP,
    NO_COLUMN,
    NO_ROW_MEANT,
    NO_TABLE,
    NOT_UNDERSTOOD,
    Dialect,
)
from connectors.errors import ConnectorError, DatabaseAway, LoginRefused, StatementRefused

_AS_TEXT = ("date", "time", "timetz", "timestamp", "timestamptz", "uuid", "numeric", "json", "jsonb")

_LOGIN_REFUSED = {
    "authentication failed": "the user and the password",
    "no password supplied": "the user and the password",
    "no pg_hba.conf entry": "the user",
    "is not permitted to log in": "the user",
    "permission denied for database": "the database's name or the user",
    "does not exist": "the database's name or the user",
}
"""What to mend, by the server's words: while a connection is made the driver gives no code."""
_NO_ROW_MEANT = "23503"
_WORDS = {
    "42501": GRANT,
    "42703": NO_COLUMN,
    "42P01": NO_TABLE,
    "42601": NOT_UNDERSTOOD,
    _NO_ROW_MEANT: NO_ROW_MEANT,
}


class PostgreSQL(Dialect):
    """Dates come as the text that the server prints in ISO style; infinity and years BC survive."""

    usual_port = 5432

    def connect(self, read_only: bool) -> Any:
        milliseconds = int(self.timeout_s * 1000)
        settings = f"-c statement_timeout={milliseconds} -c lock_timeout=5000 -c datestyle=ISO"
        if read_only:
            settings += " -c default_transaction_read_only=on"
        connection = psycopg.connect(
            host=self.address.host,
            port=self.address.port or self.usual_port,
            user=self.address.user or None,
            password=self.address.password or None,
            dbname=self.address.name,
            connect_timeout=5,
            autocommit=True,
            options=settings,
            keepalives_idle=30,
            tcp_user_timeout=milliseconds + 5000,
        )
        for name in _AS_TEXT:
            connection.adapters.register_loader(name, TextLoader)
        return connection

    def take_lock(self, connection: Any, lock_name: str) -> None:
        number = int.from_bytes(hashlib.sha256(lock_name.encode()).digest()[:8], "big", signed=True)
        held = getattr(connection, "simpul_lock", None)
        if held != number:
            self.execute(connection, "SELECT pg_advisory_lock(CAST(:number AS bigint))", {"number": number})
            connection.simpul_lock = number

    def is_driver_error(self, error: Exception) -> bool:
        return isinstance(error, psycopg.Error)

    def translate(self, error: Exception, connecting: bool) -> ConnectorError:
        if not isinstance(error, psycopg.Error):
            raise TypeError(f"{type(error).__name__} is not the driver's")
        said = error.diag.message_primary
        if connecting or isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            first_line = (
                (said or str(error)).strip().splitlines()[0] if (said or str(error)).strip() else "no answer"
            )
            where = f" ({self.place()})" if connecting else ""
            text = f"PostgreSQL{where} says: {first_line}"
            mend = next((what for words, what in _LOGIN_REFUSED.items() if words in first_line), None)
            if connecting and mend:
                return LoginRefused(text + self.mend_address(mend))
            nobody = connecting and "onnection refused" in first_line
            return DatabaseAway(text + (self.mend_place() if nobody else ""))
        where = f" (column {error.diag.column_name})" if error.diag.column_name else ""
        code = error.sqlstate or ""
        shown = said if said and (code[:2] in ("42", "25") or code == _NO_ROW_MEANT) else type(error).__name__
        text = f"PostgreSQL error {code}: {shown}{where}; {_WORDS.get(code, LOOK_UP)}"
        return StatementRefused(text, f"{shown}{where}")
