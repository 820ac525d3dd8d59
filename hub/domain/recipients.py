"""To whom a case may be forwarded, by whom, and when that needs a note."""

from __future__ import annotations

from hub.domain.bounds import FULL, MOST_LEGS, OWNERS_PART, WORDS_FULL, has_words_left, legs_left
from hub.domain.case import Case, CaseState
from hub.domain.commands import Forward, Recipient
from hub.domain.decisions import Around, FindAgency, conflict, require
from hub.domain.legible import is_blank
from hub.domain.transitions import WORKING_LEG
from hub.errors import Invalid


def check_recipients(
    to: tuple[Recipient, ...], state: CaseState, actor: str, find_agency: FindAgency
) -> None:
    """Every recipient exists, is active, may handle cases, is somebody else and is named once; one leads, and
    only the owner names who does (422)."""
    flaws: list[tuple[str, str]] = []
    for index, recipient in enumerate(to):
        pointer = f"/to/{index}/agency"
        if recipient.agency == state.owner:
            flaws.append((pointer, "A case cannot be forwarded to the agency that owns it."))
        elif recipient.agency == actor:
            flaws.append((pointer, "An agency cannot forward a case to itself."))
        elif flaw := unfit(recipient.agency, find_agency):
            flaws.append((pointer, flaw))
        if recipient.agency in [before.agency for before in to[:index]]:
            flaws.append((pointer, f"{recipient.agency} is named twice."))
    flaws += _flaws_of_leads(to, state, actor)
    if flaws:
        raise Invalid("The case cannot be forwarded like this.", flaws=flaws)


def unfit(agency_id: str, find_agency: FindAgency) -> str | None:
    """Why a case cannot go to this agency, None if it can."""
    agency = find_agency(agency_id)
    if agency is None:
        return f"No agency {agency_id!r} is registered; see GET /v1/agencies."
    if not agency.active:
        return f"{agency.name} is no longer active; choose its successor."
    if not agency.may_receive():
        return f"{agency.name} is of the kind {agency.kind}, which handles no cases."
    return None


def _flaws_of_leads(to: tuple[Recipient, ...], state: CaseState, actor: str) -> list[tuple[str, str]]:
    leads = [f"/to/{index}/role" for index, recipient in enumerate(to) if recipient.role == "lead"]
    if leads and _holds_a_leg(state, actor) and actor != state.owner:
        sentence = f"The case's owner, {state.owner}, names who leads; forward it onward as support."
        return [(pointer, sentence) for pointer in leads]
    return [(leads[1], "One agency leads; the others support.")] if len(leads) > 1 else []


def _holds_a_leg(state: CaseState, actor: str) -> bool:
    return any(leg.to == actor and leg.status in WORKING_LEG for leg in state.legs)


def check_forwarding(command: Forward, case: Case, around: Around) -> None:
    """The case's state allows it (409): who acts owns or handles it, nobody leads twice, nobody is sent twice
    what it still holds, whoever said that it is not theirs is told why it comes all the same, and the case
    has room for it."""
    state, actor = case.state, around.actor
    if actor != state.owner:
        _require_handling(state, around)
    require(state, "forward", around)
    if actor == state.owner:
        _check_lead(command.to, state, around)
    busy = {leg.to for leg in state.open_legs()}
    noted = command.note is not None and not is_blank(command.note)
    for recipient in command.to:
        if recipient.agency in busy:
            why = f"{recipient.agency} holds an open forwarding of this case already."
            raise conflict(state, why, around)
        if not noted and (said := declined(state, recipient.agency)):
            raise conflict(state, f"{said}; forward it there again only with a note that says why.", around)
    _require_room(command, case, around)


def _require_room(command: Forward, case: Case, around: Around) -> None:
    state = case.state
    if len(command.to) > (room := legs_left(state, around.actor)):
        own = "" if around.actor == state.owner else f", the last {MOST_LEGS // OWNERS_PART} by its owner"
        why = f"A case has at most {MOST_LEGS} forwardings, those that have ended too{own}. This one has "
        why += f"{len(state.legs)}, so that your agency may add {room}. "
        raise conflict(
            state,
            f"{why}Let those answer who hold one, or close it and submit a new complaint that names its "
            "tracking number.",
            around,
            code=FULL,
        )
    if not has_words_left(case.texts):
        remedy = "Let those answer who hold it; what more is to be said belongs in a coordination thread."
        raise conflict(state, f"{WORDS_FULL}. {remedy}", around, code=FULL, refused="forward")


def _require_handling(state: CaseState, around: Around) -> None:
    """An agency that handles the case may forward it onward; a former owner, as such, no longer."""
    actor = around.actor
    if _holds_a_leg(state, actor):
        return
    if actor in state.former_owners:
        cause = state.escalated or "missed"  # none where the owner before was deactivated
        why = f"The case was escalated (cause: {cause}): {state.owner} owns it now and forwards it."
        raise conflict(state, why, around)
    raise conflict(
        state, "An agency forwards a case onward after it accepted it and before it answered.", around
    )


def _check_lead(to: tuple[Recipient, ...], state: CaseState, around: Around) -> None:
    lead = state.lead()
    leads = [recipient for recipient in to if recipient.role == "lead"]
    if lead is None and not leads:
        raise Invalid(
            "Nobody leads this case.",
            flaws=[("/to", "Name one agency with the role lead; nobody leads yet.")],
        )
    if lead is not None and leads:
        raise conflict(state, f"{lead.to} leads this case already; withdraw that forwarding first.", around)


def declined(state: CaseState, agency: str) -> str | None:
    """In words, whether the agency returned this case or said that it is not its own."""
    if any(leg.to == agency and leg.status == "returned" for leg in state.legs):
        return f"{agency} returned this case before"
    if state.verdict_of(agency) == "not_ours":
        return f"{agency} was consulted and said that the case is not its own"
    return None
