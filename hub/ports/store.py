"""What the service needs of a database. Synchronous: adapters run on threads of their own.

Guarantees that every adapter gives, and the contract suite (tests/store/) holds it to:
- A write transaction is atomic and durable: after `commit` returned, its whole effect survives kill -9.
- Positions of the log are dense from 1 and in commit order: a reader that has seen n will never see a
  position below n appear. Mailbox positions are dense from 1 per agency.
- `look_up` and `load_*` see everything committed before the call; `look_up` and those of cases, threads and
  messages also what this transaction wrote. They reserve nothing. Who goes on from what they gave (a stream's
  next event, a key or a reference that was free) and meets what another process committed meanwhile is told
  by Overtaken, at the commit at the latest, and nothing of the transaction remains: run again it sees what
  the other one made. The streams that `lock` took cannot be overtaken.
- A row that the database refuses raises RowRefused and nothing of the transaction remains; a database that
  is away, full or read-only raises StoreUnavailable and nothing remains. If it is lost in the middle of a
  commit, it is asked how that ended: `commit` returns when it took effect, raises StoreUnavailable when it
  did not, and OutcomeUnknown when nobody could say in time.
- A read session sees one consistent snapshot; one from `glance` perhaps one a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from hub.domain.agency import Agency
from hub.domain.case import Case
from hub.domain.events import Recorded
from hub.domain.threads.thread import Message, Thread
from hub.ports.effects import Effects, Found, Head, Identity, Reference, Remembered, Wanted
from hub.ports.files import UploadedFile
from hub.ports.handovers import HandoverReads
from hub.ports.relaying import Place
from hub.ports.sealing import WrappedKey
from hub.ports.sweeping import SweepReads
from hub.ports.threads import ThreadReads

CHORE_PAGE: Final = 500
"""So many rows housekeeping takes at once, so that others write in between."""


class WriteTransaction(Protocol):
    """One open write transaction. Call the methods in this order: `lock`, `look_up` and what loads more, then
    `tail`, `write`. No two processes ever wait for each other in a circle."""

    def look_up(self, wanted: Wanted) -> Found:
        """Of each list of `wanted` what there is, as a mapping by what was asked for: idempotency key -> the
        write that took effect under it; (agency, reference) -> the reference and its case; case id -> case;
        stream -> its last event's sequence and chain; stream -> its wrapped key; case id -> its vault row;
        agency id -> agency. What is not there is absent: a reference that is free, a stream without events, a
        key that was destroyed. `inactive`: those of `clients` that are revoked, disabled or unknown, since
        rights are decided in the transaction again. A list left empty costs nothing and gives nothing.
        PostgreSQL is asked once for all of it: each question of its own would be a round trip."""
        ...

    def load_remembered(self, keys: Sequence[bytes]) -> dict[bytes, Remembered]:
        """The idempotency keys among `keys` that took effect before; the others are absent. Nothing is
        reserved: where another process remembers the same key meanwhile, who writes it too is told by
        Overtaken, at the commit at the latest."""
        ...

    def lock(self, streams: Sequence[str]) -> set[str]:
        """Locks streams until the end of the transaction; gives those that another process holds just now.
        Nobody is waited for: what concerns a held stream goes in a later batch. Call it before they are
        loaded."""
        ...

    def load_cases(self, case_ids: Sequence[str]) -> dict[str, Case]:
        """Those that there are, by id."""
        ...

    def load_files(self, named: Sequence[tuple[str, str]]) -> dict[tuple[str, str], UploadedFile]:
        """Of (sha256, agency) pairs those that this agency uploaded lately."""
        ...

    def officers_agencies(self, ids: Sequence[str]) -> dict[str, str]:
        """The agency of each of these officers whose account is active."""
        ...

    def load_threads(self, thread_ids: Sequence[str]) -> dict[str, Thread]: ...

    def load_messages(self, message_ids: Sequence[str]) -> dict[str, Message]: ...

    def next_offsets(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Place]:
        """Of inbound partitions that were read before: the first offset that has taken no effect yet. Locked
        until the end of the transaction, so that a woken zombie's records are dropped."""
        ...

    def tail(self) -> int:
        """Takes the end of the log (PostgreSQL: a lock that is held until the commit can be seen) and gives
        the last position, 0 when empty."""
        ...

    def mailbox_heads(self, agencies: Sequence[str]) -> dict[str, int]:
        """Last mailbox position per agency; call after `tail`."""
        ...

    def write(self, effects: Effects) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """`GET /v1/cases`. `agency` narrows to cases in which that other agency takes part; `role` is what the
    reader is to the case (owner, handler, participant). `overdue`: whether something that the case waits for
    is late by a deadline that counts; for an agency that took part and no longer does, it never is."""

    status: str | None = None
    agency: str | None = None
    region: str | None = None
    category: str | None = None
    role: str | None = None
    q: str | None = None
    updated_since: str | None = None
    overdue: bool | None = None


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox entry joined with its event and, unless erased, the key of the event's stream. `left`: its
    agency took part in the case, and does no more."""

    position: int
    event: Recorded
    key: WrappedKey | None
    left: bool = False


@dataclass(frozen=True, slots=True)
class MailboxState:
    head: int
    first: int
    cursor: int


class ReadSession(ThreadReads, HandoverReads, SweepReads, Protocol):
    """What is read; on one snapshot by `Store.read`."""

    def case(self, case_id: str) -> Case | None: ...

    def case_of_tracking(self, tracking_number: str) -> str | None:
        """The id of the case with that tracking number. It has no index: for people, not for programs."""
        ...

    def case_of_leg(self, leg_id: str) -> str | None: ...

    def cases(
        self, agency: str, wanted: CaseFilter, after: tuple[str, ...] | None, limit: int
    ) -> list[tuple[tuple[str, ...], Case]]:
        """A page of cases that `agency` takes or took part in, newest first (`updated_since`: by change,
        oldest first), each with its keyset; `after` is the keyset of the last one of the page before."""
        ...

    def reference(self, agency: str, reference: str) -> Reference | None: ...

    def identities(self, case_ids: Sequence[str]) -> dict[str, Identity]:
        """Of those among the cases that have one."""
        ...

    def keys(self, streams: Sequence[str]) -> dict[str, WrappedKey]: ...

    def stream(self, stream: str, after: int, limit: int) -> list[Recorded]:
        """Events of one stream with sequence > after."""
        ...

    def events_after(self, position: int, limit: int) -> list[Recorded]: ...

    def last_position(self) -> int: ...

    def heads(self, after: str, limit: int) -> list[tuple[str, Head]]:
        """The streams behind `after`, in the order of their bytes, as far as `limit` events reach; each with
        its last event."""
        ...

    def mailbox_state(self, agency: str) -> MailboxState: ...

    def mailbox(self, agency: str, after: int, limit: int) -> list[MailboxRow]: ...

    def mailbox_event_ids(self, agency: str, first: int, last: int) -> list[tuple[int, str]]: ...

    def submissions(self, agency: str, since: str, until: str) -> list[tuple[str, str]]:
        """(reference, case id) of complaints accepted in [since, until), sorted by reference."""
        ...

    def missing_references(self, agency: str, references: Sequence[str]) -> list[str]: ...

    def agencies(self) -> list[Agency]: ...

    def to_wake(self, until: str, limit: int) -> list[str]:
        """The ids of the cases one of whose clocks has something to say by `until` (RFC 3339 in UTC, with
        milliseconds), those that waited longest first."""
        ...

    def remembered(self, key: bytes) -> Remembered | None: ...

    def incarnation(self) -> str: ...


class MailboxCursors(Protocol):
    """What agencies have acknowledged: written outside of commands, on the writer's thread."""

    def put_cursor(self, agency: str, position: int) -> None: ...

    def trim_mailboxes(self, before: str, limit: int = CHORE_PAGE) -> int:
        """Drops acknowledged entries of events older than `before`, at the front only; how many. At most
        `limit`, of all mailboxes together: as many, and there may be more."""
        ...


class Store(Protocol):
    """The database. Adapters: `hub.store.sqlite`, `hub.store.postgres`."""

    def begin(self) -> AbstractContextManager[WriteTransaction]:
        """The process's one writer opens a transaction; leaving without `commit` rolls back."""
        ...

    def read(self) -> AbstractContextManager[ReadSession]:
        """A session on one snapshot."""
        ...

    def glance(self) -> AbstractContextManager[ReadSession]:
        """A session that may have no snapshot: a question sees what was committed before the session began,
        and perhaps what was since. For who asks one thing: a snapshot costs round trips on PostgreSQL."""
        ...

    def registry_generation(self) -> int:
        """A number that grows whenever an agency, client, key, webhook, calendar or policy changed, in
        whichever process. Cheap enough to ask at every request (a few microseconds)."""
        ...

    def close(self) -> None: ...
