"""Who owns a case that was returned too often: the nearest agency above those who could not settle it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from hub.domain.agency import HUB
from hub.domain.case import CaseState, Leg
from hub.domain.decisions import Around, FindAgency, common
from hub.domain.events import Draft

RETURNS: Final = "returns"


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
    if leg.role != "lead" or state.returned_leads + 1 < around.returns_limit:
        return []
    owner = nearest_above(state.owner, leg.to, around.find_agency)
    if owner == state.owner:
        return []
    facts = common(state, status) | {
        "owner": owner,
        "from": state.owner,
        "to": owner,
        "cause": RETURNS,
        "path": _path(state, leg),
    }
    return [Draft("complaint.escalated", facts)]


def _path(state: CaseState, last: Leg) -> list[dict[str, Any]]:
    """Who returned the case and why, in the order of the forwardings."""
    legs = [last if leg.id == last.id else leg for leg in state.legs]
    return [_step(leg) for leg in legs if leg.role == "lead" and leg.status == "returned"]


def _step(leg: Leg) -> dict[str, Any]:
    step = {"forwarding_id": leg.id, "from": leg.sender, "agency": leg.to, "reason": leg.reason}
    return step | ({"suggested_agency": leg.suggested_agency} if leg.suggested_agency else {})
