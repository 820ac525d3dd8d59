"""What requests ask the transaction for: agencies in their present state, and streams to append to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.domain.agency import HUB
from hub.domain.case import Case
from hub.domain.commands import Advise, Consult, Erase, Forward, PassOn, Return, SubmitComplaint
from hub.domain.events import agency_stream, thread_stream
from hub.domain.handover import HandOver
from hub.domain.threads.commands import AddParticipant, OpenThread
from hub.service.requests import ChangeAgency, RecordRules, RegisterAgency, Request, sets_calendar


def agencies_of(request: Request) -> set[str]:
    """The agencies whose present state a command's decision asks for; each pays its own way only."""
    command = request.command
    found = {request.principal.agency}
    if isinstance(command, SubmitComplaint):
        found |= set(command.clear.get("addressed_to") or ())
    elif isinstance(command, Forward):
        found |= {recipient.agency for recipient in command.to}
    elif isinstance(command, Consult | PassOn):
        found.add(command.agency)
    elif isinstance(command, Return | Advise) and command.suggested_agency:
        found.add(command.suggested_agency)
    elif isinstance(command, OpenThread):
        found |= set(command.participants)
    elif isinstance(command, AddParticipant):
        found.add(command.agency)
    elif isinstance(command, RegisterAgency):
        found |= {command.agency.id, command.agency.parent or ""}
    elif isinstance(command, ChangeAgency):
        found |= {command.agency_id, str(command.changes.get("parent") or "")}
    elif isinstance(command, HandOver):
        found |= {command.agency, command.to}
    return found - {""}


def agency_streams_of(request: Request) -> set[str]:
    """The agencies to whose streams a command may append. A calendar stands in the hub's."""
    command = request.command
    if isinstance(command, RecordRules):
        return {HUB}
    if isinstance(command, HandOver):  # the successor's too: it may just be deactivated
        return {command.agency, command.to}
    if not isinstance(command, RegisterAgency | ChangeAgency):
        return set()
    own = command.agency.id if isinstance(command, RegisterAgency) else command.agency_id
    return {own, HUB} if sets_calendar(command) else {own}


def streams_of(request: Request) -> set[str]:
    """The existing streams that a request may append to. A new complaint's is nobody else's yet."""
    streams = set(request.case_ids) | {agency_stream(name) for name in agency_streams_of(request)}
    return streams | {thread_stream(name) for name in request.thread_ids}


def threads_about(batch: Sequence[Request], cases: Mapping[str, Case]) -> set[str]:
    """The threads about the cases that are to be erased: they may go with them."""
    erased = [
        cases[r.command.case_id] for r in batch if isinstance(r.command, Erase) if r.command.case_id in cases
    ]
    return {room.thread for case in erased for room in case.state.rooms}
