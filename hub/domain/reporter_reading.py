"""Reading the reporter's identity: who hears of it is in `audience.told`, and it changes nothing about the
case. The identity itself is in the vault, and never comes here."""

from __future__ import annotations

from hub.domain.case import Case, CaseState
from hub.domain.commands import ReadReporter
from hub.domain.decisions import Around, common, decide
from hub.domain.events import READING, Draft
from hub.errors import Erased, Forbidden

GONE = "The reporter's identity was erased; it cannot be had any more."


def require_known(state: CaseState, agency: str) -> None:
    """410 when it was erased; 403 when the reporter wants to stay unnamed (anonim): then only the source,
    whom it was given to, reads it. That the content is confidential (rahasia) keeps it from neither."""
    if state.erased:
        raise Erased(GONE)
    if state.anonymous and agency != state.source:
        raise Forbidden(
            f"The reporter wants to stay unnamed: only the source, {state.source}, may read the identity. "
            "Reach the reporter through it.",
            code="reporter-anonymous",
        )


@decide.register
def read_reporter(command: ReadReporter, case: Case, around: Around) -> list[Draft]:
    """Who, and that a purpose was given, are clear for ever; the purpose's words go with the case's key."""
    require_known(case.state, around.actor)
    facts = common(case.state, case.state.status) | {"purpose_given": True}
    if command.officer_id is not None:
        facts["officer_id"] = command.officer_id
    return [Draft(READING, facts, {"purpose": command.purpose})]
