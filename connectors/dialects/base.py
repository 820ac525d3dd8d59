"""What an engine must offer: a connection, its parameter style, and its errors in plain words."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import ConnectorError

# a quoted text, a quoted name, a cast (::) or a parameter (:name)
_TOKEN = re.compile(r"('(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|`[^`]*`|::)|:([A-Za-z_]\w*)|(%)")


GRANT = "this user lacks a right that the statement needs; GRANT it"
NO_COLUMN = "a column named in the configuration is not there; mend the column's name"
NO_TABLE = "a table named in the configuration is not there; mend the table's name, or make the table"
NOT_UNDERSTOOD = "the statement is not understood; mend it where the configuration has it"
NOT_TAKEN = (
    "the column's type does not take this value (an ENUM takes only the words that it lists); mend the value "
    "where the configuration has it, or the column"
)
NOT_A_NUMBER = (
    "the column's type (a number, or a date) does not take this word; write what it takes, numbers in quotes "
    'such as "1": a status in [write_back.status.values], anything else in the statement'
)
NO_ROW_MEANT = (
    "a foreign key wants a row that is not there; give an id that the app's own table has, such as the "
    "officer's number (1 in the example's [write_back.answer])"
)
LOOK_UP = "the database refuses the statement; its manual explains this error"
ENCODE = "in a user name or password write @ : / ? # [ ] % as %40 %3A %2F %3F %23 %5B %5D %25"


@dataclass(frozen=True)
class Address:
    """Where a database is. The password is in no text that is shown."""

    scheme: str
    host: str
    port: int | None
    user: str
    password: str = field(repr=False)
    name: str
    odd_password: bool = False
    """Its password, as the address writes it, holds a character that has a meaning there."""
    setting: str = ""
    """Where the address stands, for messages."""

    def shown(self) -> str:
        if self.scheme == "sqlite":
            return f"sqlite:///{self.name}"
        return f"{self.scheme}://{self.host}{f':{self.port}' if self.port else ''}/{self.name}"


@dataclass(frozen=True)
class Column:
    """What a column takes. `kind`: its type as the engine writes it; `listed`: the values that a type lists;
    `charset`: of a text."""

    kind: str
    charset: str | None
    listed: list[str] | None


class Dialect(ABC):
    """One engine. Connections are the driver's own (DB-API 2); they are used by one thread at a time.

    Guarantees that the shared tests hold every engine to: text comes as str or bytes, dates come as the text
    that the engine prints (so that 0000-00-00 survives), a reading connection cannot write, every wait ends.
    """

    usual_port = 0

    def __init__(self, address: Address, timeout_s: float, charset: str) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self.charset = charset

    @abstractmethod
    def connect(self, read_only: bool) -> Any:
        """A connection in autocommit mode."""

    @abstractmethod
    def translate(self, error: Exception, connecting: bool) -> ConnectorError:
        """DatabaseAway when waiting helps, StatementRefused when it does not. Names no value of a row."""

    def column(self, connection: Any, table: str, column: str) -> Column | None:
        """None where nobody knows it, or any value fits."""
        return None

    @abstractmethod
    def is_driver_error(self, error: Exception) -> bool:
        """Whether this is the driver's to raise, and so ours to translate."""

    def place(self) -> str:
        """Where the database is, for messages."""
        return f"{self.address.host}:{self.address.port or self.usual_port}, database {self.address.name}"

    def mend_address(self, what: str) -> str:
        """What to do where the server refuses the login or the name."""
        encode = f"; {ENCODE}" if self.address.odd_password else ""
        return f"; mend {what} in {self.address.setting}, or in the database{encode}"

    def mend_place(self) -> str:
        """What to do where nothing answers."""
        return f"; see that the database runs there, or mend host and port in {self.address.setting}"

    def placeholders(self, statement: str) -> str:
        """`:name` as the driver writes it; texts, quoted names and casts stay as they are."""
        return _TOKEN.sub(self._placeholder, statement)

    def _placeholder(self, match: re.Match[str]) -> str:
        literal, name, _percent = match.groups()
        if literal is not None:
            return str(literal).replace("%", "%%")
        return f"%({name})s" if name else "%%"

    def begin(self, connection: Any, lock_name: str) -> None:
        """Starts a transaction and waits for this connector's own lock in the database: the statement of a
        killed predecessor may still be running there."""
        self.take_lock(connection, lock_name)
        self.execute(connection, "BEGIN", {})

    @abstractmethod
    def take_lock(self, connection: Any, lock_name: str) -> None:
        """An advisory lock that the connection holds until it ends; taking it again is harmless."""

    def commit(self, connection: Any) -> None:
        self.execute(connection, "COMMIT", {})

    def rollback(self, connection: Any) -> bool:
        """True when nothing of the transaction remains (MyISAM tables keep what was written)."""
        self.execute(connection, "ROLLBACK", {})
        return True

    def execute(
        self, connection: Any, statement: str, parameters: Mapping[str, Any]
    ) -> tuple[list[str], list[Any]]:
        """Column names and rows; both empty for a statement that gives none."""
        cursor = connection.cursor()
        try:
            cursor.execute(self.placeholders(statement), dict(parameters))
            if cursor.description is None:
                return [], []
            return [str(column[0]) for column in cursor.description], list(cursor.fetchall())
        finally:
            cursor.close()

    def change(self, connection: Any, statement: str, parameters: Mapping[str, Any]) -> int:
        """Executes a statement; how many rows it found (an UPDATE: also those that were right already)."""
        cursor = connection.cursor()
        try:
            cursor.execute(self.placeholders(statement), dict(parameters))
            return int(cursor.rowcount)
        finally:
            cursor.close()


def parameters_in(statement: str) -> set[str]:
    """The names of the `:name` parameters of a configured statement."""
    return {match[1] for match in _TOKEN.findall(statement) if match[1]}
