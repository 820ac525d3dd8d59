"""MySQL and MariaDB by PyMySQL, with MyISAM tables in mind: no transaction is assumed to protect a write."""

from __future__ import annotations

import functools
import re
import socket
import ssl
import struct
from typing import Any

import pymysql
import pymysql.connections
from pymysql.constants import CLIENT, CR, FIELD_TYPE
from pymysql.converters import conversions

from connectors.dialects import mysql_latin1
from connectors.dialects.base import Column, Dialect
from connectors.dialects.mysql_words import is_not_taken, server_words, unmet, words_of
from connectors.errors import ConnectorError, DatabaseAway, LoginRefused, StatementRefused, ValueNotTaken
from connectors.values import raw_text

_AS_TEXT = (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME)
_CONVERSIONS = {code: how for code, how in conversions.items() if code not in _AS_TEXT}
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
_LOGIN_REFUSED = {
    1044: "the database's name or the user",
    1045: "the user and the password",
    1049: "the database's name",
    1698: "the user and the password",
}
"""What to mend, by the number with which the server does not let a connection in."""
_LISTED = re.compile(r"'((?:[^']|'')*)'")
GREETING_S = 10.0
"""How long a server may take over its greeting and the login, where a statement may take longer."""


@functools.cache
def _tls_where_offered() -> ssl.SSLContext:
    """PyMySQL's own: it verifies nobody, as it has nobody's name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class NotGreeted(pymysql.err.OperationalError):
    """Something took the connection and spoke no MySQL."""


class _Connection(pymysql.connections.Connection):
    """PyMySQL uses TLS where the server offers it, and for that reads every certificate authority of this
    machine, none of which it then asks: 35 ms of processor time a connection."""

    _read_timeout: float | None

    def _create_ssl_ctx(self, sslp: object) -> ssl.SSLContext:
        return _tls_where_offered()

    def connect(self, sock: socket.socket | None = None) -> None:
        """Whatever listens at a wrong port says another thing, or waits to be spoken to."""
        patient, self._read_timeout = self._read_timeout, GREETING_S
        try:
            super().connect(sock)
        finally:
            self._read_timeout = patient

    def _get_server_information(self) -> None:
        try:
            super()._get_server_information()  # type: ignore[misc]  # not in its stubs
        except (pymysql.err.InternalError, struct.error, LookupError, ValueError, AssertionError) as error:
            raise NotGreeted(CR.CR_SERVER_LOST, "no greeting") from error
        except pymysql.err.OperationalError as error:
            if error.args[0] in (CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR):
                raise NotGreeted(*error.args) from error
            raise


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
        if self.charset == "latin1":
            connection.encoding = mysql_latin1.NAME
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

    def column(self, connection: Any, table: str, column: str) -> Column | None:
        schema, _, name = table.rpartition(".")
        _, rows = self.execute(
            connection,
            "SELECT column_type, character_set_name FROM information_schema.columns WHERE table_name = :name "
            "AND column_name = :column AND table_schema = COALESCE(NULLIF(:schema, ''), DATABASE())",
            {"name": name, "column": column, "schema": schema},
        )
        if not rows:
            return None
        kind, charset = (raw_text(value) for value in rows[0])
        return Column(kind, charset or None, listed_in(kind))

    def is_driver_error(self, error: Exception) -> bool:
        return isinstance(error, (pymysql.MySQLError, UnicodeError))

    def translate(self, error: Exception, connecting: bool) -> ConnectorError:
        if isinstance(error, UnicodeError):
            return StatementRefused(self._unreadable(error), "")
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        where = f" ({self.place()})" if connecting else ""
        away = unmet(code, greeted=not isinstance(error, NotGreeted)) if connecting else ""
        said = server_words(code, error)
        text = f"MySQL error {code}{where}: {away or words_of(code, error)}" + (f" ({said})" if said else "")
        if connecting and code in _LOGIN_REFUSED:
            return LoginRefused(text + self.mend_address(_LOGIN_REFUSED[code]))
        if away:
            return DatabaseAway(text + self.mend_place())
        lost = isinstance(error, pymysql.InterfaceError) or code == 0
        if connecting or lost or code in _WAITING_HELPS:
            return DatabaseAway(text)
        return (ValueNotTaken if is_not_taken(code, error) else StatementRefused)(text, said)

    def _unreadable(self, error: UnicodeError) -> str:
        """PyMySQL turns texts into bytes and back by the connection's character set."""
        if isinstance(error, UnicodeDecodeError):
            return (
                f"a text of these rows is no {self.charset}; mend that row in the app, or write another "
                "database.charset"
            )
        return (
            f'database.charset = "{self.charset}" cannot say every sign of this text; write "utf8mb4", with '
            "which the server itself converts what columns of another character set hold"
        )


def listed_in(column_type: str) -> list[str] | None:
    """The values of an ENUM, as information_schema writes its type; None of another type."""
    if not column_type.lower().startswith("enum("):
        return None
    return [value.replace("''", "'") for value in _LISTED.findall(column_type)]
