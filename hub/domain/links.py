"""Cases that belong together: duplicates of one another, or related. A link stands in both cases, and either
side may undo it."""

from __future__ import annotations

from typing import Any

from hub.domain.bounds import FULL, MOST_LINKS, OWNERS_PART, links_left
from hub.domain.case import DUPLICATE, CaseLink, CaseState
from hub.domain.decisions import ERASED, Around, common, conflict
from hub.domain.events import Draft
from hub.domain.transitions import HELD_LEG
from hub.errors import Invalid


def link(state: CaseState, other: CaseState, relation: str, around: Around) -> tuple[Draft, Draft]:
    """`complaint.linked` for the case and for the other one. A `duplicate` repeats the other, which is the
    primary: its answer is offered to the duplicate's owner. A duplicate is never a primary itself, so that
    every duplicate is one step from the answer."""
    if state.id == other.id:
        raise Invalid("A case cannot be linked with itself.", flaws=[("/case", "Name another case.")])
    for each in (state, other):
        if each.erased:
            raise conflict(state, ERASED, around)
    for each in (state, other) if relation == DUPLICATE else (state,):
        _check_engaged(each, around)
    known = state.link_to(other.id)
    if known is not None:
        raise conflict(state, f"The cases are linked already, as {known.relation}; undo that first.", around)
    if relation == DUPLICATE:
        _check_primary(state, other, around)
    _check_room(state, other, around)
    return _draft(
        "complaint.linked", state, CaseLink(other.id, relation, relation == DUPLICATE, other.owner)
    ), _draft("complaint.linked", other, CaseLink(state.id, relation, False, state.owner))


def unlink(state: CaseState, other: CaseState, around: Around) -> tuple[Draft, Draft]:
    """`complaint.unlinked` for both."""
    here, there = state.link_to(other.id), other.link_to(state.id)
    if here is None or there is None:
        raise conflict(state, "The cases are not linked.", around)
    return _draft("complaint.unlinked", state, here), _draft("complaint.unlinked", other, there)


def _check_engaged(state: CaseState, around: Around) -> None:
    """A forwarding that was not accepted gives no say in where another's answer goes."""
    held = [leg for leg in state.legs if leg.to == around.actor and leg.status in HELD_LEG - {"sent"}]
    if around.actor != state.owner and not held:
        why = "An agency that does not own the case links it after it accepted its forwarding."
        raise conflict(state, why, around)


def _check_primary(state: CaseState, other: CaseState, around: Around) -> None:
    primary = next((each.case for each in other.links if each.is_primary), None)
    if primary is not None:
        raise conflict(
            state, f"The other case is a duplicate of {primary} itself; link with that one.", around
        )
    if any(each.relation == DUPLICATE for each in state.links):
        why = "This case is a duplicate, or has duplicates, already; undo that first, or link it as related."
        raise conflict(state, why, around)


def _check_room(state: CaseState, other: CaseState, around: Around) -> None:
    """In both cases: each keeps the link."""
    for each, name in ((state, "This case"), (other, "The other case")):
        if not links_left(each, around.actor):
            own = (
                "" if around.actor == each.owner else f", the last {MOST_LINKS // OWNERS_PART} for its owner"
            )
            raise conflict(
                state,
                f"{name} has {len(each.links):,} links; a case has at most {MOST_LINKS:,}{own}. Undo those "
                "that say nothing, or link with another case about the same thing: it may be the primary of "
                "further duplicates.",
                around,
                code=FULL,
            )


def _draft(kind: str, state: CaseState, linked: CaseLink) -> Draft:
    facts: dict[str, Any] = {
        "link": {"case": linked.case, "relation": linked.relation},
        "is_primary": linked.is_primary,
        "owner_there": linked.agency,
    }
    return Draft(kind, common(state, state.status) | facts)
