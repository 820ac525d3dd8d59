"""The state that one batch decides on: what was loaded, overlaid with what the batch has decided so far.

Every decision is staged first and adopted only when it is complete, so that a command which is refused or
crashes half-way leaves no trace. What time alone has made of a case is adopted by itself: it holds whatever
becomes of the command that found it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.domain.agency import Agency
from hub.domain.case import Case, CaseLink
from hub.domain.dated_facts import DatedFact
from hub.domain.events import NO_CHAIN, thread_stream
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
from hub.service.needs import streams_of, threads_about
from hub.service.requests import Request


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
    """`hub.service.loading` makes it."""

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
    """Inbound partitions of which a record waits: what follows it there must wait with it."""
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

    def is_held(self, request: Request) -> bool:
        """Whether the request must wait for a later batch. Of inbound records no later one may take effect
        before an earlier one of its partition, or that would count as taken."""
        if request.origin is not None and request.origin.partition_of_topic in self.stopped:
            return True
        if not self.held:
            return False
        streams = streams_of(request)
        streams |= {thread_stream(name) for name in threads_about([request], self.cases)}
        if self.held.isdisjoint(streams):
            return False
        if request.origin is not None:
            self.stop(request.origin)
        return True

    def stop(self, origin: Origin) -> None:
        """What follows this record in its partition waits with it."""
        self.stopped.add(origin.partition_of_topic)

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
