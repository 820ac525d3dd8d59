"""The state that one batch decides on: what was loaded, overlaid with what the batch has decided so far.

Every decision is staged first and adopted only when it is complete, so that a command which is refused or
crashes half-way leaves no trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.domain.agency import Agency
from hub.domain.audience import duplicates
from hub.domain.case import Case, CaseLink
from hub.domain.commands import (
    Erase,
    EraseRetained,
)
from hub.domain.dated_facts import DatedFact
from hub.domain.events import NO_CHAIN, agency_stream, thread_stream
from hub.domain.handover import HandOver
from hub.domain.threads.commands import (
    EditMessage,
    PostMessage,
    WithdrawMessage,
)
from hub.domain.threads.thread import Message, Thread
from hub.ports.effects import (
    Head,
    Identity,
    Reference,
    Remembered,
)
from hub.ports.files import FileHolding, UploadedFile
from hub.ports.handovers import Departed
from hub.ports.relaying import Origin, Place
from hub.ports.sealing import StreamKey, WrappedKey
from hub.ports.store import WriteTransaction
from hub.service.needs import agencies_of, agency_streams_of
from hub.service.requests import (
    INTERNAL,
    ChangeAgency,
    Request,
)

CHANGES_MESSAGE: Final = (EditMessage, WithdrawMessage)


@dataclass(frozen=True, slots=True)
class Appended:
    """An event that waits for its position."""

    stream: str
    sequence: int
    id: str
    header: bytes
    sealed: bytes | None
    chain: bytes
    recipients: tuple[str, ...]


@dataclass(slots=True)
class Staged:
    """What one command would change: events of one stream, and what they make of what it is about."""

    stream: str
    head: Head
    events: list[Appended] = field(default_factory=list)
    case: Case | None = None
    agency: Agency | None = None
    key: StreamKey | None = None
    holders: list[FileHolding] = field(default_factory=list)
    dated_facts: list[DatedFact] = field(default_factory=list)
    thread: Thread | None = None
    room_changed: bool = False
    """Participants or commitments of the thread are others than before."""
    messages: list[Message] = field(default_factory=list)
    shared: list[Case] = field(default_factory=list)
    """Cases that the thread is about, where it changes who sees them."""


@dataclass(slots=True)
class Overlay:
    remembered: dict[bytes, Remembered]
    references: dict[tuple[str, str], Reference]
    cases: dict[str, Case]
    heads: dict[str, Head]
    wrapped: dict[str, WrappedKey]
    agencies: dict[str, Agency]
    inactive: set[str]
    files: dict[tuple[str, str], UploadedFile]
    threads: dict[str, Thread] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    officers: dict[str, str] = field(default_factory=dict)
    """Of those that the batch mentions and whose accounts are active: the agency."""
    next_offsets: dict[tuple[str, int], Place] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    """Streams that another process works on just now."""
    stopped: set[tuple[str, int]] = field(default_factory=set)
    """Inbound partitions of which a record was held: what follows it there must wait with it."""
    keys: dict[str, StreamKey] = field(default_factory=dict)
    events: list[Appended] = field(default_factory=list)
    holders: list[FileHolding] = field(default_factory=list)
    dated_facts: list[DatedFact] = field(default_factory=list)
    new_cases: set[str] = field(default_factory=set)
    changed_cases: set[str] = field(default_factory=set)
    changed_agencies: set[str] = field(default_factory=set)
    new_keys: list[StreamKey] = field(default_factory=list)
    changed_threads: set[str] = field(default_factory=set)
    changed_rooms: set[str] = field(default_factory=set)
    changed_messages: set[str] = field(default_factory=set)
    destroyed: list[str] = field(default_factory=list)
    """Streams whose keys go: erased cases, and the threads of which the last case was erased."""
    departed: list[Departed] = field(default_factory=list)
    identities: dict[str, Identity] = field(default_factory=dict)
    """Sealed, of the cases whose reporters officers' words must not name."""

    @classmethod
    def load(cls, txn: WriteTransaction, batch: Sequence[Request]) -> Overlay:
        """Locks, reserves and loads everything that the batch needs, each group in sorted order. The locks
        come first: a request that another process did just now has let go of its streams and is remembered,
        or it still holds them and this one waits. Looked up before, it would be new, and its streams already
        changed by itself."""
        held = txn.lock(sorted({name for r in batch for name in _changed_streams(r)}))
        remembered = txn.reserve_keys(sorted({r.idempotency.key for r in batch if r.idempotency}))
        references = txn.reserve_references(sorted({r.reference for r in batch if r.reference}))
        wanted = {case_id for r in batch for case_id in r.case_ids}
        wanted |= {reference.case_id for reference in references.values()}
        cases = sorted(wanted)
        agencies = sorted({name for r in batch for name in agencies_of(r)})
        threads = sorted({name for r in batch for name in r.thread_ids})
        rooms = {thread_stream(name) for name in threads}
        streams = sorted(
            wanted | rooms | {agency_stream(name) for r in batch for name in agency_streams_of(r)}
        )
        loaded = txn.load_cases(cases) if cases else {}
        loaded |= _load_linked(txn, loaded, batch)
        if about := _threads_about(batch, loaded):
            held |= txn.lock(sorted({thread_stream(name) for name in about} - rooms))
            threads = sorted({*threads, *about})
        known = txn.load_threads(threads) if threads else {}
        if (
            others := {name for each in about & known.keys() for name in known[each].state.cases}
            - loaded.keys()
        ):
            loaded |= txn.load_cases(sorted(others))
        spoken_of = _spoken_of(batch, known)
        if beside := (spoken_of | _written_to(batch)) - loaded.keys():  # to read, not to change
            loaded |= txn.load_cases(sorted(beside))
        sealed = sorted({*streams, *spoken_of})
        return cls(
            remembered,
            references,
            loaded,
            txn.load_heads(streams) if streams else {},
            txn.load_keys(sealed) if sealed else {},
            _load_agencies(txn, agencies, batch),
            txn.inactive_clients(sorted({r.principal.client_id for r in batch} - INTERNAL)),
            txn.load_files(sorted({(file.sha256, r.principal.agency) for r in batch for file in r.files})),
            known,
            _load_messages(txn, batch),
            _load_officers(txn, batch),
            _next_offsets(txn, batch),
            held,
            identities=txn.load_identities(sorted(spoken_of)) if spoken_of else {},
        )

    def is_held(self, request: Request) -> bool:
        """Whether the request must wait for a later batch. Of inbound records no later one may take effect
        before an earlier one of its partition, or that would count as taken."""
        if not self.held:
            return False
        partition = (request.origin.topic, request.origin.partition) if request.origin else None
        streams = _changed_streams(request)
        streams |= {thread_stream(name) for name in _threads_about([request], self.cases)}
        if partition not in self.stopped and self.held.isdisjoint(streams):
            return False
        if partition:
            self.stopped.add(partition)
        return True

    def has_taken(self, origin: Origin) -> bool:
        """Whether this record, or a later one of its partition, took effect before."""
        place = self.next_offsets.get((origin.topic, origin.partition))
        return place is not None and place.is_of(origin.topic_id) and origin.offset < place.offset

    def owner_of(self, linked: CaseLink) -> str:
        """Who owns a linked case now."""
        case = self.cases.get(linked.case)
        return case.state.owner if case else linked.agency

    def head(self, stream: str) -> Head:
        return self.heads.get(stream) or Head(0, NO_CHAIN)

    def adopt(self, staged: Staged, *, new: bool = False) -> None:
        """Makes a complete decision part of the batch."""
        stream = staged.stream
        self.events.extend(staged.events)
        self.holders.extend(staged.holders)
        self.dated_facts.extend(staged.dated_facts)
        self.heads[stream] = staged.head
        if staged.key is not None:
            self.keys[stream] = staged.key
        if staged.case is not None:
            self.cases[stream] = staged.case
            (self.new_cases if new else self.changed_cases).add(stream)
        if staged.thread is not None:
            self._adopt_thread(staged, staged.thread)
        if staged.agency is not None:
            self.agencies[staged.agency.id] = staged.agency
            self.changed_agencies.add(staged.agency.id)

    def _adopt_thread(self, staged: Staged, thread: Thread) -> None:
        name = thread.state.id
        self.threads[name] = thread
        self.changed_threads.add(name)
        if staged.room_changed:
            self.changed_rooms.add(name)
        for message in staged.messages:
            self.messages[message.state.id] = message
            self.changed_messages.add(message.state.id)
        for case in staged.shared:
            self.cases[case.state.id] = case
            self.changed_cases.add(case.state.id)


