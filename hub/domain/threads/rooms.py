"""Opening a thread, and who comes and goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.domain.audience import takes_part
from hub.domain.bounds import FULL, MOST_ROOMS, MOST_STAYS, OWNERS_PART, THREAD_FULL, rooms_left
from hub.domain.case import Case, CaseState
from hub.domain.events import Draft
from hub.domain.legible import PILED, is_piled
from hub.domain.threads.around import MOST_PARTICIPANTS, Around, common, conflict, invalid, require_open
from hub.domain.threads.commands import AddParticipant, OpenThread, RemoveParticipant
from hub.domain.threads.thread import ThreadState
from hub.errors import Forbidden, StateConflict

CASE_ERASED = "The case was erased; no thread is opened over it."


def open_thread(command: OpenThread, cases: Mapping[str, Case], around: Around) -> list[Draft]:
    """By an agency that sees every case that it names, as it stands; whoever it invites takes part in one of
    them (422 otherwise)."""
    flaws = [
        (f"/cases/{place}", f"There is no case {name}, or your agency takes no part in it.")
        for place, name in enumerate(command.cases)
        if name not in cases or not takes_part(cases[name].state, around.actor)
    ]
    if flaws:
        raise invalid("A case is not there.", *flaws)
    named = {name: cases[name].state for name in command.cases}
    for name, state in named.items():
        if state.erased:
            raise StateConflict(
                f"{CASE_ERASED} It is {name}.",
                extra={"state": state.status, "version": state.version, "possible": []},
            )
    if is_piled(command.subject):
        raise invalid("The subject cannot be read.", ("/subject", PILED))
    for place, agency in enumerate(command.participants):
        if agency != around.actor and (flaw := _unfit(agency, named.values(), around)):
            flaws.append((f"/participants/{place}", flaw))
    if flaws:
        raise invalid("An agency cannot take part in the thread.", *flaws)
    for state in named.values():
        _require_room(state, around)
    facts = {
        "thread_id": command.thread_id,
        "cases": list(named),
        "status": "open",
        "sources": {name: state.source for name, state in named.items()},
        "opened_by": around.actor,
        "participants": list(dict.fromkeys((around.actor, *command.participants))),
    }
    return [Draft("thread.opened", facts, {"subject": command.subject})]


def _require_room(state: CaseState, around: Around) -> None:
    if not rooms_left(state, around.actor):
        own = "" if around.actor == state.owner else f", the last {MOST_ROOMS // OWNERS_PART} by its owner"
        raise StateConflict(
            f"There are {len(state.rooms)} threads about the case {state.id}, concluded ones too; at most "
            f"{MOST_ROOMS} are opened{own}. Go on in one of them, or reopen one.",
            code=FULL,
            extra={"state": state.status, "version": state.version, "possible": []},
        )


def add_participant(
    command: AddParticipant, state: ThreadState, cases: Mapping[str, Case], around: Around
) -> list[Draft]:
    """An agency that takes part in one of the cases; one that left may come again."""
    flaw = _unfit(command.agency, [case.state for case in cases.values()], around)
    if flaw:
        raise invalid("The agency cannot take part in the thread.", ("/agency", flaw))
    require_open(state)
    if state.has(command.agency):
        raise conflict(state, f"{command.agency} takes part in the thread already.")
    if len(state.present()) >= MOST_PARTICIPANTS:
        raise conflict(state, f"A thread has at most {MOST_PARTICIPANTS} participants.")
    known = state.participant(command.agency)
    if known is not None and len(known.stays) > MOST_STAYS:
        why = (
            f"{command.agency} left the thread and came again {MOST_STAYS} times, the most that it can; open"
        )
        raise conflict(state, f"{why} another thread with it.", code=THREAD_FULL)
    facts = common(state) | {"participant": {"agency": command.agency, "history": command.history}}
    return [Draft("thread.participant_added", facts, {"officers": list(command.officers)})]


def remove_participant(command: RemoveParticipant, state: ThreadState, around: Around) -> list[Draft]:
    """An agency leaves by itself; whoever opened the thread, or took that one's place by a handover, may
    show another out. The last one stays: a
    thread ends with its conclusion."""
    if around.actor not in (command.agency, state.keeper):
        raise Forbidden("An agency leaves by itself, or is shown out by the one that opened the thread.")
    require_open(state)
    if not state.has(command.agency):
        raise conflict(state, f"{command.agency} takes no part in the thread.")
    if len(state.present()) == 1:
        raise conflict(state, "The last participant cannot leave; conclude the thread instead.")
    return [Draft("thread.participant_left", common(state) | {"participant": {"agency": command.agency}})]


def _unfit(agency: str, states: Any, around: Around) -> str | None:
    """In words, why the agency cannot be invited; None if it can."""
    known = around.find_agency(agency)
    if known is None or not known.active:
        return f"No active agency {agency!r} is registered; see GET /v1/agencies."
    if not any(takes_part(state, agency) for state in states):
        return f"{agency} takes part in none of the thread's cases; consult it or forward a case to it first."
    return None
