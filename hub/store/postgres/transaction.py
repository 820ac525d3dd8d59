"""The write transaction on PostgreSQL (READ COMMITTED), for several processes at once.

- **Keys and references** are taken optimistically: to look them up reserves nothing, their primary keys are
  the reservation. Two processes that were given the same reference at the same moment both find it free; the
  tail lets one of them write first, and the other's INSERT then clashes, its transaction ends with Overtaken,
  and run again it finds what the first one made. Advisory locks on every key would cost a round trip and fill
  the server's lock table (64 a connection by default) to guard against what almost never happens.
- **Streams** are locked by `pg_try_advisory_xact_lock` on 64 bits of their names, in sorted order. Nobody
  waits for one, so no two processes wait for each other: whose stream is held goes in the next batch. Keys
  are looked up after it: whoever had the stream before is seen whole, what it did and the key it did it by.
- **The tail** is one advisory lock, taken last and held until the commit can be seen: positions are dense and
  in commit order, and inserts of two processes never meet. Not an updated row: beside a long reader its dead
  versions cannot be removed, and finding the living one grew from 0.5 to 2.7 ms within 20,000 commits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import orjson
import psycopg

from hub.domain.case import Case
from hub.domain.threads.thread import Message, Thread
from hub.errors import OutcomeUnknown
from hub.ports.bus import Committed
from hub.ports.effects import Effects, Found, Wanted
from hub.store.postgres.arrays import bigs, texts
from hub.store.postgres.connections import Connection
from hub.store.postgres.dialect import Together
from hub.store.postgres.errors import translated
from hub.store.postgres.known import Saw
from hub.store.postgres.lookups import POSTGRES_SQL, LookUpsTogether
from hub.store.writing import Transaction

TAIL_LOCK: Final = 0x53696D70756C0001
TAKE_TAIL: Final = (
    f"SELECT pg_advisory_xact_lock({TAIL_LOCK}); "  # noqa: S608
    "SELECT coalesce(max(position), 0), pg_current_xact_id()::text FROM log"
)
SELECT_XID: Final = "SELECT pg_current_xact_id()::text"
LOCK_STREAMS: Final = (
    "SELECT wanted.one FROM unnest(?::text[], ?::bigint[]) AS wanted (one, hash) "
    "WHERE NOT pg_try_advisory_xact_lock(wanted.hash)"
)
NOTIFY_LOG: Final = "SELECT pg_notify('simpul_commits', ?::text)"
PAYLOAD_BYTES: Final = 7900
"""The server takes less than 8000; a commit that tells more agencies is told without them."""
NOTIFY_REGISTRY: Final = (
    "SELECT value, pg_notify('simpul_registry', value) FROM facts WHERE name = 'registry_generation'"
)

UNREPLICATED: Final = (
    "The database's wait for its synchronous standby was cancelled: what was committed is on the primary, "
    "and perhaps nowhere else. Ask again with the same key or reference."
)
Witness = tuple[int, str]
"""(position, event id) of one that a transaction wrote; the first one tells whether it took effect."""
AskOutcome = Callable[[str, Witness | None], bool]
"""(transaction id, witness) -> whether that transaction was committed; OutcomeUnknown if nobody can say."""


def notice(committed: Committed) -> str:
    """What other processes are told: `[first, last, agency, ...]`, empty where that would be too long."""
    text = orjson.dumps([committed.first, committed.last, *sorted(committed.agencies)])
    return text.decode() if len(text) <= PAYLOAD_BYTES else ""


def noticed(text: str) -> Committed | None:
    """`notice` read again; None: something was committed, and the log says what."""
    if not text:
        return None
    first, last, *agencies = orjson.loads(text)
    return Committed(first, last, frozenset(agencies))


def stream_lock(stream: str) -> int:
    """64 bits of a stream's name, never the tail's."""
    return int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=8).digest(), "big", signed=True)


class PostgresTransaction(LookUpsTogether, Transaction):
    """Made by `PostgresStore.begin`. What is written waits until it is asked for or committed, so that all
    of it and the COMMIT make one round trip."""

    def __init__(self, connection: Connection, ask: AskOutcome, saw: Saw) -> None:
        super().__init__(connection, POSTGRES_SQL)
        self._out = self._together = Together()
        self._ask, self._saw = ask, saw
        self._xid: str | None = None
        self._waiting: list[Effects] = []
        self._witness: Witness | None = None
        self._first = 0
        self._last: Witness = (0, "")
        self._told: set[str] = set()
        self.generation: int | None = None

    def lock(self, streams: Sequence[str]) -> set[str]:
        if not streams:
            return set()
        hashed = sorted((stream_lock(stream), stream) for stream in streams)
        wanted = texts(stream for _, stream in hashed), bigs(number for number, _ in hashed)
        return {row[0] for row in self._db.execute(LOCK_STREAMS, wanted)}

    def tail(self) -> int:
        """Two statements, since a statement sees what was committed when it began: the lock, then the end."""
        self._flush()
        position, self._xid = self._db.cursor().last_of(TAKE_TAIL)
        return int(position)

    def write(self, effects: Effects) -> None:
        self._flush()  # a rebuild writes without end
        self._waiting.append(effects)
        if effects.events:
            first, last = effects.events[0], effects.events[-1]
            self._last = last.position, last.id
            self._first = self._first or first.position
            self._witness = self._witness or (first.position, first.id)
            self._told.update(entry.agency for entry in effects.mailbox)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            with translated():
                self._send(waiting)

    def look_up(self, wanted: Wanted) -> Found:
        self._flush()
        return super().look_up(wanted)

    def load_cases(self, case_ids: Sequence[str]) -> dict[str, Case]:
        self._flush()
        return super().load_cases(case_ids)

    def load_threads(self, thread_ids: Sequence[str]) -> dict[str, Thread]:
        self._flush()
        return super().load_threads(thread_ids)

    def load_messages(self, message_ids: Sequence[str]) -> dict[str, Message]:
        self._flush()
        return super().load_messages(message_ids)

    def commit(self) -> None:
        self._db.unreplicated = False
        if self._xid is None and (self._waiting or self._db.in_transaction):
            self._xid = self._db.execute(SELECT_XID).fetchone()[0]
        try:
            with translated():
                self._finish()
        except Exception:
            if self._xid is None or self._db.is_alive():
                raise
            with suppress(psycopg.Error):
                self._db.close()
            if not self._ask(self._xid, self._witness):
                raise
        if self._last[0]:
            self._saw(*self._last)
        if self._db.unreplicated:
            raise OutcomeUnknown(UNREPLICATED)

    def _finish(self) -> None:
        waiting, self._waiting = self._waiting, []
        told = None
        with self._db.pipeline():
            self._send(waiting)
            if self._last[0]:
                committed = Committed(self._first, self._last[0], frozenset(self._told))
                self._db.execute(NOTIFY_LOG, (notice(committed),))
            if self._db.registry_changed:
                told = self._db.execute(NOTIFY_REGISTRY)
            self._db.execute("COMMIT")
        if told is not None:
            self.generation = int(told.fetchone()[0])

    def _send(self, waiting: Sequence[Effects]) -> None:
        for effects in waiting:
            super().write(effects)
            self._together.send(self._db)

    def _destroy(self, effects: Effects) -> None:
        self._together.send(self._db)
        super()._destroy(effects)

    def rollback(self) -> None:
        self._waiting.clear()
        with translated():
            self._db.end()