def _changed_streams(request: Request) -> set[str]:
    """The existing streams that a request may append to. A new complaint's is nobody else's yet."""
    streams = set(request.case_ids) | {agency_stream(name) for name in agency_streams_of(request)}
    return streams | {thread_stream(name) for name in request.thread_ids}


def _threads_about(batch: Sequence[Request], cases: Mapping[str, Case]) -> set[str]:
    """The threads about the cases that are to be erased: they may go with them."""
    erased = [
        cases[r.command.case_id] for r in batch if isinstance(r.command, Erase) if r.command.case_id in cases
    ]
    return {room.thread for case in erased for room in case.state.rooms}


def _spoken_of(batch: Sequence[Request], threads: Mapping[str, Thread]) -> set[str]:
    """The cases whose reporters might be named in words that are not masked yet."""
    worded = [request for request in batch if request.words]
    rooms = [threads[name] for request in worded for name in request.thread_ids if name in threads]
    named = {case_id for request in worded for case_id in request.case_ids}
    return named | {case_id for thread in rooms for case_id in thread.state.cases}


def _written_to(batch: Sequence[Request]) -> set[str]:
    """The cases whose reporters a message names: it needs one that is not erased."""
    return {name for r in batch if isinstance(r.command, PostMessage) for name in r.command.cases}


