"""An office in the middle of its work, and its handover, on a hub without a web server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from auth.principal import Principal
from hub.domain.agency import HUB, Agency
from hub.domain.case import CaseState
from hub.domain.commands import Accept, Consult, Verify
from hub.domain.events import agency_stream
from hub.domain.handover import HandOver
from hub.domain.threads.commands import MakeCommitment, OpenThread, PostMessage
from hub.domain.threads.thread import Thread
from hub.ports.registry import ClientRow
from hub.service.handovers import MOST, find
from hub.service.requests import OPERATOR, ChangeAgency, Outcome, RegisterAgency, Request
from tests.service.hubworld import DEFAULT_SCOPES, KOTIM, MEDAN, PLN, PUPR, HubWorld, client_of

OFFICE, NEW, THIRD = PUPR, "diskominfo-kotim", "bappeda-kotim"
"""OFFICE hands over to NEW; THIRD would like the work too."""
SUCCESSORS = (
    Agency(NEW, "Dinas Komunikasi dan Informatika Kotim", "unit", time_zone="Asia/Makassar"),
    Agency(THIRD, "Bappeda Kotim", "unit"),
)
OPERATING = Principal(OPERATOR, HUB, frozenset({"agencies:write"}), "", 0.0)


@dataclass
class Office:
    """OFFICE has accepted a forwarding, owes a consultation and a promise, and owns a case."""

    world: HubWorld
    handled: str = ""
    leg: str = ""
    asked: str = ""
    consultation: str = ""
    owned: str = ""
    thread: str = ""
    commitment: str = ""
    foreign: str = ""
    """A case in which OFFICE takes no part."""
    ids: list[str] = field(default_factory=list)

    def begin(self, officer: str | None = None) -> Office:
        world = self.world
        for agency in SUCCESSORS:
            world.core.operate(RegisterAgency(agency))
        self.handled, self.leg = world.forwarded((OFFICE, "lead"), reference="H-1")
        world.do(world.request(Accept(self.handled, self.leg), OFFICE))
        self.asked = world.submitted("H-2")
        self.consultation = world.legs.new()
        world.do(
            world.request(Verify(self.asked, "accept")),
            world.request(Consult(self.asked, self.consultation, OFFICE, "Apakah ini milik Anda?")),
        )
        self.owned = world.submitted("H-3", MEDAN)
        world.do(world.request(Verify(self.owned, "accept"), MEDAN))
        self.foreign = world.submitted("H-4", PLN)
        self.thread, self.commitment = world.legs.new(), world.legs.new()
        due_on = (world.clock.moment.date().replace(day=20)).isoformat()
        world.do(
            world.request(OpenThread(self.thread, "Banjir di perbatasan", (self.handled,), (OFFICE,))),
            world.request(PostMessage(self.thread, world.legs.new(), "Catatan dalam.", "internal"), OFFICE),
            world.request(PostMessage(self.thread, world.legs.new(), "Kami berangkat.", "agencies"), OFFICE),
            world.request(
                MakeCommitment(self.thread, self.commitment, OFFICE, "Memasang pompa.", due_on, officer),
                OFFICE,
            ),
        )
        return self

    def case(self, case_id: str) -> CaseState:
        state: CaseState = self.world.read(lambda session: session.case(case_id)).state
        return state

    def room(self) -> Thread:
        thread: Thread = self.world.read(lambda session: session.thread(self.thread))
        return thread


def client(agency: str) -> ClientRow:
    """So that it can act with `world.request`."""
    when = "2025-03-14T02:00:00.000Z"
    return ClientRow(client_of(agency), agency, tuple(sorted(DEFAULT_SCOPES)), b"x", None, when)


def prepared(world: HubWorld, agency: str = OFFICE, to: str = NEW, **more: Any) -> HandOver:
    """The command as the desk makes it."""
    found = world.read(lambda session: find(session, agency, more.get("officers", ()), MOST))
    return HandOver(agency, to, found.cases, found.threads, **more)


def request(command: HandOver | ChangeAgency) -> Request:
    return Request(OPERATING, command)


def hand_over(world: HubWorld, agency: str = OFFICE, to: str = NEW, **more: Any) -> Outcome:
    return world.do(request(prepared(world, agency, to, **more)))


def summary(world: HubWorld, outcome: Outcome) -> dict[str, Any]:
    """What the event that sums it up says."""
    agency, _, sequence = outcome.ids
    events = world.read(lambda session: session.stream(agency_stream(agency), int(sequence) - 1, 1))
    found: dict[str, Any] = events[0].fact().data["summary"]
    return found


def told(world: HubWorld, agency: str) -> list[dict[str, Any]]:
    """The data of the handovers in the agency's mailbox."""
    rows = world.read(lambda session: session.mailbox(agency, 0, 1000))
    facts = [row.event.fact() for row in rows]
    return [fact.data for fact in facts if fact.type == "agency.handed_over"]


__all__ = [name for name in dir() if not name.startswith("_") and name != "annotations"] + ["KOTIM"]
