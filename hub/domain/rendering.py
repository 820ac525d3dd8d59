"""What one agency sees of one event: where an event becomes the CloudEvent that agencies read.

Pure, and the same for pull, webhook and topic; `hub/service/rendered.py` says what is withheld from whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.domain.events import (
    ERASURE,
    HANDED_OVER,
    READING,
    RECEIPT,
    RULE_EVENTS,
    Fact,
    event_type,
    is_thread_stream,
)
from hub.domain.privacy import join_complaint
from hub.domain.threads.views import thread_event_data

COMMON = ("case_id", "tracking_number", "status", "owner", "anonymous", "confidential")
ESCALATION = ("from", "to", "cause", "path", "deactivated")
DEADLINE = ("deadline", "responsible_agency", "forwarding_id", "consultation_id")


def cloud_event(
    fact: Fact, texts: Mapping[str, Any] | None, *, source: str, withheld: bool = False
) -> dict[str, Any]:
    """The CloudEvent 1.0 (JSON format) of `fact`. `texts` are its masked words, {} where it has none and
    None once they were erased; `source` is the hub's public URL; `withheld` keeps the place but no data."""
    data = {"withheld": True} if withheld else event_data(fact, texts)
    return {
        "specversion": "1.0",
        "id": fact.id,
        "source": source,
        "type": event_type(fact.type),
        "time": fact.time,
        "subject": fact.subject,
        "sequence": f"{fact.sequence:010d}",
        "datacontenttype": "application/json",
        "dataschema": f"{source}/schemas/{fact.type}/1.json",
        "data": data,
    }


def event_data(fact: Fact, texts: Mapping[str, Any] | None) -> dict[str, Any]:
    """The event's `data`, as `schemas/<type>/1.json` describes it."""
    if fact.type == HANDED_OVER:
        return handover_data(fact, texts)
    if fact.type.startswith("agency."):
        return {"agency": fact.data["agency"]}
    if fact.type in RULE_EVENTS:
        return fact.data
    if is_thread_stream(fact.stream):
        return thread_event_data(fact, texts)
    data = {name: fact.data[name] for name in COMMON}
    data |= {"version": fact.sequence, "agency": fact.actor}
    if texts is None:
        data["erased"] = True
    return data | _details(fact, texts)


def handover_data(fact: Fact, texts: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of one case, for who takes part in it; or the whole in sum, for those between whom it passes."""
    facts = {name: value for name, value in fact.data.items() if name != "version"}
    return {"agency": fact.actor} | facts | _text(texts)


def _details(fact: Fact, texts: Mapping[str, Any] | None) -> dict[str, Any]:
    kind, facts = fact.type, fact.data
    if kind == "complaint.submitted":
        return {"complaint": _complaint(facts["complaint"], texts)}
    if kind == "complaint.answered":
        # An answer from a backlog has no forwarding: nobody knows of any.
        leg = {"forwarding_id": facts["leg"]} if facts["leg"] else {}
        return {"answer": {"agency": facts["agency"]} | leg | _text(texts) | _attachments(facts, texts)}
    if kind == "complaint.closed":
        return {"reason": facts["reason"]} | _text(texts)
    if kind == "complaint.escalated":
        return {name: facts[name] for name in ESCALATION if name in facts} | _text(texts, "reason")
    if kind in ("complaint.linked", "complaint.unlinked"):
        return {"link": facts["link"]}
    if kind == READING:
        by = {"officer_id": facts["officer_id"]} if "officer_id" in facts else {}
        return by | _text(texts, "purpose")
    if kind == ERASURE:
        return {"erased": True} | ({"reason": facts["reason"]} if "reason" in facts else {})
    if kind == RECEIPT:
        return {}
    if kind == "complaint.replied":
        return _text(texts)
    if kind.startswith("complaint."):
        return _text(texts, "reason")
    if kind.startswith("consultation."):
        return _consultation(fact, texts)
    if kind.startswith("deadline."):
        return {name: facts[name] for name in DEADLINE if name in facts}
    details: dict[str, Any] = {"forwarding": _forwarding(fact, texts)}
    if kind == "forwarding.sent":
        complaint = None if texts is None else texts["complaint"]
        return details | {"complaint": _complaint(facts["complaint"], complaint)}
    if kind in ("forwarding.withdrawn", "forwarding.reconsideration_requested"):
        return details | _text(texts, "reason")
    return details | _text(texts) | _attachments(facts, texts)


def _consultation(fact: Fact, texts: Mapping[str, Any] | None) -> dict[str, Any]:
    given = fact.data["consultation"]
    times = {"created_at": given["created_at"] or fact.time, "updated_at": fact.time}
    asked = dict(given) | times | _text(texts, "question") | _text(texts)
    if fact.type != "consultation.requested":
        return {"consultation": asked}
    complaint = None if texts is None else texts["complaint"]
    return {"consultation": asked, "complaint": _complaint(fact.data["complaint"], complaint)}


def _complaint(clear: dict[str, Any], masked: Mapping[str, Any] | None) -> dict[str, Any]:
    complaint = join_complaint(clear, None if masked is None else dict(masked))
    complaint.pop("anonymous", None)
    return complaint


def _text(texts: Mapping[str, Any] | None, member: str = "text") -> dict[str, Any]:
    return {member: texts[member]} if texts and texts.get(member) is not None else {}


def _attachments(facts: dict[str, Any], texts: Mapping[str, Any] | None) -> dict[str, Any]:
    attached = facts.get("attachments")
    if not attached:
        return {}
    names = (texts or {}).get("names") or []
    named = [a | ({"name": names[i]} if i < len(names) else {}) for i, a in enumerate(attached)]
    return {"attachments": named}


def _forwarding(fact: Fact, texts: Mapping[str, Any] | None) -> dict[str, Any]:
    given = fact.data["forwarding"]
    times = {"created_at": given["created_at"] or fact.time, "updated_at": fact.time}
    return dict(given) | times | {"note": (texts or {}).get("note")}
