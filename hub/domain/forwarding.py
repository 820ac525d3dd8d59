"""The forwarding handshake: sent, accepted or returned, progressed, answered, withdrawn. What may be
forwarded to whom is in `recipients.py`."""

from __future__ import annotations

from typing import Any

from hub.domain.case import (
    Case,
    CaseState,
    Leg,
    leg_facts,
    status_from_legs,
)
from hub.domain.case_texts import LegTexts
from hub.domain.commands import Accept, Answer, Forward, LegCommand, Progress, Reconsider, Return, Withdraw
from hub.domain.copies import but
from hub.domain.decisions import ERASED, Around, common, conflict, decide
from hub.domain.escalation import after_return, too_often
from hub.domain.events import Draft
from hub.domain.recipients import check_forwarding, check_recipients
from hub.domain.transitions import RECONSIDER, RETURN_REASONS
from hub.errors import Invalid, StateConflict


@decide.register
def forward(command: Forward, case: Case, around: Around) -> list[Draft]:
    """One `forwarding.sent` a leg, from the owner or from an agency that handles the case. The complaint's
    masked words travel in it, so that a handler with nothing but a webhook can work."""
    state, actor = case.state, around.actor
    check_recipients(command.to, state, actor, around.find_agency)
    check_forwarding(command, case, around)
    binding = actor == state.owner and too_often(state, around.limits.returns)
    drafts = []
    for recipient in command.to:
        leg = Leg(recipient.leg_id, actor, recipient.agency, recipient.role, "sent", "", "", binding=binding)
        state = but(state, legs=(*state.legs, leg))
        facts = common(state, status_from_legs(state.legs)) | {
            "forwarding": leg_facts(leg, state.id),
            "noted": command.note is not None,
            "complaint": state.complaint,
        }
        if binding:
            facts["binding"] = True
        texts: dict[str, Any] = {"complaint": case.texts.complaint if case.texts else {}}
        if command.note:
            texts["note"] = command.note
        drafts.append(Draft("forwarding.sent", facts, texts))
    return drafts


@decide.register
def accept(command: Accept, case: Case, around: Around) -> list[Draft]:
    leg = require_leg(case.state, command, around, "accept")
    return [Draft("forwarding.accepted", _facts(case.state, leg, "accepted"))]


@decide.register(Return)
def return_(command: Return, case: Case, around: Around) -> list[Draft]:
    """Back to the sender with a reason and, if known, the right agency. It never closes the case; one return
    too many of a lead leg passes the case to who stands above."""
    leg = require_leg(case.state, command, around, "return")
    if command.reason not in RETURN_REASONS:
        raise Invalid(
            "reason is not on the list.", flaws=[("/reason", f"One of {', '.join(RETURN_REASONS)}.")]
        )
    if command.reason == "other" and not command.text:
        raise Invalid(
            "other needs text.", flaws=[("/text", "With the reason other, say in text what it is.")]
        )
    leg = but(leg, reason=command.reason, suggested_agency=command.suggested_agency)
    facts = _facts(case.state, leg, "returned")
    texts = {"text": command.text} if command.text else {}
    passed = after_return(case.state, but(leg, status="returned"), facts["status"], around)
    returned = Draft("forwarding.returned", facts, texts, passes_on=bool(passed))
    return [returned, *_completed(case, facts), *passed]


@decide.register
def reconsider(command: Reconsider, case: Case, around: Around) -> list[Draft]:
    """Asks the sender of a leg that cannot be returned to think again. The leg stays where it is."""
    leg = require_leg(case.state, command, around, RECONSIDER)
    facts = _facts(case.state, leg, leg.status)
    return [Draft("forwarding.reconsideration_requested", facts, {"reason": command.reason})]


@decide.register
def progress(command: Progress, case: Case, around: Around) -> list[Draft]:
    leg = require_leg(case.state, command, around, "progress")
    return [Draft("forwarding.progressed", _facts(case.state, leg, "in_progress"), {"text": command.text})]


