"""evolve(case, event) -> case: the one fold from which tables, replays and overlays are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hub.domain.case import (
    Case,
    CaseLink,
    CaseState,
    CaseTexts,
    Consultation,
    ConsultationTexts,
    Leg,
    LegTexts,
)
from hub.domain.clocks import Clock
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
    return Case(clocked(state, fact.data), _written(case.texts, fact, texts))


def clocked(state: CaseState, data: dict[str, Any]) -> CaseState:
    """The case with the clocks that an event carries: each stands in its first place, as it is now."""
    carried = data.get("clocks")
    return with_changed(state, [Clock.from_document(clock) for clock in carried]) if carried else state


def with_changed(state: CaseState, changed: Sequence[Clock]) -> CaseState:
    clocks = {clock.id: clock for clock in state.clocks}
    clocks |= {clock.id: clock for clock in changed}
    state = replace(state, clocks=tuple(clocks.values()))
    for clock in changed:
        if clock.stage in ("follow_up", "consultation") and not clock.shown_only:
            state = _due(state, clock.subject, clock.due_at)
    return state


def _due(state: CaseState, part_id: str, due_at: str) -> CaseState:
    legs = tuple(replace(leg, due_at=due_at) if leg.id == part_id else leg for leg in state.legs)
    asked = state.consultations
    asked = tuple(replace(each, due_at=due_at) if each.id == part_id else each for each in asked)
    return replace(state, legs=legs, consultations=asked)


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
        historical=data.get("historical", False),
    )
    state = clocked(state, data)
    return Case(state, None if texts is None else CaseTexts(complaint=texts))


def _moved(state: CaseState, fact: Fact) -> CaseState:
    data = fact.data
    if fact.type == "forwarding.sent":
        sent = data["forwarding"]
        leg = Leg(sent["id"], sent["from"], sent["to"], sent["role"], "sent", fact.time, fact.time,
                  binding=data.get("binding", False))  # fmt: skip
        return replace(state, legs=(*state.legs, leg))
    if fact.type == "complaint.verified":
        return replace(state, verified=True)
    if fact.type == "complaint.reopened":
        state = replace(state, reopenings=state.reopenings + 1, closed_at=None, replied=False)
        return _leg_moved(state, fact, {"id": data["leg"], "status": "in_progress"})
    if fact.type == "complaint.escalated":
        return _escalated(state, data)
    if fact.type == "complaint.replied":
        return replace(state, replied=data["status"] == "answered")
    if fact.type == "complaint.answered":
        return replace(state, replied=False)
    if fact.type in ("complaint.linked", "complaint.unlinked"):
        return _linked(state, fact)
    if fact.type == "complaint.closed":
        return replace(state, closed_at=fact.time)
    if fact.type.startswith("consultation."):
        return _consulted(state, fact)
    if fact.type == "forwarding.returned" and data["forwarding"]["role"] == "lead":
        state = replace(state, returned_leads=state.returned_leads + 1)
    if fact.type.startswith("forwarding."):
        return _leg_moved(state, fact, data["forwarding"])
    return state


def _linked(state: CaseState, fact: Fact) -> CaseState:
    data, named = fact.data, fact.data["link"]
    others = [each for each in state.links if each.case != named["case"]]
    if fact.type == "complaint.linked":
        others.append(CaseLink(named["case"], named["relation"], data["is_primary"], data["owner_there"]))
    return replace(state, links=tuple(others))


def _escalated(state: CaseState, data: dict[str, Any]) -> CaseState:
    """The new owner counts returns from nothing; the former one goes on seeing the case. Oversight becomes
    nobody's owner: it sees the case from then on."""
    if data["owner"] != data["to"]:
        overseers = dict.fromkeys((*state.overseers, data["to"]))
        return replace(state, overseers=tuple(overseers))
    former = [name for name in (*state.former_owners, data["from"]) if name != data["to"]]
    return replace(
        state,
        owner=data["to"],
        former_owners=tuple(dict.fromkeys(former)),
        escalated=data["cause"],
        returned_leads=0,
    )


def _consulted(state: CaseState, fact: Fact) -> CaseState:
    asked = fact.data["consultation"]
    if fact.type == "consultation.requested":
        opened = Consultation(asked["id"], asked["from"], asked["agency"], "open", fact.time, fact.time)
        return replace(state, consultations=(*state.consultations, opened))
    known = tuple(_advised(each, fact) if each.id == asked["id"] else each for each in state.consultations)
    return replace(state, consultations=known)


def _advised(known: Consultation, fact: Fact) -> Consultation:
    given = fact.data["consultation"]
    return replace(
        known,
        status=given["status"],
        updated_at=fact.time,
        verdict=given["verdict"],
        suggested_agency=given.get("suggested_agency"),
    )


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
        reconsidered=leg.reconsidered or fact.type == "forwarding.reconsideration_requested",
    )


def _written(known: CaseTexts | None, fact: Fact, texts: Texts) -> CaseTexts | None:
    if known is None or texts is None:
        return None
    if "consultation" in fact.data:
        return _asked(known, fact.data["consultation"]["id"], texts)
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
    return replace(known, legs=known.legs | {leg_id: leg})


def _asked(known: CaseTexts, consultation_id: str, texts: dict[str, Any]) -> CaseTexts:
    """The question comes with the one event, the answer's text with the other."""
    before = known.consultations.get(consultation_id, ConsultationTexts())
    after = ConsultationTexts(texts.get("question", before.question), texts.get("text", before.text))
    return replace(known, consultations=known.consultations | {consultation_id: after})
