"""Who takes part in a case, as what, who therefore gets an event, and what of the case an agency may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.domain.bounds import consultations_left, legs_left
from hub.domain.case import (
    DUPLICATE,
    CaseLink,
    CaseState,
    Leg,
    Visit,
)
from hub.domain.copies import but
from hub.domain.events import ERASURE, READING, RECEIPT, Fact
from hub.domain.limits import DEFAULT_LIMITS, Limits, may_reopen
from hub.domain.oversight import oversight_opens
from hub.domain.transitions import CASE, HELD_LEG, RECONSIDER, WORKING_LEG, case_actions


def relations(state: CaseState, agency: str, part_id: str | None = None) -> frozenset[str]:
    """Everything that `agency` is to the case. With `part_id`, handler and sender are meant of that leg only
    (or consulted of that consultation), and who held it counts as its handler still: what it may no longer do
    is a conflict of state, not of rights."""
    found = set()
    if agency == state.owner:
        found.add("owner")
    if agency == state.source:
        found.add("source")
    if agency in state.former_owners:
        found.add("former_owner")
    if agency in state.overseers:
        found.add("overseer")
    for asked in state.consultations:
        if asked.agency == agency:
            found.add("consulted" if part_id in (None, asked.id) else "participant")
    if state.rooms and agency in shared_with(state):
        found.add("participant")
    if state.visits and any(visit.agency == agency for visit in state.visits):
        found.add("former")
    for leg in state.legs:
        if leg.to == agency:
            held = leg.status in HELD_LEG
            if not held:
                found.add("former")
            if part_id == leg.id or (held and part_id is None):
                found.add("handler")
            elif held:
                found.add("participant")
        if leg.sender == agency and part_id in (None, leg.id):
            found.add("sender")
    return frozenset(found)


def shared_with(state: CaseState) -> set[str]:
    """Whom a coordination thread lets see the case: everyone in a room with somebody who holds it (its owner,
    its source, or who has a leg of it). Who was only asked, or has lost it, shows it to nobody."""
    if not state.rooms:
        return set()
    holding = {state.owner, state.source} | {leg.to for leg in state.legs if leg.status in HELD_LEG}
    return {name for room in state.rooms if not holding.isdisjoint(room.agencies) for name in room.agencies}


def left_behind(before: CaseState, after: CaseState) -> CaseState:
    """`after`, in which those whom no thread shows the case any more keep what stood then."""
    lost = [name for name in sorted(shared_with(before)) if not takes_part(after, name)]
    if not lost:
        return after
    visits = [visit for visit in after.visits if visit.agency not in lost]
    visits += [Visit(name, after.version, after.status, after.updated_at) for name in lost]
    return but(after, visits=tuple(visits))


def takes_part(state: CaseState, agency: str) -> bool:
    """Whether the agency sees the case as it stands now, rather than as it stood when it left."""
    return bool(relations(state, agency) - {"former", "sender"})


def frozen_at(state: CaseState, agency: str) -> int | None:
    """The last version that an agency which returned or lost its leg, or left a thread about the case, may
    still see; None if there is none."""
    ended = [leg.ended_sequence or 0 for leg in state.legs if leg.to == agency]
    ended += [visit.until for visit in state.visits if visit.agency == agency]
    return max(ended, default=0) or None


@dataclass(frozen=True, slots=True)
class Sight:
    """What `agency` may see of one case, in every view of it: the `whole`, or its own legs and what else
    stood when it left, in version `until`."""

    agency: str
    whole: bool
    until: int

    def legs(self, state: CaseState) -> list[Leg]:
        """Those of the case's legs that it sees."""
        return [leg for leg in state.legs if self.whole or leg.to == self.agency]

    def shows(self, fact: Fact) -> bool:
        """Whether it sees this event of the case. That the reporter's identity was read, or a copy of what
        was erased is gone, is seen only by whom it was told to, however much else of the case one sees."""
        if fact.type in DISCREET and self.agency not in fact.recipients:
            return False
        return fact.sequence <= self.until and (self.whole or _handler(fact) in (None, self.agency))


def sight(state: CaseState, agency: str) -> Sight:
    """What the agency may see of the case now; of one in which it never took part, nothing."""
    if takes_part(state, agency):
        return Sight(agency, True, state.version)
    return Sight(agency, False, frozen_at(state, agency) or 0)


def _handler(fact: Fact) -> str | None:
    """Whose leg the event speaks of; None where it is about the case alone."""
    if fact.type == "complaint.answered":
        answering: str = fact.data["agency"]
        return answering
    consultation = fact.data.get("consultation")
    if consultation:
        asked: str = consultation["agency"]
        return asked
    if "forwarding_id" in fact.data or "consultation_id" in fact.data:
        responsible: str = fact.data["responsible_agency"]
        return responsible
    forwarding = fact.data.get("forwarding")
    return forwarding["to"] if forwarding else None


