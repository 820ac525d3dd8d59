"""PostgreSQL behind the store port: one writer connection, a few readers, one that listens.

`synchronous_commit = on`, READ COMMITTED with locks for writing (see `transaction.py`), REPEATABLE READ READ
ONLY for reading: a reader holds no writer back, whatever it takes. A URL may name several hosts
(`postgresql://user@one:5432,two:5432/simpul`): whichever takes writes is used, and found again at the next
transaction after it was lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import structlog

from hub.errors import CommandRefused, Displaced, StoreUnavailable
from hub.ports.bus import Committed
from hub.ports.process_store import Purged
from hub.store.postgres.connections import LISTENER, WRITER, Connection, Limits, connector
from hub.store.postgres.dialect import POSTGRES
from hub.store.postgres.errors import translated
from hub.store.postgres.known import OLDER, Known, WitnessingSession
from hub.store.postgres.listener import SEEN, Listener
from hub.store.postgres.lookups import POSTGRES_SQL
from hub.store.postgres.outcome import OutcomeDesk
from hub.store.postgres.presence import enter, incarnation, leave
from hub.store.postgres.purging import PURGER, PURGING, purge
from hub.store.postgres.reader_pool import ReaderPool, ended
from hub.store.postgres.transaction import PostgresTransaction
from hub.store.reading import Session

log = structlog.get_logger(__name__)

SEEN_WITHIN_S: Final = 1.0
"""How long a change of the registry waits for the other processes. One that does not answer by then is
stopped or cut off; it reads the number itself before it can read anything else of use."""
PROBE: Final = (
    "INSERT INTO facts (name, value) VALUES ('probe', extract(epoch FROM clock_timestamp())::bigint::text) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
LISTENING: Final = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = ?"
)


class PostgresStore:
    """Implements `hub.ports.process_store.ProcessStore` and `hub.store.dialect.Engine`."""

    dialect, sql = POSTGRES, POSTGRES_SQL
    folder = None
    """Scratch files go where the system keeps temporary ones."""

    def __init__(
        self,
        url: str,
        *,
        readers: int = 4,
        limits: Limits | None = None,
        name: str | None = WRITER,
        writer: Connection | None = None,
    ) -> None:
        """`name` is shown to whoever needs the database alone (a serving hub's is WRITER); None: the caller
        is alone on it. CommandRefused while somebody else is. `writer` is a connection that the caller has
        made: the first to be written by, the store's as soon as this returns."""
        self.url = url
        self._name = name
        limits = limits or Limits()
        self._dial = connector(url, limits)
        self._known = Known()
        self._outcomes = OutcomeDesk(self._dial, limits.outcome_s)
        self._write_lock = threading.RLock()
        self._writer: Connection | None = None
        self._writer_pid = 0
        self._readers = ReaderPool(self._connect, self.still_present, readers)
        self._closed = False
        self._incarnation: str | None = None
        self._displaced: str | None = None
        self._on_displaced: Callable[[], object] = lambda: None
        self._elsewhere: Callable[[Committed | None], None] = lambda committed: None
        self._listener = Listener(self._connect, self._known.saw, self._grown)
        self._connected(writer)

    # --- writing -----------------------------------------------------------------------------------------

    @contextmanager
    def begin(self) -> Iterator[PostgresTransaction]:
        with self._write_lock, translated():
            connection = self._connected()
            transaction = PostgresTransaction(connection, self._outcomes.ask, self._known.saw)
            connection.execute("BEGIN")
            try:
                yield transaction
            finally:
                connection.registry_changed = False
                ended(connection)
            self._tell(transaction.generation)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The writer's connection in a transaction. Who leaves without COMMIT rolls back."""
        with self._write_lock, translated():
            connection = self._connected()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.registry_changed = False
                ended(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Like `write`, and commits when the block ends well."""
        with self._write_lock, translated():
            connection = self._connected()
            connection.execute("BEGIN")
            transaction = PostgresTransaction(connection, self._outcomes.ask, self._known.saw)
            try:
                yield connection
                transaction.commit()
            finally:
                connection.registry_changed = False
                ended(connection)
            self._tell(transaction.generation)

    def _connected(self, made: Connection | None = None) -> Connection:
        """The writer's connection, made anew if it was lost. `made` is one that nobody has yet."""
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        self.still_present()
        if self._writer is not None and self._writer.is_alive():
            return self._writer
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        connection = made or self._connect(WRITER)
        try:
            self._enter(connection)
            connection.execute(f"LISTEN {SEEN}")
        except BaseException:
            connection.close()
            raise
        self._writer, self._writer_pid = connection, connection.info.backend_pid
        return connection

    def _connect(self, name: str) -> Connection:
        """Displaced where an older copy of the database has taken its place. The process does not end by it:
        started again it would know nothing, and go on with the copy as if nothing had happened."""
        connection = self._dial(name)
        try:
            with translated():
                lacking = self._known.lacking(connection, self._incarnation, self._listener.generation)
            if lacking is not None and self._displaced is None:
                self._displaced = OLDER.format(what=lacking)
                log.error("database_is_older", cause=self._displaced)
            self.still_present()
        except BaseException:
            connection.close()
            raise
        return connection

    def _enter(self, connection: Connection) -> None:
        """Before anything is written by it. What this process remembers holds only as long as nobody else has
        had the database alone meanwhile."""
        if self._name is None:
            return
        with translated():
            refused, found = enter(connection, self._name), incarnation(connection)
        if self._writer_pid == 0 and refused:
            raise CommandRefused(refused)
        if refused is None and self._incarnation not in (None, found):
            refused = "Another incarnation is in the database now: it was restored meanwhile."
        if refused:
            self._displaced = f"The connection to the database was cut, and then it was too late. {refused}"
            self._on_displaced()
        self.still_present()
        self._incarnation = found

    def on_displaced(self, callback: Callable[[], object]) -> None:
        """`callback` is told, on whichever thread writes, when this process lost its place: it must end."""
        self._on_displaced = callback

    def still_present(self) -> None:
        """Displaced where it is not, for ever."""
        if self._displaced is not None:
            raise Displaced(self._displaced)

    # --- reading -----------------------------------------------------------------------------------------

    def connection(self) -> AbstractContextManager[Connection]:
        return self._readers.snapshot()

    def glancing(self) -> AbstractContextManager[Connection]:
        return self._readers.glancing()

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.connection() as connection:
            yield WitnessingSession(connection, POSTGRES_SQL, self._known.saw)

    @contextmanager
    def glance(self) -> Iterator[Session]:
        with self.glancing() as connection:
            yield WitnessingSession(connection, POSTGRES_SQL, self._known.saw)

    # --- what every process must know --------------------------------------------------------------------

    def registry_generation(self) -> int:
        """A number in memory, which the listener raises. "At once": a change returns when every process that
        listens has confirmed it, so the next request anywhere is decided by it. A process that cannot be
        asked (stopped, cut off) is waited for for one second; it hears of the change, or reads the number,
        before it serves anything that needs the database again. Displaced where the number is no longer of
        this database."""
        self.still_present()
        if not self._listener.started:
            self._listener.start()
        return self._listener.generation

    def _tell(self, generation: int | None) -> None:
        """Waits until every other process has confirmed the change."""
        if generation is None:
            return
        self._listener.raise_to(generation)
        writer = self._writer
        if writer is None or writer.closed:
            return
        missing = {row[0] for row in writer.execute(LISTENING, (LISTENER,))} - {self._listener.pid()}
        until = time.monotonic() + SEEN_WITHIN_S
        while missing and (left := until - time.monotonic()) > 0:
            for notice in writer.notifies(timeout=left, stop_after=1):
                if notice.channel == SEEN and int(notice.payload) >= generation:
                    missing.discard(notice.pid)

    def on_commit_elsewhere(self, callback: Callable[[Committed | None], None]) -> None:
        """`callback` is told, on the listener's thread, of each commit by another process in their order;
        None where its agencies were too many to be told. A hint: it may come late, or (the connection lost)
        not at all."""
        self._elsewhere = callback
        self._listener.start()

    def _grown(self, committed: Committed | None, pid: int) -> None:
        if pid != self._writer_pid:
            self._elsewhere(committed)

    def probe(self) -> None:
        """Commits something small; raises StoreUnavailable when the database does not take it."""
        with self.writing() as connection:
            connection.execute(PROBE)

    def start_checkpoints(self) -> None:
        """PostgreSQL makes its own."""

    def purge(self) -> Purged | None:
        """On a connection of its own, which may take its time, but waits for no lock for long."""
        with translated():
            connection = connector(self.url, PURGING)(PURGER)
            try:
                return purge(connection)
            finally:
                connection.close()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._listener.close()
        self._readers.close()
        if self._writer is not None:
            if self._write_lock.acquire(blocking=False):  # not waiting for a writer that hangs
                leave(self._writer)
                self._write_lock.release()
            self._writer.close()
