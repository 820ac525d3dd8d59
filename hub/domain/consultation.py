"""Consultation: before it forwards, the owner asks another agency whether the case is its business."""

from __future__ import annotations

from typing import Any

from hub.domain.audience import actions
from hub.domain.bounds import (
    FULL,
    MOST_CONSULTATIONS,
    WORDS_FULL,
    consultations_left,
    has_words_left,
)
from hub.domain.case import (
    Case,
    CaseState,
    Consultation,
    consultation_facts,
)
from hub.domain.commands import Advise, Consult
from hub.domain.decisions import ERASED, Around, FindAgency, common, conflict, decide, require
from hub.domain.events import Draft
from hub.domain.recipients import unfit
from hub.domain.transitions import CONSULTATION, VERDICTS
from hub.errors import Invalid, StateConflict


def check_consulted(agency: str, owner: str, find_agency: FindAgency) -> None:
    """Whoever is asked exists, is active, may handle cases and is somebody else (422)."""
    if agency == owner:
        flaw: str | None = "The case's owner cannot consult itself."
    else:
        flaw = unfit(agency, find_agency)
    if flaw:
        raise Invalid("The agency cannot be consulted.", flaws=[("/agency", flaw)])


@decide.register
def consult(command: Consult, case: Case, around: Around) -> list[Draft]:
    """The complaint's masked words travel with the question, as they do with a forwarding."""
    state = case.state
    check_consulted(command.agency, state.owner, around.find_agency)
    require(state, "consult", around)
    if any(each.agency == command.agency and each.status == "open" for each in state.consultations):
        raise conflict(
            state,
            f"{command.agency} was consulted already and has not answered yet; wait for its verdict.",
            around,
        )
    _require_room(case, around)
    asked = Consultation(command.consultation_id, state.owner, command.agency, "open", "", "")
    facts = common(state, state.status) | {
        "consultation": consultation_facts(asked, state.id),
        "complaint": state.complaint,
    }
    texts = {"complaint": case.texts.complaint if case.texts else {}, "question": command.question}
    return [Draft("consultation.requested", facts, texts)]


def _require_room(case: Case, around: Around) -> None:
    remedy = "forward it to the agency whose business it most likely is, which may return it"
    if not consultations_left(case.state):
        why = f"At most {MOST_CONSULTATIONS} questions are asked about one case, and this one has had them; "
        raise conflict(case.state, f"{why}{remedy}.", around, code=FULL)
    if not has_words_left(case.texts):
        why = f"{WORDS_FULL}; what more is to be said belongs in a coordination thread."
        raise conflict(case.state, why, around, code=FULL, refused="consult")


@decide.register
def advise(command: Advise, case: Case, around: Around) -> list[Draft]:
    """The verdict, once. It binds nobody: the owner may forward elsewhere, or to the same agency with a
    note."""
    state = case.state
    asked = _open_consultation(state, command, around)
    if command.verdict not in VERDICTS:
        listed = ", ".join(VERDICTS)
        raise Invalid("verdict is not on the list.", flaws=[("/verdict", f"One of {listed}.")])
    given: dict[str, Any] = {"status": CONSULTATION["open"]["answer"], "verdict": command.verdict}
    if command.suggested_agency is not None:
        given["suggested_agency"] = command.suggested_agency
    facts = common(state, state.status) | {"consultation": consultation_facts(asked, state.id) | given}
    return [Draft("consultation.answered", facts, {"text": command.text} if command.text else {})]


def _open_consultation(state: CaseState, command: Advise, around: Around) -> Consultation:
    asked = state.consultation(command.consultation_id)
    if asked is None:
        raise KeyError(f"consultation {command.consultation_id} is not one of case {state.id}")
    if state.erased:
        raise conflict(state, ERASED, around)
    if state.status == "closed":
        raise conflict(state, "The case is closed; nobody waits for the verdict.", around)
    if not CONSULTATION[asked.status]:
        possible = actions(state, around.actor, around.now, around.limits)
        raise StateConflict(
            f"This consultation was answered already, with the verdict {asked.verdict}. Possible now: "
            f"{', '.join(possible) or 'nothing'}.",
            extra={"state": asked.status, "version": state.version, "possible": possible},
        )
    return asked
