"""What an event of the hub says, flattened to the parameters that configured statements may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

from schemas.events import name_of

PARAMETERS = (
    "event_id", "type", "case_id", "tracking_number", "status", "agency", "owner", "forwarding_id", "to",
    "role", "note", "text", "reason", "time", "local_time", "local_date", "source_agency", "source_reference",
    "title", "description", "category", "classification", "region", "address", "submitted_at",
    "suggested_agency", "due_at", "due_on", "consultation_id", "question", "verdict",
    "thread_id", "thread_status", "thread_subject", "cases", "message_id", "scope", "officer",
    "commitment_id",
)  # fmt: skip
ERASED, RECEIPTED = "reporter.erased", "reporter.erasure_receipted"
ANSWERED = "complaint.answered"
HUB = "hub"
"""The agency in whose name the hub itself acts."""
HANDED_OVER = "agency.handed_over"
_NEEDED = ("id", "type", "time", "subject")
_ADDRESSED = {"forwarding.sent": ("forwarding", "to"), "consultation.requested": ("consultation", "agency")}
"""Type of an event -> where it names whose work it is."""


def is_event(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether it is a CloudEvent as the hub gives them: `id`, `type`, `time` (RFC 3339) and `subject` as
    text, and a `sequence`, where it has one, that is a number in decimal digits. What its data says is looked
    at where it is used."""
    if not isinstance(value, dict) or not all(isinstance(value.get(name), str) for name in _NEEDED):
        return False
    sequence = value.get("sequence", "0")
    if not (isinstance(sequence, str) and sequence.isascii() and sequence.isdigit()):
        return False
    try:
        return datetime.fromisoformat(value["time"]).tzinfo is not None
    except ValueError:
        return False


def short_type(event: Mapping[str, Any]) -> str:
    """`forwarding.sent` of `id.simpul.forwarding.sent.v1`."""
    return name_of(str(event.get("type", "")))


def concerns_connector(event: Mapping[str, Any]) -> bool:
    """Whether the connector itself must act on it, whatever the agency wants to hear: a case was erased, or
    the work on one passed to another agency."""
    if short_type(event) == HANDED_OVER:
        return "case_id" in _table(event.get("data"))
    return short_type(event) == ERASED


def is_stranding(event: Mapping[str, Any]) -> bool:
    """Whether the hub itself took a forwarding back (its agency was deactivated), so that nobody leads the
    case any more."""
    data = _table(event.get("data"))
    by_hub = data.get("agency") == HUB and data.get("status") == "verified"
    return short_type(event) == "forwarding.withdrawn" and by_hub


def sequence_of(event: Mapping[str, Any]) -> int:
    """The event's place in its case (the CloudEvents extension `sequence`); it only rises."""
    return int(event["sequence"])


def is_wanted(event: Mapping[str, Any], types: Sequence[str], agency: str) -> bool:
    """Whether its type is among `types` (short or full, or "*"), and it may be seen. A case that was
    forwarded to somebody else beside `agency`, or about which somebody else was asked, is no work of its own,
    though it may know of it."""
    data = _table(event.get("data"))
    if data.get("withheld"):
        return False
    whom = _ADDRESSED.get(short_type(event))
    if whom and _table(data.get(whom[0])).get(whom[1]) != agency:
        return False
    return "*" in types or short_type(event) in types or event.get("type") in types


def parameters_of(event: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str | None]:
    """Every name in PARAMETERS; what an event does not have is NULL. `text` is an answer's or a progress's,
    `agency` who acted (of an answer: whose it is), `local_time` and `local_date` are the event's time on the
    agency's clock, without a zone; `due_at`, `due_on` the deadline of the forwarding, consultation or
    commitment. An event of a thread has no `case_id` and no `status`, which are a case's; its `cases` are the
    ids of those whose reporters a message is for, else of all the thread's, with commas."""
    data = _table(event.get("data"))
    forwarding, complaint = _table(data.get("forwarding")), _table(data.get("complaint"))
    source, location = _table(complaint.get("source")), _table(complaint.get("location"))
    answer = _table(data.get("answer"))
    asked = _table(data.get("consultation"))
    threaded = _of_thread(data)
    said, its_due = threaded.pop("text"), threaded.pop("due_at")
    moment = local(event["time"], zone)
    due = local(forwarding.get("due_at") or asked.get("due_at") or its_due, zone)
    found = {
        "event_id": event.get("id"),
        "type": short_type(event),
        **{name: data.get(name) for name in ("case_id", "tracking_number", "status", "owner")},
        "agency": answer.get("agency") or _table(data.get("agency")).get("id") or data.get("agency"),
        "forwarding_id": forwarding.get("id") or answer.get("forwarding_id"),
        "to": forwarding.get("to") or data.get("to"),
        "role": forwarding.get("role"),
        "note": forwarding.get("note"),
        "text": data.get("text") or answer.get("text") or asked.get("text") or said,
        "reason": data.get("reason") or forwarding.get("reason"),
        "time": event["time"],
        "local_time": moment,
        "local_date": moment and moment[:10],
        "source_agency": source.get("agency"),
        "source_reference": source.get("reference"),
        **{name: complaint.get(name) for name in ("title", "description", "category", "classification")},
        "region": location.get("region"),
        "address": location.get("address"),
        "submitted_at": complaint.get("submitted_at"),
        "suggested_agency": forwarding.get("suggested_agency") or asked.get("suggested_agency"),
        "due_at": due,
        "due_on": due and due[:10],
        "consultation_id": asked.get("id"),
        "question": asked.get("question"),
        "verdict": asked.get("verdict"),
        **threaded,
    }
    return {name: None if found[name] is None else str(found[name]) for name in PARAMETERS}


def _of_thread(data: Mapping[str, Any]) -> dict[str, Any]:
    """What an event of a coordination thread says beside; nothing of it where it is about a case."""
    message, commitment = _table(data.get("message")), _table(data.get("commitment"))
    opened, concluded = _table(data.get("thread")), _table(data.get("conclusion"))
    cases = message.get("cases") or data.get("cases")
    found = {
        "thread_id": data.get("thread_id"),
        "thread_subject": opened.get("subject"),
        "cases": ",".join(cases) if isinstance(cases, list) else None,
        "message_id": message.get("id"),
        "scope": message.get("scope"),
        "officer": _table(message.get("author")).get("officer") or commitment.get("officer"),
        "commitment_id": commitment.get("id"),
        "due_at": commitment.get("due_at"),
        "text": message.get("text") or commitment.get("text") or concluded.get("text"),
        "thread_status": None,
    }
    return found | ({"thread_status": data.get("status"), "status": None} if data.get("thread_id") else {})


def local(moment: Any, zone: ZoneInfo) -> str | None:
    """RFC 3339 -> date and time on the agency's clock, as a DATETIME column takes it."""
    if not moment:
        return None
    return datetime.fromisoformat(str(moment)).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
