"""Cases that go up: to the nearest agency above those who could not settle them, or to the Ombudsman."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from hub.domain.agency import HUB
from hub.domain.case import Case, CaseState, Leg
from hub.domain.clocks import Clock
from hub.domain.commands import Escalate
from hub.domain.decisions import Around, FindAgency, common, conflict, decide, require
from hub.domain.events import Draft
from hub.domain.oversight import OMBUDSMAN, oversight_opens

RETURNS: Final = "returns"
MISSED: Final = "missed"
OVERSIGHT: Final = "ombudsman"


def above(agency: str, find_agency: FindAgency) -> Iterator[str]:
    """Every proper ancestor in the registry, the nearest first; a circle of parents ends where it closes."""
    seen = {agency}
    known = find_agency(agency)
    while known is not None and known.parent is not None and known.parent not in seen:
        seen.add(known.parent)
        yield known.parent
        known = find_agency(known.parent)


def nearest_above(owner: str, returner: str, find_agency: FindAgency) -> str:
    """The nearest agency strictly above both, which can act; else the agency `hub`."""
    shared = set(above(returner, find_agency))
    for name in above(owner, find_agency):
        agency = find_agency(name)
        if name in shared and agency is not None and agency.active and agency.kind != "oversight":
            return name
    return HUB


def too_often(state: CaseState, limit: int) -> bool:
    """Whether the present owner's lead legs came back so often that the next one must stay."""
    return state.escalated == RETURNS or state.returned_leads >= limit


def after_return(state: CaseState, leg: Leg, status: str, around: Around) -> list[Draft]:
    """`complaint.escalated` when this was one returned lead leg too many. `state` is the case before the
    return, `leg` the leg as returned, `status` the case's after it. Whoever has nobody above keeps the case:
    from then on its forwardings stay where it sends them (`too_often`), and nothing passes to itself."""
    if leg.role != "lead" or state.returned_leads + 1 < around.limits.returns:
        return []
    owner = nearest_above(state.owner, leg.to, around.find_agency)
    if owner == state.owner:
        return []
    return [_passes(state, status, owner, RETURNS, _path(state, leg))]


def after_miss(state: CaseState, missed: Clock, around: Around) -> list[Draft]:
    """`complaint.escalated` when the agency that leads has missed a deadline whose policy says so. It goes up
    one level, and for each owner once: a superior's own agencies may miss again without end. An owner that is
    active no more can do nothing with the case: from it any missed deadline passes the case on."""
    lead = state.lead()
    by_policy = missed.escalates and lead is not None and missed.subject == lead.id
    if not (by_policy and state.escalated != MISSED) and not is_gone(state.owner, around):
        return []
    if lead is None or not by_policy:
        return from_deactivated(state, around)
    owner = nearest_above(state.owner, lead.to, around.find_agency)
    return [] if owner == state.owner else [_passes(state, state.status, owner, MISSED, [])]


def from_deactivated(state: CaseState, around: Around) -> list[Draft]:
    """`complaint.escalated` from an owner that is active no more, whose place the next one takes: what the
    case went up for before still counts."""
    owner = nearest_above(state.owner, state.owner, around.find_agency)
    if owner == state.owner:
        return []
    passes = _passes(state, state.status, owner, MISSED, [])
    return [replace(passes, facts=passes.facts | {"deactivated": True})]


def is_gone(agency: str, around: Around) -> bool:
    """Deactivated since it got the case."""
    known = around.find_agency(agency)
    return known is not None and not known.active


def _passes(state: CaseState, status: str, owner: str, cause: str, path: list[dict[str, Any]]) -> Draft:
    facts = {"owner": owner, "from": state.owner, "to": owner, "cause": cause, "path": path}
    return Draft("complaint.escalated", common(state, status) | facts)


@decide.register
def escalate(command: Escalate, case: Case, around: Around) -> list[Draft]:
    """To the Ombudsman, once the law allows it. The owner goes on owning the case; oversight sees it."""
    state, to = case.state, around.limits.ombudsman
    require(state, "escalate", around)
    if to in state.overseers:
        raise conflict(state, f"The case was escalated to {to} already.", around)
    found = around.find_agency(to)
    if found is None or not found.active or found.kind != "oversight":
        raise conflict(state, f"No active oversight agency {to!r} is registered with this hub.", around)
    if (opens := oversight_opens(state)) > around.now:
        raise conflict(state, f"The law allows it from {opens} on ({OMBUDSMAN.source}).", around)
    facts: dict[str, Any] = {"from": state.owner, "to": to, "cause": OVERSIGHT, "path": []}
    facts |= {"reporter_agrees": True, "rule": OMBUDSMAN.document()}
    return [Draft("complaint.escalated", common(state, state.status) | facts, {"reason": command.reason})]


def _path(state: CaseState, last: Leg) -> list[dict[str, Any]]:
    """Who returned the case and why, in the order of the forwardings."""
    legs = [last if leg.id == last.id else leg for leg in state.legs]
    return [_step(leg) for leg in legs if leg.role == "lead" and leg.status == "returned"]


def _step(leg: Leg) -> dict[str, Any]:
    step = {"forwarding_id": leg.id, "from": leg.sender, "agency": leg.to, "reason": leg.reason}
    return step | ({"suggested_agency": leg.suggested_agency} if leg.suggested_agency else {})
