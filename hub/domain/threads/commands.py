"""What an agency wants of a thread. Texts are masked already and ids are given, as in a case's commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OpenThread:
    """`participants` come beside the agency that opens it."""

    action = "open_thread"
    thread_id: str
    subject: str
    cases: tuple[str, ...]
    participants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PostMessage:
    """`officer`: who of the agency wrote it, where its system posts; `officer_id` where an account does.
    `cases`: with scope `reporter`, those whose reporters it is for (none: all). `attachments` are
    {sha256, media_type, size} with the name among `names` (a name is text)."""

    action = "post_message"
    thread_id: str
    message_id: str
    text: str
    scope: str
    officer: str | None = None
    officer_id: str | None = None
    mentions: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    attachments: tuple[dict[str, Any], ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EditMessage:
    action = "change_message"
    thread_id: str
    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class WithdrawMessage:
    action = "change_message"
    thread_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class AddParticipant:
    """`history` is all or from_now: what the agency sees of what was written before. `cases` are the
    thread's, which change with it."""

    action = "add_participant"
    thread_id: str
    cases: tuple[str, ...]
    agency: str
    history: str
    officers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoveParticipant:
    """The agency leaves, or is shown out by who opened the thread."""

    action = "remove_participant"
    thread_id: str
    cases: tuple[str, ...]
    agency: str


@dataclass(frozen=True, slots=True)
class MakeCommitment:
    action = "commit"
    thread_id: str
    commitment_id: str
    agency: str
    text: str
    due_on: str
    officer: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeCommitment:
    action = "commit"
    thread_id: str
    commitment_id: str
    due_on: str
    reason: str


@dataclass(frozen=True, slots=True)
class FulfilCommitment:
    action = "commit"
    thread_id: str
    commitment_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Conclude:
    action = "conclude"
    thread_id: str
    text: str
    despite_open_commitments: bool = False


@dataclass(frozen=True, slots=True)
class ReopenThread:
    action = "reopen_thread"
    thread_id: str


@dataclass(frozen=True, slots=True)
class WakeThread:
    """Time has passed: commitments that are late by now are recorded as missed. The hub's own wish."""

    action = "wake_thread"
    thread_id: str


ThreadCommand = (
    OpenThread
    | PostMessage
    | EditMessage
    | WithdrawMessage
    | AddParticipant
    | RemoveParticipant
    | MakeCommitment
    | ChangeCommitment
    | FulfilCommitment
    | Conclude
    | ReopenThread
    | WakeThread
)
