"""Who takes part in a case, as what, who therefore gets an event, and what of the case an agency may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.domain.case import DUPLICATE, CaseLink, CaseState, Leg
from hub.domain.events import Fact
from hub.domain.limits import DEFAULT_LIMITS, Limits, may_reopen
from hub.domain.oversight import oversight_opens
from hub.domain.transitions import CASE, HELD_LEG, RECONSIDER, WORKING_LEG, case_actions

RANK = ("owner", "source", "handler", "consulted", "former_owner", "overseer", "sender", "former")
"""When an agency is several things at once, the strongest names its relation in an event."""


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


def takes_part(state: CaseState, agency: str) -> bool:
    """Whether the agency sees the case as it stands now, rather than as it stood when it left."""
    return bool(relations(state, agency) - {"former", "sender"})


def frozen_at(state: CaseState, agency: str) -> int | None:
    """The last version that an agency which returned or lost its leg may still see; None if it has none."""
    ended = [leg.ended_sequence or 0 for leg in state.legs if leg.to == agency]
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
        """Whether it sees this event of the case."""
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


LINKED = "linked"
"""The relation of who is offered the answer of a case in which it takes no part."""


def duplicates(state: CaseState) -> list[CaseLink]:
    """The cases that repeat this one."""
    return [each for each in state.links if each.relation == DUPLICATE and not each.is_primary]


def offered_to(after: CaseState, fact: Fact, owner_of: Callable[[CaseLink], str]) -> set[str]:
    """Who owns a duplicate of this case, when it is answered: the answer is offered to them."""
    return {owner_of(each) for each in duplicates(after)} if fact.type == "complaint.answered" else set()


def recipients(before: CaseState | None, after: CaseState, actor: str) -> dict[str, str]:
    """agency -> relation, for everyone who takes part before or after the event: the actor too, but not one
    that has left, nor the hub's own clock. Who returns the last open leg makes the case answered, and is not
    told the answer."""
    names = {after.owner, after.source, *after.former_owners, *after.overseers}
    names |= {asked.agency for asked in after.consultations}
    if before is None or takes_part(before, actor):
        names.add(actor)
    for state in (before, after):
        if state is not None:
            names |= {leg.to for leg in state.legs if leg.status in HELD_LEG}
            names.add(state.owner)
    return {name: _strongest(before, after, name) for name in sorted(names)}


def _strongest(before: CaseState | None, after: CaseState, agency: str) -> str:
    found = relations(after, agency)
    if before is not None:
        found |= relations(before, agency)
    return next((name for name in RANK if name in found), "actor")


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
        possible = set(leg.moves())
        if leg.to == agency:
            found |= possible - {"withdraw", RECONSIDER}
            if leg.status in WORKING_LEG:
                found |= CASE[state.status].keys() & {"forward"}
        if agency in (leg.sender, state.owner):
            found |= possible & {"withdraw"}
    return sorted(found)