@decide.register
def answer(command: Answer, case: Case, around: Around) -> list[Draft]:
    """The leg's answer and, when it was the last one missing, the case's: the lead's words."""
    leg = require_leg(case.state, command, around, "answer")
    facts = _facts(case.state, leg, "answered")
    attached = [dict(attachment) for attachment in command.attachments]
    if attached:
        facts["attachments"] = attached
    texts: dict[str, Any] = {"text": command.text}
    if command.names:
        texts["names"] = list(command.names)
    drafts = [Draft("forwarding.answered", facts, texts)]
    if leg.role != "lead":
        return [*drafts, *_completed(case, facts)]
    if facts["status"] == "answered":
        drafts.append(_joint_answer(case, leg, attached, texts))
    return drafts


def _completed(case: Case, facts: dict[str, Any]) -> list[Draft]:
    """The lead has answered already, and the last other open leg has just ended."""
    lead = case.state.lead()
    if facts["status"] != "answered" or lead is None:
        return []
    written = (case.texts.legs.get(lead.id) if case.texts else None) or LegTexts()
    texts: dict[str, Any] = {"text": written.answer}
    if written.names:
        texts["names"] = written.names
    return [_joint_answer(case, lead, lead.attachments, texts)]


def _joint_answer(case: Case, lead: Leg, attached: list[dict[str, Any]], texts: dict[str, Any]) -> Draft:
    facts = common(case.state, "answered") | {"leg": lead.id, "agency": lead.to, "attachments": attached}
    return Draft("complaint.answered", facts, texts)


@decide.register
def withdraw(command: Withdraw, case: Case, around: Around) -> list[Draft]:
    return withdrawn(case, require_leg(case.state, command, around, "withdraw"), command.reason)


def withdrawn(case: Case, leg: Leg, reason: str) -> list[Draft]:
    """The open leg taken back, and the case's answer if it was the last one that was waited for."""
    facts = _facts(case.state, leg, "withdrawn")
    return [Draft("forwarding.withdrawn", facts, {"reason": reason}), *_completed(case, facts)]


def require_leg(state: CaseState, command: LegCommand, around: Around, action: str) -> Leg:
    """The leg that the command names, if its status allows `action`; else 409 naming its state."""
    leg = state.leg(command.leg_id)
    if leg is None:
        raise KeyError(f"leg {command.leg_id} is not one of case {state.id}")
    if state.erased:
        raise conflict(state, ERASED, around)
    if state.status == "closed" or action not in leg.moves():
        possible = [] if state.status == "closed" else sorted(leg.moves_by(around.actor, state.owner))
        raise StateConflict(
            f"{_refusal(state, leg, action)} Possible now: {', '.join(possible) or 'nothing'}.",
            extra={"state": leg.status, "version": state.version, "possible": possible},
        )
    return leg


def _refusal(state: CaseState, leg: Leg, action: str) -> str:
    if state.status == "closed":
        return f"{action.capitalize()} is not possible while the case is closed."
    if leg.moves() and action == "return":
        return (
            f"{leg.sender} owns the case because it was returned too often, and names the handler: this "
            "forwarding cannot be returned. Its sender can be asked to reconsider it, once."
        )
    if leg.moves() and action == RECONSIDER:
        why = "was asked already, and that can be done once" if leg.binding else "can be returned instead"
        return f"Reconsidering cannot be asked for: this forwarding {why}."
    return f"{action.capitalize()} is not possible while the forwarding is {leg.status}."


def ended_leg(state: CaseState, leg_id: str, agency: str, action: str) -> StateConflict:
    """409 for an agency that sees the case only as it stood when it left: its leg's state, and nothing of
    what became of the case since."""
    leg = state.leg(leg_id)
    if leg is None or leg.to != agency:
        return StateConflict(
            f"{action.capitalize()} is not possible: your agency has left this case. Possible now: nothing.",
            extra={"state": "ended", "possible": []},
        )
    status = leg.status
    return StateConflict(
        f"{action.capitalize()} is not possible while the forwarding is {status}. Possible now: nothing.",
        extra={"state": status, "possible": []},
    )


def _facts(state: CaseState, leg: Leg, status: str) -> dict[str, Any]:
    moved = but(leg, status=status)
    legs = tuple(moved if other.id == leg.id else other for other in state.legs)
    return common(state, status_from_legs(legs)) | {"forwarding": leg_facts(moved, state.id)}
