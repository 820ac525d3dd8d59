"""The agency's database for asyncio: one reading and one writing connection, each used by one thread.

Opened when first needed, closed when lost; a lost connection raises DatabaseAway and the next use tries anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from connectors.dialects.base import Column, Dialect
from connectors.errors import DatabaseAway, StatementRefused
from connectors.values import Value

T = TypeVar("T")
Rows = list[dict[str, Value]]


class Session:
    """One connection inside its thread."""

    def __init__(self, dialect: Dialect, connection: Any, lock_name: str) -> None:
        self._dialect = dialect
        self._connection = connection
        self._lock_name = lock_name

    def rows(self, statement: str, parameters: Mapping[str, Any]) -> Rows:
        """The rows of a query; each as column name -> value."""
        names, rows = self._dialect.execute(self._connection, statement, parameters)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def names(self, statement: str, parameters: Mapping[str, Any]) -> list[str]:
        """The columns that a query gives, in their order, whatever rows it gives."""
        return self._dialect.execute(self._connection, statement, parameters)[0]

    def tuples(self, statement: str, parameters: Mapping[str, Any]) -> list[Any]:
        return self._dialect.execute(self._connection, statement, parameters)[1]

    def execute(self, statement: str, parameters: Mapping[str, Any]) -> int:
        """How many rows the statement found."""
        return self._dialect.change(self._connection, statement, parameters)

    def column(self, table: str, column: str) -> Column | None:
        """What the column takes; None where nobody knows it, or any value fits."""
        return self._dialect.column(self._connection, table, column)

    def as_refusal(self, error: Exception) -> StatementRefused | None:
        """What the database said, if this is its refusal of a statement."""
        if not self._dialect.is_driver_error(error):
            return error if isinstance(error, StatementRefused) else None
        said = self._dialect.translate(error, connecting=False)
        return said if isinstance(said, StatementRefused) else None

    def begin(self) -> None:
        self._dialect.begin(self._connection, self._lock_name)

    def commit(self) -> None:
        self._dialect.commit(self._connection)

    def rollback(self) -> bool:
        return self._dialect.rollback(self._connection)


class Database:
    """Reads and writes on threads of their own. Raises DatabaseAway and StatementRefused only."""

    def __init__(self, dialect: Dialect, lock_name: str) -> None:
        self._dialect = dialect
        self._lock_name = lock_name
        self.on_answer: Callable[[], None] = lambda: None
        self._connections: dict[bool, Any] = {}
        self._threads = {read_only: ThreadPoolExecutor(1, "database") for read_only in (True, False)}

    async def read(self, work: Callable[[Session], T]) -> T:
        """Runs `work` on the reading connection, which the server holds to reading."""
        return await self._run(work, read_only=True)

    async def write(self, work: Callable[[Session], T]) -> T:
        return await self._run(work, read_only=False)

    def shown(self) -> str:
        return self._dialect.address.shown()

    def close(self) -> None:
        """Does not wait for a statement that hangs: the process is about to end."""
        for read_only, threads in self._threads.items():
            threads.submit(self._drop, read_only)
            threads.shutdown(wait=False)

    async def _run(self, work: Callable[[Session], T], read_only: bool) -> T:
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._threads[read_only], self._work, work, read_only)
        self.on_answer()
        return result

    def _work(self, work: Callable[[Session], T], read_only: bool) -> T:
        try:
            session = Session(self._dialect, self._connection(read_only), self._lock_name)
            return work(session)
        except (DatabaseAway, StatementRefused):
            self._drop(read_only)
            raise
        except Exception as error:
            if not self._dialect.is_driver_error(error):
                raise
            translated = self._dialect.translate(error, connecting=read_only not in self._connections)
            self._drop(read_only)
            raise translated from error

    def _connection(self, read_only: bool) -> Any:
        if read_only not in self._connections:
            self._connections[read_only] = self._dialect.connect(read_only)
        return self._connections[read_only]

    def _drop(self, read_only: bool) -> None:
        connection = self._connections.pop(read_only, None)
        if connection is not None:
            with suppress(Exception):  # it is broken already; what mattered was raised before
                connection.close()
