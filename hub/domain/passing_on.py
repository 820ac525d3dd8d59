"""What becomes of an open case when an agency that it waits for is deactivated. A case is never without an
owner who can act, nor a forwarding without a holder who can answer it."""

from __future__ import annotations

from typing import Final

from hub.domain.case import Case, CaseState
from hub.domain.commands import PassOn
from hub.domain.decisions import Around, decide
from hub.domain.escalation import from_deactivated, is_gone
from hub.domain.events import Draft
from hub.domain.forwarding import withdrawn
from hub.domain.timekeeping import ENDED

REASON: Final = (
    "The agency was deactivated in the hub's registry and can do nothing with this forwarding any more. The "
    "case's owner forwards it anew."
)


def waits_for(state: CaseState, agency: str) -> bool:
    """Whether the case is open, and `agency` owns it or holds a leg that is open."""
    if state.status in ENDED or state.erased:
        return False
    return state.owner == agency or any(leg.to == agency for leg in state.open_legs())


@decide.register
def pass_on(command: PassOn, case: Case, around: Around) -> list[Draft]:
    """The drafts of the next step: first the ownership goes up, as after a missed deadline; then each open
    leg of the agency is taken back, so that the owner's clock runs where nobody leads any more. [] when
    nothing waits for it, also because it is active again. Ask again with the case after them."""
    state = case.state
    if not is_gone(command.agency, around) or not waits_for(state, command.agency):
        return []
    if state.owner == command.agency:
        return from_deactivated(state, around)
    leg = next(leg for leg in state.open_legs() if leg.to == command.agency)
    return withdrawn(case, leg, REASON)
