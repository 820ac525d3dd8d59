"""Erasing a case: who holds copies and must say that they are gone. What is destroyed with it is the
transaction's work (`hub/service/erasing.py`); nothing here ever held a word."""

from __future__ import annotations

from hub.domain.agency import HUB
from hub.domain.audience import copies_at, frozen_at, takes_part
from hub.domain.case import Case, CaseState
from hub.domain.commands import ConfirmErasure, Erase
from hub.domain.decisions import Around, common, conflict, decide
from hub.domain.events import ERASURE, RECEIPT, Draft
from hub.domain.timekeeping import ENDED
from hub.errors import StateConflict


@decide.register
def erase(command: Erase, case: Case, around: Around) -> list[Draft]:
    """`reporter.erased`, which closes an open case; nothing where that was done before. The reason lies in
    the clear: there is no key any more that could seal it."""
    state = case.state
    if state.erased:
        return []
    facts = common(state, state.status if state.status in ENDED else "closed")
    facts["holders"] = [name for name in copies_at(state) if name != HUB]
    if on_topic := [name for name in facts["holders"] if _has_topic(name, around)]:
        facts["on_topic"] = on_topic
    if command.reason is not None:
        facts["reason"] = command.reason
    return [Draft(ERASURE, facts)]


def _has_topic(name: str, around: Around) -> bool:
    """Whether what it received lies on a topic too, where no key can be taken from it."""
    agency = around.find_agency(name)
    return agency is not None and agency.kafka


@decide.register
def confirm(command: ConfirmErasure, case: Case, around: Around) -> list[Draft]:
    """`reporter.erasure_receipted`, once for each holder; 409 before an erasure, and for who never had a
    copy."""
    state = case.state
    if state.erasure is None:
        if not takes_part(state, around.actor):
            raise _unseen(state, around.actor)
        raise conflict(state, "The case was not erased; there is nothing to confirm.", around)
    if around.actor not in state.erasure.receipts:
        raise conflict(state, "Your agency held no copy of what was erased; none is waited for.", around)
    if state.erasure.receipts[around.actor] is not None:
        return []
    return [Draft(RECEIPT, common(state, state.status))]


def _unseen(state: CaseState, agency: str) -> StateConflict:
    """409 for an agency that sees the case only as it stood when it left: the version that it knows, and
    nothing of what became of the case since, but that it was not erased."""
    return StateConflict(
        "The case was not erased; there is nothing to confirm. Possible now: nothing.",
        extra={"state": "ended", "version": frozen_at(state, agency), "possible": []},
    )
