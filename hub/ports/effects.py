"""What a transaction reads before it decides, and the whole effect that it then writes: rows as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.domain.agency import Agency
from hub.domain.case import Case
from hub.domain.dated_facts import DatedFact
from hub.domain.events import Recorded
from hub.domain.threads.thread import Message, Thread
from hub.ports.files import FileHolding
from hub.ports.handovers import Departed
from hub.ports.relaying import DeadLetter, Place, RecordAnswer
from hub.ports.sealing import WrappedKey


@dataclass(frozen=True, slots=True)
class Reference:
    """An agency's own reference of a complaint and the case it became."""

    agency: str
    reference: str
    case_id: str
    accepted_at: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """An idempotency row: the write that took effect under this key. Status and ids, never a body."""

    key: bytes
    body: bytes
    status: int
    kind: str
    ids: tuple[str, ...]
    created_at: str


@dataclass(frozen=True, slots=True)
class Head:
    """A stream's last sequence and chain hash."""

    sequence: int
    chain: bytes


@dataclass(frozen=True, slots=True)
class MailboxEntry:
    """Position `position` of `agency`'s mailbox names the event at `event` in the log."""

    agency: str
    position: int
    event: int


@dataclass(frozen=True, slots=True)
class Identity:
    """A case's vault row: the reporter's identity and the citizen's own words, sealed."""

    case_id: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a transaction is asked for at once: each list without repeats, in sorted order."""

    remembered: Sequence[bytes] = ()
    """Idempotency keys."""
    references: Sequence[tuple[str, str]] = ()
    """(agency, reference)"""
    cases: Sequence[str] = ()
    heads: Sequence[str] = ()
    """Streams."""
    keys: Sequence[str] = ()
    """Streams."""
    identities: Sequence[str] = ()
    """Cases."""
    agencies: Sequence[str] = ()
    clients: Sequence[str] = ()
    """Clients and officers who must still be active."""


@dataclass(slots=True)
class Found:
    """Of what was wanted, what there is; `inactive` are the clients that are not active, or not there."""

    remembered: dict[bytes, Remembered] = field(default_factory=dict)
    references: dict[tuple[str, str], Reference] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)
    keys: dict[str, WrappedKey] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    agencies: dict[str, Agency] = field(default_factory=dict)
    inactive: set[str] = field(default_factory=set)

    def add(self, more: Found) -> None:
        """What was asked for afterwards."""
        self.remembered |= more.remembered
        self.references |= more.references
        self.cases |= more.cases
        self.heads |= more.heads
        self.keys |= more.keys
        self.identities |= more.identities
        self.agencies |= more.agencies
        self.inactive |= more.inactive


@dataclass(slots=True)
class Effects:
    """Everything that one transaction writes, gathered first so that it goes in as few statements."""

    keys: list[WrappedKey] = field(default_factory=list)
    events: list[Recorded] = field(default_factory=list)
    mailbox: list[MailboxEntry] = field(default_factory=list)
    new_cases: list[Case] = field(default_factory=list)
    changed_cases: list[Case] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    remembered: list[Remembered] = field(default_factory=list)
    agencies: list[Agency] = field(default_factory=list)
    dated_facts: list[DatedFact] = field(default_factory=list)
    holders: list[FileHolding] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    rooms: list[Thread] = field(default_factory=list)
    """Those of the threads whose participants or commitments changed."""
    messages: list[Message] = field(default_factory=list)
    next_offsets: dict[tuple[str, int], Place] = field(default_factory=dict)
    """Of inbound (topic, partition): where reading goes on, stored with the effect of what was read."""
    record_answers: list[RecordAnswer] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    departed: list[Departed] = field(default_factory=list)
    destroyed: list[str] = field(default_factory=list)
    """Streams of erased cases, and of threads all of whose cases are erased: key, vault row, wrapped file
    keys and messages' words go, and the database notes that its disk must be purged
    (`ProcessStore.purge`)."""
