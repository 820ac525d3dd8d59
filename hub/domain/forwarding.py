"""The forwarding handshake: sent, accepted or returned, progressed, answered, withdrawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.domain.case import Case, CaseState, Leg, LegTexts, leg_facts, status_from_legs
from hub.domain.commands import Accept, Answer, Forward, LegCommand, Progress, Recipient, Return, Withdraw
from hub.domain.decisions import FindAgency, common, conflict, decide, require
from hub.domain.events import Draft
from hub.domain.transitions import LEG, RETURN_REASONS, leg_actions
from hub.errors import Invalid, StateConflict


def forward(command: Forward, case: Case, find_agency: FindAgency) -> list[Draft]:
    """One `forwarding.sent` a leg. The complaint's masked words travel in it, so that a handler with
    nothing but a webhook can work."""
    state = case.state
    check_recipients(command.to, state.owner, find_agency)
    require(state, "forward")
    _check_roles(command.to, state)
    drafts = []
    for recipient in command.to:
        leg = Leg(recipient.leg_id, state.owner, recipient.agency, recipient.role, "sent", "", "")
        state = replace(state, legs=(*state.legs, leg))
        facts = common(state, status_from_legs(state.legs)) | {
            "forwarding": leg_facts(leg, state.id),
            "noted": command.note is not None,
            "complaint": state.complaint,
        }
        texts: dict[str, Any] = {"complaint": case.texts.complaint if case.texts else {}}
        if command.note:
            texts["note"] = command.note
        drafts.append(Draft("forwarding.sent", facts, texts))
    return drafts


def check_recipients(to: tuple[Recipient, ...], owner: str, find_agency: FindAgency) -> None:
    """Every recipient exists, is active, may handle cases, is somebody else and is named once (422)."""
    flaws: list[tuple[str, str]] = []
    seen: set[str] = set()
    for index, recipient in enumerate(to):
        pointer, agency = f"/to/{index}/agency", find_agency(recipient.agency)
        if recipient.agency == owner:
            flaws.append((pointer, "A case cannot be forwarded to the agency that owns it."))
        elif agency is None:
            flaws.append((pointer, f"No agency {recipient.agency!r} is registered; see GET /v1/agencies."))
        elif not agency.active:
            flaws.append((pointer, f"{agency.name} is no longer active; choose its successor."))
        elif not agency.may_receive():
            flaws.append((pointer, f"{agency.name} is of the kind {agency.kind}, which handles no cases."))
        if recipient.agency in seen:
            flaws.append((pointer, f"{recipient.agency} is named twice."))
        seen.add(recipient.agency)
    leads = [index for index, recipient in enumerate(to) if recipient.role == "lead"]
    if len(leads) > 1:
        flaws.append((f"/to/{leads[1]}/role", "One agency leads; the others support."))
    if flaws:
        raise Invalid("The case cannot be forwarded like this.", flaws=flaws)


def _check_roles(to: tuple[Recipient, ...], state: CaseState) -> None:
    lead = state.lead()
    leads = [recipient for recipient in to if recipient.role == "lead"]
    if lead is None and not leads:
        raise Invalid(
            "Nobody leads this case.",
            flaws=[("/to", "Name one agency with the role lead; nobody leads yet.")],
        )
    if lead is not None and leads:
        raise conflict(state, f"{lead.to} leads this case already; withdraw that forwarding first.")
    busy = {leg.to for leg in state.open_legs()}
    for recipient in to:
        if recipient.agency in busy:
            raise conflict(state, f"{recipient.agency} holds an open forwarding of this case already.")


@decide.register
def accept(command: Accept, case: Case) -> list[Draft]:
    leg = require_leg(case.state, command, "accept")
    return [Draft("forwarding.accepted", _facts(case.state, leg, "accepted"))]


@decide.register(Return)
def return_(command: Return, case: Case) -> list[Draft]:
    """Back to the sender with a reason and, if known, the right agency. It never closes the case."""
    leg = require_leg(case.state, command, "return")
    if command.reason not in RETURN_REASONS:
        raise Invalid(
            "reason is not on the list.", flaws=[("/reason", f"One of {', '.join(RETURN_REASONS)}.")]
        )
    if command.reason == "other" and not command.text:
        raise Invalid(
            "other needs text.", flaws=[("/text", "With the reason other, say in text what it is.")]
        )
    leg = replace(leg, reason=command.reason, suggested_agency=command.suggested_agency)
    facts = _facts(case.state, leg, "returned")
    texts = {"text": command.text} if command.text else {}
    return [Draft("forwarding.returned", facts, texts), *_completed(case, facts)]


@decide.register
def progress(command: Progress, case: Case) -> list[Draft]:
    leg = require_leg(case.state, command, "progress")
    return [Draft("forwarding.progressed", _facts(case.state, leg, "in_progress"), {"text": command.text})]


@decide.register
def answer(command: Answer, case: Case) -> list[Draft]:
    """The leg's answer and, when it was the last one missing, the case's: the lead's words."""
    leg = require_leg(case.state, command, "answer")
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
def withdraw(command: Withdraw, case: Case) -> list[Draft]:
    leg = require_leg(case.state, command, "withdraw")
    facts = _facts(case.state, leg, "withdrawn")
    return [Draft("forwarding.withdrawn", facts, {"reason": command.reason}), *_completed(case, facts)]


def require_leg(state: CaseState, command: LegCommand, action: str) -> Leg:
    """The leg that the command names, if its status allows `action`; else 409 naming its state."""
    leg = state.leg(command.leg_id)
    if leg is None:
        raise KeyError(f"leg {command.leg_id} is not one of case {state.id}")
    if state.erased:
        raise conflict(state, "The case was erased; nothing can be added to it.")
    if state.status == "closed" or action not in LEG[leg.status]:
        possible = [] if state.status == "closed" else leg_actions(leg.status)
        where = "the case is closed" if state.status == "closed" else f"the forwarding is {leg.status}"
        raise StateConflict(
            f"{action.capitalize()} is not possible while {where}. Possible now: "
            f"{', '.join(possible) or 'nothing'}.",
            extra={"state": leg.status, "version": state.version, "possible": possible},
        )
    return leg


def ended_leg(state: CaseState, leg_id: str, action: str) -> StateConflict:
    """409 for an agency that sees the case only as it stood when it left: its leg's state, and nothing of
    what became of the case since."""
    leg = state.leg(leg_id)
    status = leg.status if leg else "ended"
    return StateConflict(
        f"{action.capitalize()} is not possible while the forwarding is {status}. Possible now: nothing.",
        extra={"state": status, "possible": []},
    )


def _facts(state: CaseState, leg: Leg, status: str) -> dict[str, Any]:
    moved = replace(leg, status=status)
    legs = tuple(moved if other.id == leg.id else other for other in state.legs)
    return common(state, status_from_legs(legs)) | {"forwarding": leg_facts(moved, state.id)}
