"""A few connections that read, kept for whoever asks next."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psycopg

from hub.store.postgres.connections import READER, Connection
from hub.store.postgres.errors import translated

SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class ReaderPool:
    def __init__(self, connect: Callable[[str], Connection], present: Callable[[], None], spare: int) -> None:
        """`present` raises where nothing of the database is to be trusted any more; `spare` are kept open."""
        self._connect = connect
        self._present = present
        self._spare = spare
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._closed = False

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Its snapshot is taken by the first statement."""
        with self.glancing() as connection:
            connection.execute(SNAPSHOT)
            try:
                yield connection
            finally:
                ended(connection)

    @contextmanager
    def glancing(self) -> Iterator[Connection]:
        """Outside of any transaction."""
        self._present()
        with translated():
            connection = self._taken()
            try:
                yield connection
            finally:
                self._give_back(connection)

    def close(self) -> None:
        self._closed = True
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _taken(self) -> Connection:
        while True:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                return self._connect(READER)
            if connection.is_alive():
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        if self._closed or connection.closed or self._idle.qsize() >= self._spare:
            connection.close()
        else:
            self._idle.put(connection)


def ended(connection: Connection) -> None:
    """Ends its transaction, or the connection with it."""
    try:
        if not connection.closed:
            connection.end()
    except psycopg.Error:
        with suppress(psycopg.Error):
            connection.close()
