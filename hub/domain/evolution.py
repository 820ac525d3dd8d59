"""evolve(case, event) -> case: the one fold from which tables, replays and overlays are made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.domain.case import Case, CaseState, CaseTexts, Leg, LegTexts
from hub.domain.events import Fact

Texts = dict[str, Any] | None
"""An event's masked words; None when they cannot be opened any more (erased)."""


def evolve(case: Case | None, fact: Fact, texts: Texts) -> Case:
    """The case after `fact`. `texts` are the event's masked words, {} where it has none."""
    if case is None:
        return _born(fact, texts)
    state = replace(
        _moved(case.state, fact), status=fact.data["status"], version=fact.sequence, updated_at=fact.time
    )
    return Case(state, _written(case.texts, fact, texts))


def _born(fact: Fact, texts: Texts) -> Case:
    data = fact.data
    clear = data["complaint"]
    state = CaseState(
        id=data["case_id"],
        tracking_number=data["tracking_number"],
        status=data["status"],
        version=fact.sequence,
        owner=data["owner"],
        source=clear["source"]["agency"],
        reference=clear["source"]["reference"],
        content_digest=data["content_digest"],
        complaint=clear,
        anonymous=data["anonymous"],
        confidential=data["confidential"],
        created_at=fact.time,
        updated_at=fact.time,
        erased=texts is None,
    )
    return Case(state, None if texts is None else CaseTexts(complaint=texts))


def _moved(state: CaseState, fact: Fact) -> CaseState:
    data = fact.data
    if fact.type == "forwarding.sent":
        sent = data["forwarding"]
        leg = Leg(sent["id"], sent["from"], sent["to"], sent["role"], "sent", fact.time, fact.time)
        return replace(state, legs=(*state.legs, leg))
    if fact.type == "complaint.verified":
        return replace(state, verified=True)
    if fact.type == "complaint.reopened":
        return _leg_moved(state, fact, {"id": data["leg"], "status": "in_progress"})
    if fact.type.startswith("forwarding."):
        return _leg_moved(state, fact, data["forwarding"])
    return state


def _leg_moved(state: CaseState, fact: Fact, moved: dict[str, Any]) -> CaseState:
    legs = tuple(_leg_after(leg, fact, moved) if leg.id == moved["id"] else leg for leg in state.legs)
    return replace(state, legs=legs)


def _leg_after(leg: Leg, fact: Fact, moved: dict[str, Any]) -> Leg:
    status = moved["status"]
    ended = status in ("returned", "withdrawn")
    return replace(
        leg,
        status=status,
        updated_at=fact.time,
        reason=moved.get("reason", leg.reason),
        suggested_agency=moved.get("suggested_agency", leg.suggested_agency),
        answered_at=fact.time if status == "answered" else leg.answered_at,
        attachments=fact.data.get("attachments", []) if status == "answered" else leg.attachments,
        ended_sequence=fact.sequence if ended else leg.ended_sequence,
        ended_status=fact.data["status"] if ended else leg.ended_status,
    )


def _written(known: CaseTexts | None, fact: Fact, texts: Texts) -> CaseTexts | None:
    if known is None or texts is None:
        return None
    if "forwarding" not in fact.data:
        return known
    leg_id, kind = fact.data["forwarding"]["id"], fact.type
    leg = known.legs.get(leg_id, LegTexts())
    if kind == "forwarding.sent":
        leg = replace(leg, note=texts.get("note"))
    elif kind == "forwarding.answered":
        leg = replace(leg, answer=texts.get("text"), names=texts.get("names"))
    elif kind == "forwarding.withdrawn":
        leg = replace(leg, reason=texts.get("reason"))
    else:
        return known
    return CaseTexts(known.complaint, known.legs | {leg_id: leg})
