"""MySQL and MariaDB by PyMySQL, with MyISAM tables in mind: no transaction is assumed to protect a write."""

from __future__ import annotations

from typing import Any

import pymysql
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import conversions

from connectors.dialects.base import Dialect
from connectors.errors import ConnectorError, DatabaseAway, StatementRefused

_AS_TEXT = (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME)
_CONVERSIONS = {code: how for code, how in conversions.items() if code not in _AS_TEXT}
_WORDS = {
    1044: "this user may not use this database; GRANT it",
    1045: "the server refuses this user and password",
    1049: "there is no database of this name",
    1054: "a column named in the configuration is not there",
    1064: "the statement is not understood",
    1142: "this user lacks a right on the table; GRANT it",
    1146: "a table named in the configuration is not there",
    1366: "the column's character set cannot hold this text",
    1406: "the column is too short for this text",
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
_LOGIN_REFUSED = 1045


class MySQL(Dialect):
    """Dates come as text, so that 0000-00-00 survives; a reading session is read-only for the server too."""

    usual_port = 3306

    def connect(self, read_only: bool) -> Any:
        connection = pymysql.connect(
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

    def is_driver_error(self, error: Exception) -> bool:
        return isinstance(error, pymysql.MySQLError)

    def translate(self, error: Exception, connecting: bool) -> ConnectorError:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        words = _WORDS.get(code, type(error).__name__)
        where = f" ({self.place()})" if connecting else ""
        text = f"MySQL error {code}{where}: {words}" + _server_words(code, error)
        if code == _LOGIN_REFUSED:
            text += self.about_password()
        lost = isinstance(error, pymysql.InterfaceError) or code == 0
        return DatabaseAway(text) if connecting or lost or code in _WAITING_HELPS else StatementRefused(text)


def _server_words(code: int, error: Exception) -> str:
    """What the server said, where it names columns and tables and never a row's value."""
    harmless = code in (1044, 1049, 1054, 1142, 1146) and len(error.args) > 1
    return f" ({error.args[1]})" if harmless else ""
