"""What other processes commit, told by the database: one connection a process, on a thread of its own.

LISTEN/NOTIFY raises the registry's generation in memory, so that asking for it at every request is
free. A notification is sent by the very transaction that changed the registry, and each process answers it:
whoever changed something waits until every process has it (`PostgresStore._tell`). Should the connection be
lost, it is made anew and the number is read; it is read twice a second anyway, and with it the end of the
log, so that each process knows what the database must not lack (`known.py`)."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psycopg
import structlog

from hub.errors import Displaced, StoreError
from hub.ports.bus import Committed
from hub.store.postgres.connections import LISTENER, Connection
from hub.store.postgres.errors import translated
from hub.store.postgres.known import Saw
from hub.store.postgres.transaction import noticed

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 0.5
REGISTRY, COMMITS, SEEN = "simpul_registry", "simpul_commits", "simpul_seen"
READ: Final = (
    "SELECT value, position, id FROM facts "
    "LEFT JOIN (SELECT position, id FROM log ORDER BY position DESC LIMIT 1) AS tail ON true "
    "WHERE name = 'registry_generation'"
)

Told = Callable[[Committed | None, int], None]
"""(what was committed, None where the log must be asked; the server process that did it), on the listener's
thread."""


class Listener:
    def __init__(self, connect: Callable[[str], Connection], saw: Saw, grown: Told) -> None:
        self._connect = connect
        self._saw = saw
        self._grown = grown
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._waker, self._wake = os.pipe()
        self._meanwhile: deque[psycopg.Notify] = deque()
        """What came in while a statement of ours was answered."""
        self.generation = 0

    def start(self) -> None:
        """Once; returns when the number is known and every later change will be heard. Raises
        StoreUnavailable."""
        with self._lock:
            if self._thread is not None:
                return
            self._open()
            self._thread = threading.Thread(target=self._work, name="listener", daemon=True)
            self._thread.start()

    @property
    def started(self) -> bool:
        return self._thread is not None

    def raise_to(self, generation: int) -> None:
        self.generation = max(self.generation, generation)

    def pid(self) -> int | None:
        """Of its server process."""
        connection = self._connection
        return connection.info.backend_pid if connection is not None and not connection.closed else None

    def close(self) -> None:
        self._closed.set()
        os.write(self._wake, b".")
        if self._thread is not None:
            self._thread.join(5)
        if self._connection is not None:
            self._connection.close()
        os.close(self._wake)
        os.close(self._waker)

    def _open(self) -> Connection:
        connection = self._connect(LISTENER)
        self._meanwhile.clear()
        connection.add_notify_handler(self._meanwhile.append)
        with translated():
            connection.execute(f"LISTEN {REGISTRY}")
            connection.execute(f"LISTEN {COMMITS}")
            self._connection = connection
            self._read(connection)
        return connection

    def _read(self, connection: Connection) -> None:
        row = connection.execute(READ).fetchone()
        if row is None:
            return
        self.raise_to(int(row[0]))
        if row[1] is not None:
            self._saw(row[1], row[2])

    def _work(self) -> None:
        while not self._closed.is_set():
            try:
                with translated():
                    self._follow(self._connection or self._open())
            except Displaced:  # for ever; whoever asks the store is told
                self._give_up()
                return
            except StoreError as away:
                log.warning("listener_lost_the_database", cause=str(away))
                self._give_up()
                self._closed.wait(LOOK_EVERY_S)

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _follow(self, connection: Connection) -> None:
        waiting = select.poll()  # `select` takes no descriptor above 1023, and each open stream is one
        waiting.register(connection.fileno(), select.POLLIN)
        waiting.register(self._waker, select.POLLIN)
        while not self._closed.is_set():
            if not waiting.poll(LOOK_EVERY_S * 1000):
                self._read(connection)
            connection.pgconn.consume_input()
            while told := connection.pgconn.notifies():
                self._heard(connection, told.relname.decode(), told.extra.decode(), told.be_pid)
            while self._meanwhile:
                notice = self._meanwhile.popleft()
                self._heard(connection, notice.channel, notice.payload, notice.pid)

    def _heard(self, connection: Connection, channel: str, payload: str, pid: int) -> None:
        if channel == COMMITS:
            committed = noticed(payload)
            if committed is not None:
                self._saw(committed.last, None)
            self._grown(committed, pid)
        elif channel == REGISTRY:
            self.raise_to(int(payload))
            connection.execute("SELECT pg_notify(?, ?)", (SEEN, payload))
