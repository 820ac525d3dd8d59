"""What passes on when an agency hands its work over: of one case, its ownership while it is not closed, the
legs that are open and the consultations that are not answered. Clocks run on, by the calendar and to the day
of their start; only who owes them changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from hub.domain.agency import Agency
from hub.domain.audience import Sight, left_behind, takes_part
from hub.domain.case import (
    CaseState,
    Consultation,
    Handover,
    Leg,
    Visit,
)
from hub.domain.clocks import Clock
from hub.domain.copies import but
from hub.domain.events import HANDED_OVER, Draft, Fact, Recorded, is_agency_stream
from hub.domain.timekeeping import waits
from hub.domain.transitions import OPEN_LEG
from hub.errors import Invalid

MOST_LISTED: Final = 100
"""Deadlines and commitments that a summary lists: the earliest."""


@dataclass(frozen=True, slots=True)
class Successor:
    """An officer's account: its id and name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """`agency`'s work to `to`; between `officers` (who leaves it, who takes it on) where both are the same
    agency. `cases` and `threads` are what was found to be concerned before the transaction, which judges each
    again; every case of the threads is among `cases`. `text` is masked already."""

    action = "hand_over"
    agency: str
    to: str
    cases: tuple[str, ...]
    threads: tuple[str, ...]
    text: str | None = None
    officers: tuple[Successor, ...] = ()
    departed: bool = False
    """The account of the officer who leaves it is disabled."""


@dataclass(frozen=True, slots=True)
class Work:
    """What an agency holds of a case."""

    owner: bool
    legs: tuple[str, ...]
    consultations: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.owner or bool(self.legs or self.consultations)


def work_of(state: CaseState, agency: str) -> Work:
    """What `agency` has open in the case."""
    if state.erased:
        return Work(False, (), ())
    legs = tuple(leg.id for leg in state.legs if leg.to == agency and leg.status in OPEN_LEG)
    asked = tuple(each.id for each in state.consultations if each.agency == agency and each.status == "open")
    return Work(state.owner == agency and state.status != "closed", legs, asked)


def check_successor(agency: str, to: Agency | None, name: str) -> None:
    """Invalid names who cannot take the work on."""
    if name == agency:
        detail = "Name another agency; within one agency, from_officer and to_officer say who."
        raise Invalid("An agency cannot hand its work over to itself.", flaws=[("/to", detail)])
    if to is None or not to.may_receive():
        detail = f"{name!r} is no active agency that handles cases; see GET /v1/agencies."
        raise Invalid("This agency cannot take the work on.", flaws=[("/to", detail)])


def case_facts(state: CaseState, work: Work, command: HandOver) -> dict[str, Any]:
    """The clear facts of the event by which `work` on the case passes on."""
    return {
        "case_id": state.id,
        "tracking_number": state.tracking_number,
        "from": command.agency,
        "to": command.to,
        "owner": work.owner,
        "forwardings": list(work.legs),
        "consultations": list(work.consultations),
        "version": state.version,
    }


def summary_draft(command: HandOver, summary: dict[str, Any]) -> Draft:
    """The event that sums the handover up, with its note."""
    facts: dict[str, Any] = {"from": command.agency, "to": command.to, "summary": summary}
    if command.officers:
        leaving, taking = command.officers
        facts |= {"from_officer": leaving.id, "to_officer": taking.id, "departed": command.departed}
    return Draft(HANDED_OVER, facts, {"text": command.text} if command.text else {})


def concerns_case(fact: Fact) -> bool:
    """Whether it is the event of one case, to be folded into that one."""
    return fact.type == HANDED_OVER and "case_id" in fact.data


def handed_cases(events: Iterable[Recorded]) -> set[str]:
    """The cases whose work passes on in these events."""
    facts = (event.fact() for event in events if is_agency_stream(event.stream))
    return {fact.data["case_id"] for fact in facts if concerns_case(fact)}


def handed_over(state: CaseState, fact: Fact) -> CaseState:
    """The case after the event of its handover."""
    data = fact.data
    parts = (*data["forwardings"], *data["consultations"])
    return after_handover(
        state, Handover(data["version"], data["from"], data["to"], data["owner"], parts, fact.time)
    )


def after_handover(state: CaseState, handed: Handover) -> CaseState:
    """The case after its handover. Who no longer takes part keeps what stood then, as after returning a leg;
    what it had sent is the successor's to withdraw."""
    owner = handed.to if handed.owner else state.owner
    after = but(
        state,
        owner=owner,
        former_owners=tuple(name for name in state.former_owners if name != owner),
        legs=tuple([_leg(leg, handed) for leg in state.legs]),
        consultations=tuple([_consultation(asked, handed) for asked in state.consultations]),
        handovers=(*state.handovers, handed),
        updated_at=handed.at,
    )
    after = left_behind(state, but(after, clocks=_clocks(after, handed)))
    if takes_part(after, handed.sender):
        return after
    visit = Visit(handed.sender, state.version, state.status, state.updated_at)
    others = [each for each in after.visits if each.agency != handed.sender]
    return but(after, visits=(*others, visit))


