"""evolve(case, event) -> case: the one fold from which tables, replays and overlays are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from hub.domain.audience import left_behind
from hub.domain.case import (
    Case,
    CaseLink,
    CaseState,
    Consultation,
    Erasure,
    Leg,
)
from hub.domain.case_texts import CaseTexts, ConsultationTexts, LegTexts
from hub.domain.clocks import Clock
from hub.domain.copies import but
from hub.domain.events import ERASURE, READING, RECEIPT, Fact

Texts = dict[str, Any] | None
"""An event's masked words; None when they cannot be opened any more (erased)."""


DUE_OF: Final = ("follow_up", "consultation")
"""The stages whose deadline a leg or a consultation names as its own."""
Part = TypeVar("Part", Leg, Consultation)


def evolve(case: Case | None, fact: Fact, texts: Texts) -> Case:
    """The case after `fact`. `texts` are the event's masked words, {} where it has none."""
    if case is None:
        return _born(fact, texts)
    if fact.type == READING:  # no change of the case: nobody else finds it among what changed
        return Case(but(case.state, version=fact.sequence), case.texts)
    state = but(
        _moved(case.state, fact), status=fact.data["status"], version=fact.sequence, updated_at=fact.time
    )
    if state.rooms:
        state = left_behind(case.state, state)
    words = None if fact.type == ERASURE else _written(case.texts, fact, texts)
    return Case(clocked(state, fact.data), words)


def clocked(state: CaseState, data: dict[str, Any]) -> CaseState:
    """The case with the clocks that an event carries: each stands in its first place, as it is now."""
    carried = data.get("clocks")
    return with_changed(state, [Clock.from_document(clock) for clock in carried]) if carried else state


def with_changed(state: CaseState, changed: Sequence[Clock]) -> CaseState:
    """With these clocks in their places, and the parts that they are about due when they say so."""
    clocks = {clock.id: clock for clock in state.clocks}
    clocks |= {clock.id: clock for clock in changed}
    due = {clock.subject: clock.due_at for clock in changed if clock.stage in DUE_OF and not clock.shown_only}
    if not due:
        return but(state, clocks=tuple(clocks.values()))
    legs, asked = _due(state.legs, due), _due(state.consultations, due)
    return but(state, clocks=tuple(clocks.values()), legs=legs, consultations=asked)


def _due(parts: tuple[Part, ...], due: dict[str, str]) -> tuple[Part, ...]:
    return tuple([but(part, due_at=due[part.id]) if part.id in due else part for part in parts])


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
        taken_over_at=data.get("taken_over_at"),
    )
    state = clocked(state, data)
    return Case(state, None if texts is None else CaseTexts(complaint=texts))


def _moved(state: CaseState, fact: Fact) -> CaseState:
    data = fact.data
    if fact.type == "forwarding.sent":
        sent = data["forwarding"]
        leg = Leg(sent["id"], sent["from"], sent["to"], sent["role"], "sent", fact.time, fact.time,
                  binding=data.get("binding", False))  # fmt: skip
        return but(state, legs=(*state.legs, leg))
    if fact.type == "complaint.verified":
        return but(state, verified=True)
    if fact.type == "complaint.reopened":
        state = but(state, reopenings=state.reopenings + 1, closed_at=None, replied=False)
        return _leg_moved(state, fact, {"id": data["leg"], "status": "in_progress"})
    if fact.type == "complaint.escalated":
        return _escalated(state, data)
    if fact.type == "complaint.replied":
        return but(state, replied=data["status"] == "answered")
    if fact.type == "complaint.answered":
        return but(state, replied=False)
    if fact.type in ("complaint.linked", "complaint.unlinked"):
        return _linked(state, fact)
    if fact.type == "complaint.closed":
        return but(state, closed_at=fact.time)
    if fact.type in (ERASURE, RECEIPT):
        return _erased(state, fact)
    if fact.type.startswith("consultation."):
        return _consulted(state, fact)
    if fact.type == "forwarding.returned" and data["forwarding"]["role"] == "lead":
        state = but(state, returned_leads=state.returned_leads + 1)
    if fact.type.startswith("forwarding."):
        return _leg_moved(state, fact, data["forwarding"])
    return state


def _erased(state: CaseState, fact: Fact) -> CaseState:
    """An open case is closed by it."""
    known = state.erasure
    if fact.type == RECEIPT:
        return but(state, erasure=known and but(known, receipts=known.receipts | {fact.actor: fact.time}))
    on_topic = tuple(fact.data.get("on_topic", ()))
    made = Erasure(fact.time, fact.actor, dict.fromkeys(fact.data["holders"]), on_topic)
    closed_at = state.closed_at if state.status == fact.data["status"] else fact.time
    return but(state, erased=True, erasure=made, closed_at=closed_at)


def _linked(state: CaseState, fact: Fact) -> CaseState:
    data, named = fact.data, fact.data["link"]
    others = [each for each in state.links if each.case != named["case"]]
    if fact.type == "complaint.linked":
        others.append(CaseLink(named["case"], named["relation"], data["is_primary"], data["owner_there"]))
    return but(state, links=tuple(others))


def _escalated(state: CaseState, data: dict[str, Any]) -> CaseState:
    """The new owner counts returns from nothing; the former one goes on seeing the case. Oversight becomes
    nobody's owner: it sees the case from then on."""
    if data["owner"] != data["to"]:
        overseers = dict.fromkeys((*state.overseers, data["to"]))
        return but(state, overseers=tuple(overseers))
    former = [name for name in (*state.former_owners, data["from"]) if name != data["to"]]
    return but(
        state,
        owner=data["to"],
        former_owners=tuple(dict.fromkeys(former)),
        escalated=state.escalated if data.get("deactivated") else data["cause"],
        returned_leads=0,
    )


def _consulted(state: CaseState, fact: Fact) -> CaseState:
    asked = fact.data["consultation"]
    if fact.type == "consultation.requested":
        opened = Consultation(asked["id"], asked["from"], asked["agency"], "open", fact.time, fact.time)
        return but(state, consultations=(*state.consultations, opened))
    known = tuple(_advised(each, fact) if each.id == asked["id"] else each for each in state.consultations)
    return but(state, consultations=known)


def _advised(known: Consultation, fact: Fact) -> Consultation:
    given = fact.data["consultation"]
    return but(
        known,
        status=given["status"],
        updated_at=fact.time,
        verdict=given["verdict"],
        suggested_agency=given.get("suggested_agency"),
    )


def _leg_moved(state: CaseState, fact: Fact, moved: dict[str, Any]) -> CaseState:
    legs = tuple(_leg_after(leg, fact, moved) if leg.id == moved["id"] else leg for leg in state.legs)
    return but(state, legs=legs)


def _leg_after(leg: Leg, fact: Fact, moved: dict[str, Any]) -> Leg:
    status = moved["status"]
    ended = status in ("returned", "withdrawn")
    return but(
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
        leg = but(leg, note=texts.get("note"))
    elif kind == "forwarding.answered":
        leg = but(leg, answer=texts.get("text"), names=texts.get("names"))
    elif kind == "forwarding.withdrawn":
        leg = but(leg, reason=texts.get("reason"))
    else:
        return known
    return but(known, legs=known.legs | {leg_id: leg})


def _asked(known: CaseTexts, consultation_id: str, texts: dict[str, Any]) -> CaseTexts:
    """The question comes with the one event, the answer's text with the other."""
    before = known.consultations.get(consultation_id, ConsultationTexts())
    after = ConsultationTexts(texts.get("question", before.question), texts.get("text", before.text))
    return but(known, consultations=known.consultations | {consultation_id: after})
