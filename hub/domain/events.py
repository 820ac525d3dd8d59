"""Events: the draft that a decision makes, and the recorded event whose bytes are the truth."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

TYPE_PREFIX: Final = "id.simpul."
NO_CHAIN: Final = bytes(32)
_AGENCY: Final = "agency/"

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
)
AGENCY_EVENTS: Final = ("agency.registered", "agency.changed")
RULE_EVENTS: Final = ("calendar.changed", "policy.changed")
"""Dated facts by which deadlines are derived, in the stream of the agency `hub`."""
EVENT_TYPES: Final = CASE_EVENTS + AGENCY_EVENTS + RULE_EVENTS


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


@dataclass(frozen=True, slots=True)
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

    @classmethod
    def from_bytes(cls, header: bytes) -> Fact:
        return cls(**orjson.loads(header))

    @property
    def subject(self) -> str:
        return self.stream.rpartition("/")[2]


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
