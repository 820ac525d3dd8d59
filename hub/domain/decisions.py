"""What may be done with a case as a whole; `decide(command, case, around)` with every decision is in
`decide.py`.

Pure: whoever may act was settled before (auth.policy on the loaded state); here only the state speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Final

from hub.domain.agency import Agency
from hub.domain.audience import actions
from hub.domain.bounds import FULL, MOST_ASKED_BACK, asked_back
from hub.domain.case import Case, CaseState, status_from_legs
from hub.domain.commands import Close, Reopen, Reply, SubmitComplaint, Verify
from hub.domain.events import Draft
from hub.domain.limits import DEFAULT_LIMITS, Limits, reopened_too_often, reopens_until
from hub.domain.transitions import CASE, CLOSURE_REASONS, STATUS_BY_DECISION
from hub.errors import Invalid, StateConflict

ERASED: Final = "The case was erased; nothing can be added to it."
FindAgency = Callable[[str], Agency | None]


@dataclass(frozen=True, slots=True)
class Around:
    """What a decision may ask for beside the case: who acts, the registry, the time (RFC 3339 in UTC) and the
    hub's limits."""

    actor: str
    find_agency: FindAgency
    now: str
    limits: Limits = DEFAULT_LIMITS


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
    require(case.state, "verify", around)
    if command.decision == "accept":
        return [Draft("complaint.verified", common(case.state, "verified"))]
    if not command.reason:
        raise Invalid(
            "reason is needed unless the decision is accept.",
            flaws=[("/reason", "Say what is missing or why it is rejected; the reporter reads it.")],
        )
    status = STATUS_BY_DECISION[command.decision]
    if status == "incomplete" and (times := asked_back(case.state)) >= MOST_ASKED_BACK:
        raise conflict(
            case.state,
            f"The reporter was asked back {times} times already, and at most {MOST_ASKED_BACK} times for one "
            "case; accept or reject the complaint with what is known.",
            around,
            code=FULL,
        )
    return [Draft(f"complaint.{status}", common(case.state, status), {"reason": command.reason})]


@decide.register
def close(command: Close, case: Case, around: Around) -> list[Draft]:
    """Closing carries its reason, and never happens over an open leg."""
    state = case.state
    if state.erased:
        raise conflict(state, ERASED, around)
    if open_legs := state.open_legs():
        raise conflict(
            state,
            f"{len(open_legs)} forwarding(s) are still open (to {', '.join(leg.to for leg in open_legs)}); "
            "they must be answered, returned or withdrawn before the case is closed.",
            around,
        )
    require(state, "close", around)
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
    require(state, "reopen", around)
    _check_reopening(state, around)
    lead = state.lead()
    if lead is not None:
        facts = common(state, "in_progress") | {"leg": lead.id}
    else:
        status = status_from_legs(state.legs) if state.verified else "submitted"
        facts = common(state, status) | {"leg": None}
    return [Draft("complaint.reopened", facts, {"reason": command.reason})]


@decide.register
def reply(command: Reply, case: Case, around: Around) -> list[Draft]:
    """What was missing, when the reporter was asked back: the complaint is to be verified again. After an
    answer it keeps the case open. At any other time the handlers read it."""
    require(case.state, "reply", around)
    (status,) = CASE[case.state.status]["reply"]
    return [Draft("complaint.replied", common(case.state, status), {"text": command.text})]


def _check_reopening(state: CaseState, around: Around) -> None:
    """Limited in number and, once the case is closed, in time: what comes later is a new complaint."""
    limits, until = around.limits, reopens_until(state, around.limits)
    if reopened_too_often(state, limits):
        raise conflict(
            state,
            f"The case was reopened {state.reopenings} times already, which is the limit; submit a new "
            "complaint that names its tracking number.",
            around,
        )
    if until is not None and around.now > until:
        raise conflict(
            state,
            f"The case was closed at {state.closed_at} and could be reopened for {limits.reopen_days} days, "
            f"until {until}; submit a new complaint that names its tracking number.",
            around,
        )


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


def require(state: CaseState, action: str, around: Around) -> None:
    """The case's status allows `action`, or 409."""
    if state.erased:
        raise conflict(state, ERASED, around)
    if action not in CASE[state.status]:
        sentence = f"{action.capitalize()} is not possible while the case is {state.status}."
        raise conflict(state, sentence, around)


def conflict(
    state: CaseState, sentence: str, around: Around, *, code: str | None = None, refused: str = ""
) -> StateConflict:
    """409 that names the present state and what the caller could do now: not what was just `refused`, where
    that does not follow from the state."""
    possible = actions(state, around.actor, around.now, around.limits)
    possible = [name for name in possible if name != refused]
    listed = ", ".join(possible) or "nothing"
    return StateConflict(
        f"{sentence} Possible now: {listed}.",
        code=code,
        extra={"state": state.status, "version": state.version, "possible": possible},
    )