def _leg(leg: Leg, handed: Handover) -> Leg:
    if leg.id in handed.parts:
        leg = but(leg, to=handed.to)
    if leg.sender == handed.sender and leg.status in OPEN_LEG:
        leg = but(leg, sender=handed.to)
    return leg


def _consultation(asked: Consultation, handed: Handover) -> Consultation:
    if asked.id in handed.parts:
        asked = but(asked, agency=handed.to)
    if asked.sender == handed.sender and asked.status == "open":
        asked = but(asked, sender=handed.to)
    return asked


def _clocks(after: CaseState, handed: Handover) -> tuple[Clock, ...]:
    """Each open clock of what passed on names the successor; its policy, calendar and day stay."""
    wanted = waits(after)

    def owed(clock: Clock) -> Clock:
        if not clock.is_open or clock.agency != handed.sender:
            return clock
        owed_before = (clock.stage, clock.subject, handed.sender) in wanted
        passes = not owed_before and (clock.stage, clock.subject, handed.to) in wanted
        return but(clock, agency=handed.to) if passes else clock

    return tuple([owed(clock) for clock in after.clocks])


def shown_handovers(state: CaseState, agency: str, until: int) -> list[Handover]:
    """Those that stood when `agency`, which sees the case as of version `until`, left it: what came after its
    own last one, in that same version, did not."""
    then = [each for each in state.handovers if each.version == until]
    own = [place for place, each in enumerate(then) if each.sender == agency]
    return [each for each in state.handovers if each.version < until] + then[: own[-1] if own else 0]


def seen_handovers(state: CaseState, seen: Sight) -> list[int]:
    """The places of those of the case's handovers that the reader's history shows. Who left sees, of what
    stood then and its own last one, where it gave or took something, or the case had another owner."""
    if seen.whole:
        return list(range(len(state.handovers)))
    agency, stood = seen.agency, 0
    for place, each in enumerate(state.handovers, 1):
        if each.version < seen.until or (each.version == seen.until and each.sender == agency):
            stood = place
    return [
        place
        for place, each in enumerate(state.handovers[:stood])
        if each.owner or agency in (each.sender, each.to)
    ]


def due_of(state: CaseState, work: Work, to: str) -> list[dict[str, Any]]:
    """The open deadlines of what passed on: {case_id, stage, subject, due_at, state}."""
    subjects = {*work.legs, *work.consultations, *([state.id] if work.owner else [])}
    return [
        {"case_id": state.id, "stage": each.stage, "subject": each.subject, "due_at": each.due_at,
         "state": each.state}
        for each in state.clocks
        if each.is_open and not each.shown_only and each.agency == to and each.subject in subjects
    ]  # fmt: skip
