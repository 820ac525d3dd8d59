"""SQLite behind the store port: one writer connection, a few readers, checkpoints on a thread of their own.

WAL with synchronous=FULL: what is committed survives kill -9 and a power cut. Several processes may open the
file (the hub and its commands); SQLite's own write lock keeps their transactions apart."""

from __future__ import annotations

import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from hub.errors import StoreUnavailable
from hub.ports.bus import Committed
from hub.ports.process_store import Purged
from hub.store.destroying import PURGE_DONE, PURGE_SINCE, PURGE_WAITS
from hub.store.reading import Session
from hub.store.sqlite.connections import Connection
from hub.store.sqlite.dialect import SQLITE
from hub.store.sqlite.errors import translated
from hub.store.sqlite.presence import FilePresence
from hub.store.sqlite.stamp import Stamp
from hub.store.sqlite.transaction import SQLITE_SQL, SqliteTransaction

log = structlog.get_logger(__name__)

BUSY_S: Final = 10.0
PURGE_BUSY_MS: Final = 1_000
CHECKPOINT_EVERY_S: Final = 1.0
CHECKPOINT_BYTES: Final = 4 * 1024 * 1024
TRUNCATE_BYTES: Final = 256 * 1024 * 1024
ASK_EVERY_S: Final = 1.0


def connect(path: Path, *, cache_kib: int = 16_384) -> Connection:
    """A connection in autocommit mode with the hub's settings. The file is made 0600."""
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"{path}: cannot be made or reached ({error.strerror}).") from error
    connection = sqlite3.connect(
        path,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        factory=Connection,
    )
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "wal_autocheckpoint = 0",
        "temp_store = MEMORY",
        "secure_delete = ON",
        f"cache_size = -{cache_kib}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


class SqliteStore:
    """Implements `hub.ports.process_store.ProcessStore` and `hub.store.dialect.Engine`."""

    dialect, sql = SQLITE, SQLITE_SQL

    def __init__(self, path: Path, *, readers: int = 4, presence: FilePresence | None = None) -> None:
        """`presence` is held until the store is closed; None: the caller is alone on the file."""
        self.path = path
        self._presence = presence
        with translated():
            self._writer = connect(path, cache_kib=32_768)
            self._generation = connect(path, cache_kib=64)
        self._write_lock = threading.RLock()
        self._generation_lock = threading.Lock()
        self._stamp = Stamp(path.with_name(path.name + "-stamp"))
        self._stamp_seen = b""
        self._generation_known = 0
        self._asked_at = 0.0
        self._readers: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._spare = readers
        self._closed = threading.Event()
        self._checkpoints: threading.Thread | None = None

    @property
    def folder(self) -> Path:
        """Where there is room for scratch files."""
        return self.path.parent

    @contextmanager
    def begin(self) -> Iterator[SqliteTransaction]:
        with self.write() as connection:
            transaction = SqliteTransaction(connection)
            yield transaction

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The writer's connection in an immediate transaction. Who leaves without COMMIT rolls back."""
        with self._write_lock, translated():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                if self._writer.registry_changed:
                    self._writer.registry_changed = False
                    self._stamp.renew()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Like `write`, and commits when the block ends well."""
        with self.write() as connection:
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A reader's connection inside one snapshot."""
        with translated():
            try:
                connection = self._readers.get_nowait()
            except queue.Empty:
                connection = connect(self.path, cache_kib=8_192)
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.rollback()
                self._give_back(connection)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.connection() as connection:
            yield Session(connection, SQLITE_SQL)

    glancing, glance = connection, read
    """A snapshot costs nothing here."""

    def _give_back(self, connection: Connection) -> None:
        if self._closed.is_set() or self._readers.qsize() >= self._spare:
            connection.close()
        else:
            self._readers.put(connection)

    def registry_generation(self) -> int:
        stamp, now = self._stamp.read(), time.monotonic()
        if stamp != self._stamp_seen or now - self._asked_at > ASK_EVERY_S:
            self._generation_known = self._ask_generation()
            self._stamp_seen, self._asked_at = stamp, now
        return self._generation_known

    def _ask_generation(self) -> int:
        with self._generation_lock, translated():
            row = self._generation.execute(
                "SELECT value FROM facts WHERE name = 'registry_generation'"
            ).fetchone()
        return int(row[0]) if row else 0

    def probe(self) -> None:
        """Commits something small; raises StoreUnavailable when the database does not take it."""
        with self.writing() as connection:
            connection.execute(
                "INSERT INTO facts (name, value) VALUES ('probe', strftime('%s', 'now')) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            )

    def on_commit_elsewhere(self, callback: Callable[[Committed | None], None]) -> None:
        """Other processes on the file are commands; what they commit is found by looking."""

    def on_displaced(self, callback: Callable[[], object]) -> None:
        """Never: the kernel takes a lock from nobody."""

    def still_present(self) -> None:
        """Always."""

    def start_checkpoints(self) -> None:
        """Moves the write-ahead log into the database beside the writer, not within its commits."""
        self._checkpoints = threading.Thread(target=self._checkpoint, name="checkpoints", daemon=True)
        self._checkpoints.start()

    def _checkpoint(self) -> None:
        """Goes on whatever fails (a full disk, a share that is away): nobody else keeps the write-ahead log
        short. The writer tells its own callers."""
        connection: Connection | None = None
        while not self._closed.wait(CHECKPOINT_EVERY_S):
            try:
                connection = connection or connect(self.path, cache_kib=1_024)
                self._move_log(connection)
            except (sqlite3.Error, OSError, StoreUnavailable) as error:
                log.warning("checkpoint_failed", cause=str(error) or type(error).__name__)
        if connection is not None:
            connection.close()

    def purge(self) -> Purged | None:
        """What was deleted is zeros in its pages by now (`secure_delete`); the write-ahead log, with those
        pages as before, goes into the database and is cut off. StoreUnavailable while somebody
        still reads from it."""
        with translated():
            connection = connect(self.path, cache_kib=1_024)
            try:
                connection.execute(f"PRAGMA busy_timeout = {PURGE_BUSY_MS}").fetchall()
                waits = connection.execute(PURGE_SINCE, (PURGE_WAITS,)).fetchone()
                if waits is None:
                    return None
                busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if busy:
                    raise StoreUnavailable("The write-ahead log is being read; it is cut off later.")
                connection.execute(PURGE_DONE, (PURGE_WAITS, waits[0]))
            finally:
                connection.close()
        return Purged()

    def _move_log(self, connection: Connection) -> None:
        wal = self.path.with_name(self.path.name + "-wal")
        size = wal.stat().st_size if wal.exists() else 0
        if size >= CHECKPOINT_BYTES:
            mode = "TRUNCATE" if size > TRUNCATE_BYTES else "PASSIVE"
            connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()

    def close(self) -> None:
        self._closed.set()
        if self._checkpoints is not None:
            self._checkpoints.join(5)
        while not self._readers.empty():
            self._readers.get_nowait().close()
        self._generation.close()
        self._writer.close()
        self._stamp.close()
        if self._presence is not None:
            self._presence.close()