def _load_officers(txn: WriteTransaction, batch: Sequence[Request]) -> dict[str, str]:
    named = {name for r in batch if isinstance(r.command, PostMessage) for name in r.command.mentions}
    named |= {each.id for r in batch if isinstance(r.command, HandOver) for each in r.command.officers}
    return txn.officers_agencies(sorted(named)) if named else {}


def _load_messages(txn: WriteTransaction, batch: Sequence[Request]) -> dict[str, Message]:
    """Those that are there already. A new one's id names nothing."""
    named = sorted({r.command.message_id for r in batch if isinstance(r.command, CHANGES_MESSAGE)})
    return txn.load_messages(named) if named else {}


def _load_linked(txn: WriteTransaction, loaded: dict[str, Case], batch: Sequence[Request]) -> dict[str, Case]:
    """To read, not to change: whoever owns a duplicate now is offered the answer; and a case that is linked
    with an open one is kept."""
    named = {each.case for case in loaded.values() for each in duplicates(case.state)}
    kept = [r.command.case_id for r in batch if isinstance(r.command, EraseRetained)]
    named |= {each.case for name in kept if name in loaded for each in loaded[name].state.links}
    named -= loaded.keys()
    return txn.load_cases(sorted(named)) if named else {}


def _next_offsets(txn: WriteTransaction, batch: Sequence[Request]) -> dict[tuple[str, int], Place]:
    partitions = {(r.origin.topic, r.origin.partition) for r in batch if r.origin}
    return txn.next_offsets(sorted(partitions)) if partitions else {}


def _load_agencies(
    txn: WriteTransaction, wanted: Sequence[str], batch: Sequence[Request]
) -> dict[str, Agency]:
    """The agencies, and the one above each that is changed: who does not name the parent keeps it."""
    found = txn.load_agencies(wanted)
    changed = {r.command.agency_id for r in batch if isinstance(r.command, ChangeAgency)} & found.keys()
    parents = {parent for name in changed if (parent := found[name].parent)} - found.keys()
    return found | (txn.load_agencies(sorted(parents)) if parents else {})
