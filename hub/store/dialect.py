"""What the two engines say differently. All other SQL is written once, with `?` for parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import sqlalchemy
from sqlalchemy import Table

Row = Sequence[Any]


class Cursor(Protocol):
    """What sqlite3's and psycopg's cursors have in common."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A driver's connection that takes the neutral SQL."""

    registry_changed: bool
    """Set by whoever changed the registry within the transaction; its commit then tells every process."""

    def execute(self, statement: str, parameters: Row = ..., /) -> Any: ...

    def cursor(self) -> Any: ...


class ManyRows(Protocol):
    """One INSERT, prepared for any number of rows."""

    def run(self, connection: Any, rows: Sequence[Row]) -> None: ...


class Dialect(Protocol):
    """One engine's way to say what SQL has no common words for. Fragments that name `wanted` are table
    expressions of that alias: `texts` has the columns `one` and `place`, `pairs` has `one` and `other`."""

    name: str
    core: sqlalchemy.Dialect
    """For statements that SQLAlchemy makes, with `?` for parameters."""
    texts: str
    pairs: str
    heads: str
    """SELECT of (stream, sequence, chain): the last event of each stream of `texts`."""
    now: str
    """The database's own time, seconds since 1970 as a float."""
    locking: str
    """Ends a SELECT whose rows stay locked until the transaction ends; empty where its lock covers all."""

    patience: tuple[str, ...]
    """Statements that let the open transaction take its time."""

    def of_texts(self, values: Sequence[str]) -> tuple[Any, ...]:
        """The parameters of `texts`."""
        ...

    def of_pairs(self, pairs: Sequence[tuple[str, str]]) -> tuple[Any, ...]:
        """The parameters of `pairs`."""
        ...

    def json_text(self, column: str, *path: str) -> str:
        """The text at a path in a column of JSON bytes."""
        ...

    def contains(self, text: str) -> str:
        """A condition with one parameter, a LIKE pattern with backslash as escape. Letters a to z match in
        either case, no others: the same on both engines, whatever the database's locale is."""
        ...

    def through(self, index: str) -> str:
        """Follows a table's alias in FROM: the index to walk, on an engine that cannot tell by itself that a
        partial index is much smaller than the table."""
        ...

    def insert(self, table: Table, conflict: str) -> ManyRows:
        """INSERT of every column in the table's order, ended by `conflict` (may be empty)."""
        ...


class Engine(Protocol):
    """What tables (`RegistryTables`, `FileTables`, `DeliveryTable`, `LeaseTable`) need of a store. The
    driver's errors come out as StoreUnavailable and RowRefused."""

    dialect: Dialect

    def writing(self) -> AbstractContextManager[Any]:
        """A write transaction, committed when the block ends well and rolled back else."""
        ...

    def connection(self) -> AbstractContextManager[Any]:
        """Reading, on one snapshot."""
        ...

    def glancing(self) -> AbstractContextManager[Any]:
        """Reading, each statement perhaps on a snapshot of its own. For who asks one, which on PostgreSQL is
        then one round trip instead of three."""
        ...
