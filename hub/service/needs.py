"""Which agencies a request asks the transaction for: their present state, and their streams."""

from __future__ import annotations

from hub.domain.agency import HUB
from hub.domain.commands import Advise, Consult, Forward, PassOn, Return, SubmitComplaint
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
