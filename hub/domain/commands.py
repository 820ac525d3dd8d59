"""Commands: what an agency wants. Texts in them are masked already and ids are given, so that deciding is
pure and repeatable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SubmitComplaint:
    """A checked, split and sealed complaint (see `service.intake`). `masked` is the words as others read
    them; `sealed` the event's payload under the new case's key."""

    action = "submit"
    case_id: str
    tracking_number: str
    event_id: str
    clear: dict[str, Any]
    masked: dict[str, Any]
    sealed: bytes
    content_digest: str


@dataclass(frozen=True, slots=True)
class Verify:
    action = "verify"
    case_id: str
    decision: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """One leg to be: `leg_id` is given beforehand, `role` is lead or support."""

    leg_id: str
    agency: str
    role: str


@dataclass(frozen=True, slots=True)
class Forward:
    action = "forward"
    case_id: str
    to: tuple[Recipient, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    action = "accept"
    case_id: str
    leg_id: str


@dataclass(frozen=True, slots=True)
class Return:
    action = "return"
    case_id: str
    leg_id: str
    reason: str
    text: str | None = None
    suggested_agency: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    action = "progress"
    case_id: str
    leg_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`attachments` are {sha256, media_type, size} with the name among `names` (a name is text)."""

    action = "answer"
    case_id: str
    leg_id: str
    text: str
    attachments: tuple[dict[str, Any], ...] = ()
    names: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Withdraw:
    action = "withdraw"
    case_id: str
    leg_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reconsider:
    """The holder of a leg that cannot be returned asks its sender to think again."""

    action = "reconsider"
    case_id: str
    leg_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Consult:
    """`consultation_id` is given beforehand."""

    action = "consult"
    case_id: str
    consultation_id: str
    agency: str
    question: str


@dataclass(frozen=True, slots=True)
class Advise:
    """The answer to a consultation; `verdict` is ours, partly or not_ours."""

    action = "advise"
    case_id: str
    consultation_id: str
    verdict: str
    suggested_agency: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Close:
    action = "close"
    case_id: str
    reason: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    action = "reopen"
    case_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The reporter's own words, through the source app."""

    action = "reply"
    case_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Escalate:
    """To the Ombudsman. That the reporter agrees is part of the record."""

    action = "escalate"
    case_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadReporter:
    """Somebody wants the reporter's identity, and says what for. `officer_id`: whose session it is, None for
    a system."""

    action = "identity"
    case_id: str
    purpose: str
    officer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Erase:
    """Destroys the case's words and the reporter's identity for good. `reason` is masked; None where an
    erasure is done again after a restore, which keeps ids alone."""

    action = "erase"
    case_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class EraseRetained(Erase):
    """The same by the passing of time: the retention of an ended case has run out."""

    reason: str | None = "retention"


@dataclass(frozen=True, slots=True)
class ConfirmErasure:
    """A holder of a copy says that it is gone."""

    action = "confirm_erasure"
    case_id: str


@dataclass(frozen=True, slots=True)
class Link:
    """`case_id` belongs to `other_id`: it is its duplicate, or related."""

    action = "link"
    case_id: str
    other_id: str
    relation: str


@dataclass(frozen=True, slots=True)
class Unlink:
    action = "link"
    case_id: str
    other_id: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: what the case's clocks have to say is recorded. Nobody's wish but the hub's."""

    action = "tick"
    case_id: str


@dataclass(frozen=True, slots=True)
class PassOn:
    """`agency` was deactivated: what of the case waits for it passes on. Nobody's wish but the hub's."""

    action = "pass_on"
    case_id: str
    agency: str


LegCommand = Accept | Return | Progress | Answer | Withdraw | Reconsider
WholeCommand = Verify | Consult | Forward | Reply | Escalate | Link | Unlink | Close | Reopen | ReadReporter
ErasureCommand = Erase | ConfirmErasure
CaseCommand = SubmitComplaint | WholeCommand | LegCommand | Advise | ErasureCommand | Tick | PassOn


def part_of(command: object) -> str | None:
    """The id of the forwarding or the consultation that the command is about, None where it is about the case
    alone. A Consult names one that is not there yet."""
    if isinstance(command, Advise):
        return command.consultation_id
    part: str | None = getattr(command, "leg_id", None)
    return part