DISCREET = (READING, RECEIPT)
OFFERED = ("complaint.answered", ERASURE)
LINKED = "linked"
"""The relation of who is offered the answer of a case in which it takes no part."""


def duplicates(state: CaseState) -> list[CaseLink]:
    """The cases that repeat this one."""
    return [each for each in state.links if each.relation == DUPLICATE and not each.is_primary]


def offered_to(after: CaseState, fact: Fact, owner_of: Callable[[CaseLink], str]) -> set[str]:
    """Who owns a duplicate of this case, when it is answered: the answer is offered to them; so they are told
    when it is erased."""
    if fact.type == ERASURE and all(leg.answered_at is None for leg in after.legs):
        return set()
    return {owner_of(each) for each in duplicates(after)} if fact.type in OFFERED else set()


def told(before: CaseState | None, after: CaseState, fact: Fact) -> dict[str, str]:
    """agency -> relation, for everyone who gets the event. A reading of the identity, and a receipt for what
    was erased, are told to the case's owner, its source and who did it, and to nobody else; an erasure to
    everyone who holds a copy, whether it still takes part or not."""
    everyone = recipients(before, after, fact.actor)
    if fact.type == ERASURE:
        names = sorted({*everyone, *copies_at(after)})
        return {name: everyone.get(name, "former") for name in names}
    if fact.type not in DISCREET:
        return everyone
    named = sorted({after.owner, after.source, fact.actor})
    return {name: everyone.get(name, "former") for name in named}


def copies_at(state: CaseState) -> list[str]:
    """Every agency that ever received the case's events, in its mailbox or on its topic, sorted. Not who was
    only offered the answer of a primary case: it is told of an erasure, and is nothing to the case that could
    be waited for."""
    names = {state.owner, state.source, *state.former_owners, *state.overseers}
    names |= {asked.agency for asked in state.consultations} | {leg.to for leg in state.legs}
    names |= {visit.agency for visit in state.visits}
    return sorted(names.union(*[room.agencies for room in state.rooms]))


def recipients(before: CaseState | None, after: CaseState, actor: str) -> dict[str, str]:
    """agency -> relation, for everyone who takes part before or after the event: the actor too, but not one
    that has left, nor the hub's own clock. Who returns the last open leg makes the case answered, and is not
    told the answer."""
    names = {after.owner, after.source, *after.former_owners, *after.overseers}
    names |= {asked.agency for asked in after.consultations}
    states = [after] if before is None else [before, after]
    for state in states:
        names |= {leg.to for leg in state.legs if leg.status in HELD_LEG}
        names.add(state.owner)
        if state.rooms:
            names |= shared_with(state)
    if actor not in names and (before is None or takes_part(before, actor)):
        names.add(actor)
    strongest = _strongest(states)
    return {name: strongest.get(name, "actor") for name in sorted(names)}


def _strongest(states: list[CaseState]) -> dict[str, str]:
    """agency -> what names its relation in an event, when it is several things at once in any of the states:
    the weakest comes first, and each stronger one over it."""
    legs = [leg for state in states for leg in state.legs]
    found = {leg.to: "former" for leg in legs}
    found |= {visit.agency: "former" for state in states if state.visits for visit in state.visits}
    found |= {leg.sender: "sender" for leg in legs}
    for state in states:
        if state.rooms:
            found |= dict.fromkeys(shared_with(state), "participant")
    for state in states:
        found |= dict.fromkeys(state.overseers, "overseer")
    for state in states:
        found |= dict.fromkeys(state.former_owners, "former_owner")
    found |= {asked.agency: "consulted" for state in states for asked in state.consultations}
    found |= {leg.to: "handler" for leg in legs if leg.status in HELD_LEG}
    found |= {state.source: "source" for state in states}
    return found | {state.owner: "owner" for state in states}


def may_link(state: CaseState, agency: str) -> bool:
    """Whether the agency may link the case with another: in every state, so that no 409 names it."""
    return not state.erased and bool(relations(state, agency) & {"owner", "handler"})


def actions(state: CaseState, agency: str, now: str, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """What `agency` may do with the case at `now` within the hub's `limits`, sorted: the `actions` of a case,
    a closed list in which asking for a reconsideration and answering a consultation have no name."""
    if state.erased:
        return []
    found = case_actions(state.status, owner=agency == state.owner, source=agency == state.source)
    if state.open_legs():
        found.discard("close")
    if "reopen" in found and not may_reopen(state, limits, now):
        found.discard("reopen")
    if limits.ombudsman in state.overseers or ("escalate" in found and oversight_opens(state) > now):
        found.discard("escalate")
    for leg in state.legs:
        found |= leg.moves_by(agency, state.owner) - {RECONSIDER}
        if leg.to == agency and leg.status in WORKING_LEG:
            found |= CASE[state.status].keys() & {"forward"}
    if not consultations_left(state):
        found.discard("consult")
    if not legs_left(state, agency):
        found.discard("forward")
    return sorted(found)
