"""decide(case, command) -> drafts: what the case's owner may do. Legs are in `forwarding.py`.

Pure: whoever may act was settled before (auth.policy on the loaded state); here only the state speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Final

from hub.domain.agency import Agency
from hub.domain.audience import actions
from hub.domain.case import Case, CaseState, status_from_legs
from hub.domain.commands import Close, Reopen, SubmitComplaint, Verify
from hub.domain.events import Draft
from hub.domain.transitions import CASE, CLOSURE_REASONS, VERDICTS, case_actions
from hub.errors import Invalid, StateConflict

ERASED: Final = "The case was erased; nothing can be added to it."
FindAgency = Callable[[str], Agency | None]


@dataclass(frozen=True, slots=True)
class Around:
    """What a decision may ask for beside the case: who acts, the registry, and after how many returned lead
    legs the ownership passes on."""

    actor: str
    find_agency: FindAgency
    returns_limit: int = 3


def submit(command: SubmitComplaint) -> list[Draft]:
    """A new complaint is owned by its source agency, which verifies it."""
    clear = command.clear
    facts = {
        "case_id": command.case_id,
        "tracking_number": command.tracking_number,
        "status": "submitted",
        "owner": clear["source"]["agency"],
        "anonymous": clear["anonymous"],
        "confidential": clear["confidential"],
        "content_digest": command.content_digest,
        "complaint": clear,
    }
    return [Draft("complaint.submitted", facts, command.masked, id=command.event_id, sealed=command.sealed)]


def check_addressed(addressed: Sequence[str], source: str, find_agency: FindAgency) -> None:
    """Every agency that a new complaint proposes can receive it, is another one and is named once (422)."""
    flaws: list[tuple[str, str]] = []
    for index, name in enumerate(addressed):
        pointer, agency = f"/addressed_to/{index}", find_agency(name)
        if agency is None or not agency.may_receive():
            flaws.append((pointer, f"No active agency {name!r} is registered that could be addressed; "
                                   "see GET /v1/agencies."))  # fmt: skip
        elif name == source:
            flaws.append((pointer, f"{name} is the source itself; name others, or leave it out."))
        elif name in addressed[:index]:
            flaws.append((pointer, f"{name} is named twice; name it once."))
    if flaws:
        raise Invalid("The complaint cannot be addressed like this.", flaws=flaws)


@singledispatch
def decide(command: Any, case: Case, around: Around) -> list[Draft]:
    """The drafts that `command` makes of `case`; raises StateConflict (409) or Invalid (422)."""
    raise TypeError(f"no decision for {type(command).__name__}")


@decide.register
def verify(command: Verify, case: Case, around: Around) -> list[Draft]:
    """Accept, ask back, or reject. Everything but accepting says why."""
    require(case.state, "verify")
    if command.decision == "accept":
        return [Draft("complaint.verified", common(case.state, "verified"))]
    if not command.reason:
        raise Invalid(
            "reason is needed unless the decision is accept.",
            flaws=[("/reason", "Say what is missing or why it is rejected; the reporter reads it.")],
        )
    status = VERDICTS[command.decision]
    return [Draft(f"complaint.{status}", common(case.state, status), {"reason": command.reason})]


@decide.register
def close(command: Close, case: Case, around: Around) -> list[Draft]:
    """Closing carries its reason, and never happens over an open leg."""
    state = case.state
    if state.erased:
        raise conflict(state, ERASED)
    if open_legs := state.open_legs():
        raise conflict(
            state,
            f"{len(open_legs)} forwarding(s) are still open (to {', '.join(leg.to for leg in open_legs)}); "
            "they must be answered, returned or withdrawn before the case is closed.",
        )
    require(state, "close")
    if command.reason not in CLOSURE_REASONS:
        raise Invalid(
            "reason is not on the list.", flaws=[("/reason", f"One of {', '.join(CLOSURE_REASONS)}.")]
        )
    if command.reason == "other" and not command.text:
        raise Invalid(
            "other needs text.", flaws=[("/text", "With the reason other, say in text what it was.")]
        )
    texts = {"text": command.text} if command.text else {}
    return [Draft("complaint.closed", common(state, "closed") | {"reason": command.reason}, texts)]


@decide.register
def reopen(command: Reopen, case: Case, around: Around) -> list[Draft]:
    """Back to in_progress with the lead leg; without one, to what the other legs say, or to verification."""
    state = case.state
    require(state, "reopen")
    lead = state.lead()
    if lead is not None:
        facts = common(state, "in_progress") | {"leg": lead.id}
    else:
        status = status_from_legs(state.legs) if state.verified else "submitted"
        facts = common(state, status) | {"leg": None}
    return [Draft("complaint.reopened", facts, {"reason": command.reason})]


def common(state: CaseState, status: str) -> dict[str, Any]:
    """The members that every event of a case carries; `status` is the case's after the event."""
    return {
        "case_id": state.id,
        "tracking_number": state.tracking_number,
        "status": status,
        "owner": state.owner,
        "anonymous": state.anonymous,
        "confidential": state.confidential,
    }


def require(state: CaseState, action: str) -> None:
    """The case's status allows `action`, or 409."""
    if state.erased:
        raise conflict(state, ERASED)
    if action not in CASE[state.status]:
        raise conflict(state, f"{action.capitalize()} is not possible while the case is {state.status}.")


def conflict(state: CaseState, sentence: str, actor: str | None = None) -> StateConflict:
    """409 that names the present state and what could be done: by the owner with the case, or by `actor`
    where somebody else asked."""
    if actor is not None and actor != state.owner:
        possible = actions(state, actor)
    elif state.erased:
        possible = []
    else:
        possible = [name for name in case_actions(state.status) if name != "close" or not state.open_legs()]
    listed = ", ".join(possible) or "nothing"
    return StateConflict(
        f"{sentence} Possible now: {listed}.",
        extra={"state": state.status, "version": state.version, "possible": possible},
    )
