"""MySQL and MariaDB by PyMySQL, with MyISAM tables in mind: no transaction is assumed to protect a write."""

from __future__ import annotations

import functools
import re
import ssl
from typing import Any

import pymysql
import pymysql.connections
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import conversions

from connectors.dialects.base import LOOK_UP, NO_COLUMN, NO_TABLE, NOT_TAKEN, NOT_UNDERSTOOD, Dialect
from connectors.errors import ConnectorError, DatabaseAway, LoginRefused, StatementRefused, ValueNotTaken
from connectors.values import raw_text

_AS_TEXT = (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME)
_CONVERSIONS = {code: how for code, how in conversions.items() if code not in _AS_TEXT}
_WORDS = {
    1044: "this user may not use this database; GRANT it",
    1045: "the server refuses this user and password",
    1049: "there is no database of this name",
    1054: NO_COLUMN,
    1064: NOT_UNDERSTOOD,
    1142: "this user lacks a right on the table, or there is no table of this name, of which the server says "
    "the same; compare the name, then GRANT the right",
    1143: "this user lacks a right on the column, or the table has no such column, of which the server says "
    "the same; compare the column's name, then GRANT the right",
    1146: NO_TABLE,
    1265: NOT_TAKEN,
    1366: "the column's character set cannot hold this text; make it utf8mb4",
    1406: "the column is too short for this text; make it longer, or TEXT",
    1698: "the server refuses this user and password",
    2003: "nothing answers at this address",
}
_WAITING_HELPS = {
    1040,
    1042,
    1053,
    1129,
    1203,
    1205,
    1213,
    1226,
    1317,
    1927,
    1969,
    2002,
    2003,
    2006,
    2013,
    2055,
    3024,
}
_NOT_ROLLED_BACK = 1196
_NOT_TAKEN, _NOBODY_THERE = 1265, 2003
_LOGIN_REFUSED = {
    1044: "the database's name or the user",
    1045: "the user and the password",
    1049: "the database's name",
    1698: "the user and the password",
}
"""What to mend, by the number with which the server does not let a connection in."""
_LISTED = re.compile(r"'((?:[^']|'')*)'")
_SHOWN = (1044, 1049, 1054, 1142, 1143, 1146, 1265)
"""Numbers of which the server names users, columns and tables and never a row's value."""


@functools.cache
def _tls_where_offered() -> ssl.SSLContext:
    """PyMySQL's own: it verifies nobody, as it has nobody's name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Connection(pymysql.connections.Connection):
    """PyMySQL uses TLS where the server offers it, and for that reads every certificate authority of this
    machine, none of which it then asks: 35 ms of processor time a connection."""

    def _create_ssl_ctx(self, sslp: object) -> ssl.SSLContext:
        return _tls_where_offered()


class MySQL(Dialect):
    """Dates come as text, so that 0000-00-00 survives; a reading session is read-only for the server too."""

    usual_port = 3306

    def connect(self, read_only: bool) -> Any:
        connection = _Connection(
            host=self.address.host,
            port=self.address.port or self.usual_port,
            user=self.address.user,
            password=self.address.password,
            database=self.address.name,
            charset=self.charset,
            conv=_CONVERSIONS,
            client_flag=CLIENT.FOUND_ROWS,  # an UPDATE counts the rows that it finds, not those it changes
            autocommit=True,
            connect_timeout=5,
            read_timeout=self.timeout_s + 5,
            write_timeout=self.timeout_s,
        )
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 5, SESSION lock_wait_timeout = 5")
            if read_only:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
                self._limit_statements(connection, cursor)
        return connection

    def _limit_statements(self, connection: Any, cursor: Any) -> None:
        """The server ends a long read itself; the two families name the setting differently."""
        if "MariaDB" in connection.get_server_info():
            cursor.execute("SET SESSION max_statement_time = %s", (self.timeout_s,))
        else:
            cursor.execute("SET SESSION max_execution_time = %s", (int(self.timeout_s * 1000),))

    def take_lock(self, connection: Any, lock_name: str) -> None:
        _, rows = self.execute(connection, "SELECT GET_LOCK(:name, 5)", {"name": lock_name})
        if not rows or rows[0][0] != 1:
            raise DatabaseAway("the statement of an earlier connector is still running in the database")

    def rollback(self, connection: Any) -> bool:
        self.execute(connection, "ROLLBACK", {})
        _, warnings = self.execute(connection, "SHOW WARNINGS", {})
        return all(int(warning[1]) != _NOT_ROLLED_BACK for warning in warnings)

    def listed_values(self, connection: Any, table: str, column: str) -> list[str] | None:
        schema, _, name = table.rpartition(".")
        _, rows = self.execute(
            connection,
            "SELECT column_type FROM information_schema.columns WHERE table_name = :name "
            "AND column_name = :column AND table_schema = COALESCE(NULLIF(:schema, ''), DATABASE())",
            {"name": name, "column": column, "schema": schema},
        )
        return listed_in(raw_text(rows[0][0])) if rows else None

    def is_driver_error(self, error: Exception) -> bool:
        return isinstance(error, pymysql.MySQLError)

    def translate(self, error: Exception, connecting: bool) -> ConnectorError:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        words = _WORDS.get(code, f"{LOOK_UP} ({type(error).__name__})")
        where = f" ({self.place()})" if connecting else ""
        said = _server_words(code, error)
        text = f"MySQL error {code}{where}: {words}" + (f" ({said})" if said else "")
        if connecting and code in _LOGIN_REFUSED:
            return LoginRefused(text + self.mend_address(_LOGIN_REFUSED[code]))
        if connecting and code == _NOBODY_THERE:
            return DatabaseAway(text + self.mend_place())
        lost = isinstance(error, pymysql.InterfaceError) or code == 0
        if connecting or lost or code in _WAITING_HELPS:
            return DatabaseAway(text)
        return (ValueNotTaken if code == _NOT_TAKEN else StatementRefused)(text, said)


def listed_in(column_type: str) -> list[str] | None:
    """The values of an ENUM, as information_schema writes its type; None of another type."""
    if not column_type.lower().startswith("enum("):
        return None
    return [value.replace("''", "'") for value in _LISTED.findall(column_type)]


def _server_words(code: int, error: Exception) -> str:
    """What the server said, where it holds no value."""
    return str(error.args[1]) if code in _SHOWN and len(error.args) > 1 else ""
