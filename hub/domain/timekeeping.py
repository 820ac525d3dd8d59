"""Which clocks a case has, by its state alone: `follow` starts, pauses, resumes and stops them after each
event. What the passing of time makes of a case is in `lapses.py`. Pure; calendars and policies are asked
for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final, Protocol

from hub.domain.case import CaseState
from hub.domain.clocks import Clock, facts, next_wake, pause, resume, start, stop
from hub.domain.events import READING, Fact
from hub.domain.policies import Policy
from hub.domain.transitions import OPEN_LEG
from hub.domain.working_time import Calendar, instant, local_day

ENDED: Final = frozenset({"closed", "rejected"})
"""In these states nobody waits for anything."""


class Rules(Protocol):
    """The dated facts in force: agencies' calendars, and policies."""

    def calendar_of(self, agency: str) -> Calendar:
        """The one by which a clock of that agency counts if it starts now."""
        ...

    def calendar(self, version: str) -> Calendar:
        """The one that a clock keeps; KeyError if the log has none of that version."""
        ...

    def policies(self, classification: str, stage: str, at: date) -> list[Policy]:
        """The row in force on that day and, if there is one, the row that is only shown beside it."""
        ...


Wait = tuple[str, str, str]
"""(stage, subject, agency): the agency owes this stage of the subject, the case's id, a leg's or a
consultation's. A plain tuple: some sixteen are made for each event."""


def waits(state: CaseState) -> dict[Wait, bool]:
    """What the case waits for -> whether its clock runs (else it is paused). An open case always waits for
    something."""
    if state.status in ENDED or state.erased:
        return {}
    return {**_of_the_case(state), **_of_its_parts(state)}


def _of_the_case(state: CaseState) -> dict[Wait, bool]:
    """The owner's clock runs until somebody leads, and again from when nobody does; it stands still while the
    reporter is asked back. After a reply to the answer the owner's word is waited for again."""
    owners = ("verification", state.id, state.owner)
    if state.status == "incomplete":
        return {owners: False, ("reply", state.id, state.source): True}
    if state.status == "answered" and not state.replied:
        return {("closure", state.id, state.owner): True}
    if state.status == "answered" or state.lead() is None:
        return {owners: True}
    return {}


def _of_its_parts(state: CaseState) -> dict[Wait, bool]:
    asked = [each for each in state.consultations if each.status == "open"]
    found: dict[Wait, bool] = {("consultation", each.id, each.agency): True for each in asked}
    for leg in state.legs:
        if leg.status == "sent":
            found["acceptance", leg.id, leg.to] = True
        if leg.status in OPEN_LEG:
            found["follow_up", leg.id, leg.to] = True
    return found


def follow(after: CaseState, fact: Fact, rules: Rules, *, passes_on: bool = False) -> list[Clock]:
    """The clocks that change because the case is `after` the event: what is no longer waited for stops, what
    is newly waited for starts by the rules in force, the others pause or run on. A reporter who is asked back
    again has the whole time again. `passes_on`: the next event of the same command gives the case another
    owner, so that no clock of this one starts. Call it with a case whose passed deadlines were recorded
    before (`lapses.tick`)."""
    if fact.type == READING:
        return []
    at, wanted = instant(fact.data.get("lapsed_at", fact.time)), waits(after)
    asked_again = fact.type == "complaint.incomplete"
    running: set[Wait] = set()
    changed: list[Clock] = []
    for clock in after.clocks:
        if not clock.is_open:
            continue
        wait = clock.stage, clock.subject, clock.agency
        if asked_again and clock.stage == "reply":
            changed.append(stop(clock, rules.calendar(clock.calendar), at))
            continue
        running.add(wait)
        runs = wanted.get(wait)
        if runs and not clock.pauses:  # as nearly every clock
            continue
        moved = _moved(clock, runs, at, rules)
        if moved is not clock:
            changed.append(moved)
    for wait, runs in wanted.items():
        if wait not in running and not (passes_on and wait[1] == after.id):
            changed += _started(wait, runs, after, fact, rules)
    return changed


def _moved(clock: Clock, runs: bool | None, at: datetime, rules: Rules) -> Clock:
    if runs is None:
        return stop(clock, rules.calendar(clock.calendar), at)
    if runs and clock.is_paused:
        return resume(clock, rules.calendar(clock.calendar), at)
    return clock if runs or clock.is_paused else pause(clock, at)


def _started(wait: Wait, runs: bool, state: CaseState, fact: Fact, rules: Rules) -> Iterator[Clock]:
    stage, subject, agency = wait
    at, calendar = instant(fact.time), rules.calendar_of(agency)
    classification = state.complaint["classification"]
    for policy in rules.policies(classification, stage, local_day(calendar, at)):
        name = f"{subject}/{stage}/{fact.sequence}{'/shown' if policy.shown_only else ''}"
        history = fact.data.get("historical", False)  # what begins after a case was taken over counts
        clock = start(name, subject, agency, policy, calendar, at, historical=history)
        yield clock if runs else pause(clock, at)


def with_clocks(data: dict[str, Any], clocks: list[Clock]) -> dict[str, Any]:
    """An event's data with the clocks that it changes; a forwarding and a consultation name their deadline
    from the start."""
    if not clocks:
        return data
    known = {clock["id"]: clock for clock in data.get("clocks", ())}
    data = data | {"clocks": list((known | {clock.id: facts(clock) for clock in clocks}).values())}
    for member, stage in (("forwarding", "follow_up"), ("consultation", "consultation")):
        part = data.get(member)
        for clock in clocks:
            if part and clock.subject == part["id"] and clock.stage == stage and not clock.shown_only:
                data[member] = part | {"due_at": clock.due_at}
    return data


def next_wake_of(state: CaseState) -> str | None:
    """The earliest moment at which one of the case's clocks has something to say (RFC 3339 in UTC)."""
    return min([at for clock in state.clocks if (at := next_wake(clock)) is not None], default=None)


def is_overdue(state: CaseState) -> bool:
    """Whether something that the case still waits for is late, by a deadline that counts."""
    return any(clock.state == "missed" and clock.is_open and not clock.shown_only for clock in state.clocks)
