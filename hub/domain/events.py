"""Events: the draft that a decision makes, and the recorded event whose bytes are the truth."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from hub.domain.copies import read

TYPE_PREFIX: Final = "id.simpul."
NO_CHAIN: Final = bytes(32)
_AGENCY: Final = "agency/"
_THREAD: Final = "thread/"

READING: Final = "reporter.read"
"""Somebody was given the reporter's identity. It says so, and changes nothing about the case."""
ERASURE: Final = "reporter.erased"
"""The case's key was destroyed: its words and the reporter's identity are gone for good."""
RECEIPT: Final = "reporter.erasure_receipted"
"""Somebody who held a copy says that it is gone."""
CASE_EVENTS: Final = (
    "complaint.submitted",
    "complaint.verified",
    "complaint.incomplete",
    "complaint.rejected",
    "complaint.replied",
    "complaint.answered",
    "complaint.closed",
    "complaint.reopened",
    "complaint.linked",
    "complaint.unlinked",
    "complaint.escalated",
    "consultation.requested",
    "consultation.answered",
    "forwarding.sent",
    "forwarding.accepted",
    "forwarding.returned",
    "forwarding.progressed",
    "forwarding.answered",
    "forwarding.withdrawn",
    "forwarding.reconsideration_requested",
    "deadline.approaching",
    "deadline.missed",
    READING,
    ERASURE,
    RECEIPT,
)
THREAD_EVENTS: Final = (
    "thread.opened",
    "thread.message_posted",
    "thread.message_edited",
    "thread.message_withdrawn",
    "thread.participant_added",
    "thread.participant_left",
    "thread.commitment_made",
    "thread.commitment_changed",
    "thread.commitment_fulfilled",
    "thread.commitment_missed",
    "thread.concluded",
    "thread.reopened",
)
HANDED_OVER: Final = "agency.handed_over"
"""One for each case whose work passed on, folded into that case, and one that sums the handover up."""
AGENCY_EVENTS: Final = ("agency.registered", "agency.changed", HANDED_OVER)
RULE_EVENTS: Final = ("calendar.changed", "policy.changed")
"""Dated facts by which deadlines are derived, in the stream of the agency `hub`."""
EVENT_TYPES: Final = CASE_EVENTS + THREAD_EVENTS + AGENCY_EVENTS + RULE_EVENTS


@dataclass(frozen=True, slots=True)
class Draft:
    """What a decision wants to happen. `facts` are clear; `texts` are masked words, sealed
    before anything is stored; the citizen's own, where they differ, are in `sealed` already."""

    type: str
    facts: dict[str, Any]
    texts: dict[str, Any] = field(default_factory=dict)
    id: str | None = None
    """Given when the event was sealed beforehand; else the transaction gives one."""
    sealed: bytes | None = None
    passes_on: bool = False
    """The next event of the same command gives the case another owner."""


@dataclass(frozen=True)
class Fact:
    """A recorded event's clear header: all that `evolve` and rendering need besides the texts."""

    id: str
    type: str
    time: str
    stream: str
    sequence: int
    actor: str
    recipients: dict[str, str]
    """agency -> its relation to the case when this happened."""
    data: dict[str, Any]

    def to_bytes(self) -> bytes:
        return orjson.dumps(self)

    @staticmethod
    def from_bytes(header: bytes) -> Fact:
        document = orjson.loads(header)
        return read(OfficersFact if "officer" in document else Fact, document)

    @property
    def officer_id(self) -> str | None:
        """The account of the officer who acted; None for a client, the hub's clock and its command line."""
        found: str | None = self.__dict__.get("officer")
        return found

    @property
    def subject(self) -> str:
        return self.stream.rpartition("/")[2]


@dataclass(frozen=True)
class OfficersFact(Fact):
    """The header of what an officer did in a session: the one with an `officer`, an account's opaque id and
    never a name. A class of its own, so that the header of everything else is what it always was."""

    officer: str


@dataclass(frozen=True, slots=True)
class By:
    """Who did it and when (RFC 3339 in UTC). `officer`: the account of who gave the command in a session."""

    agency: str
    at: str
    officer: str | None = None


def fact_of(draft: Draft, name: str, stream: str, sequence: int, by: By) -> Fact:
    """The header of `draft` as the event `name`, with its recipients still to come."""
    if by.officer is None:
        return Fact(name, draft.type, by.at, stream, sequence, by.agency, {}, draft.facts)
    return OfficersFact(name, draft.type, by.at, stream, sequence, by.agency, {}, draft.facts, by.officer)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of the log. `position` is dense over the whole log, in commit order."""

    position: int
    stream: str
    sequence: int
    id: str
    header: bytes
    sealed: bytes | None
    chain: bytes

    def fact(self) -> Fact:
        return Fact.from_bytes(self.header)


def event_type(name: str) -> str:
    """The CloudEvents type of what the hub calls `name`: id.simpul.<name>.v1."""
    return f"{TYPE_PREFIX}{name}.v1"


def agency_stream(agency: str) -> str:
    """The stream of an agency's own events; a case's stream is its id alone (a UUID holds no slash)."""
    return f"{_AGENCY}{agency}"


def is_agency_stream(stream: str) -> bool:
    return stream.startswith(_AGENCY)


def thread_stream(thread_id: str) -> str:
    """The stream of a coordination thread."""
    return f"{_THREAD}{thread_id}"


def thread_of(stream: str) -> str:
    """The id of the thread whose stream it is."""
    return stream.removeprefix(_THREAD)


def is_thread_stream(stream: str) -> bool:
    return stream.startswith(_THREAD)


def chain(previous: bytes, header: bytes, sealed: bytes | None) -> bytes:
    """SHA-256 over the stream's previous hash and the stored bytes; the header's length is part of it, so
    that no byte can wander between header and payload."""
    digest = hashlib.sha256(previous)
    digest.update(len(header).to_bytes(8, "big"))
    digest.update(header)
    digest.update(sealed or b"")
    return digest.digest()


def texts_document(texts: Mapping[str, Any]) -> bytes:
    return orjson.dumps(texts)
