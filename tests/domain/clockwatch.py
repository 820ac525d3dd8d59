"""What holds for the clocks of a case after every step, told from the log and the rules alone: none of it
asks the code that keeps them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from hub.domain.case import Case, CaseState
from hub.domain.clocks import Clock, charged_seconds
from hub.domain.evolution import evolve
from hub.domain.policies import Policy
from hub.domain.working_time import Calendar, elapsed_seconds, instant, written
from hub.service.rulebook import Rulebook
from tests.domain.casework import Casework

SILENT = {"closed", "rejected"}


class Watch:
    """Follows one case: `look` after each step reads what the log has got since."""

    def __init__(self) -> None:
        self.folded: Case | None = None
        self.read = 0
        self.clocks: dict[str, Clock] = {}
        self.missed_with: dict[str, Clock] = {}
        """Clock id -> the clock as it was when it was told to be missed."""
        self.said: set[tuple[str, str]] = set()
        self.begun: set[str] = set()
        self.last: Any = None
        self.replied = False

    def look(self, work: Casework) -> CaseState:
        for fact, texts in work.log[self.read :]:
            self.folded = evolve(self.folded, fact, texts)
            self._hear(fact)
            self.last = fact
        self.read = len(work.log)
        assert self.folded == work.case, "the log alone gives the same case"
        state = work.state
        self.waits_for_the_right_ones(state)
        for clock in state.clocks:
            if self.clocks.get(clock.id) is not clock:
                self.begins_by_the_rules_in_force(clock, work)
                self.is_derivable(clock, work)
            if clock.is_open or self.clocks.get(clock.id) is not clock:
                self.adds_up(clock, work)
            self.was_told(clock, work.now)
        self.clocks = {clock.id: clock for clock in state.clocks}
        return state

    def _hear(self, fact: Any) -> None:
        if fact.type in ("complaint.answered", "complaint.reopened"):
            self.replied = False
        elif fact.type == "complaint.replied":
            self.replied = True
        for each in fact.data.get("clocks", ()):
            if each["id"] not in self.begun:
                assert (each["state"] == "historical") == fact.data.get("historical", False)
            self.begun.add(each["id"])
        if fact.type == "complaint.closed" and fact.data["reason"] in ("no_reply", "archived"):
            ends = {each["due_at"] for each in fact.data["clocks"] if each["stage"] in ("closure", "reply")}
            assert {each["ended_at"] for each in fact.data["clocks"]} == ends, "as of its due moment"
        gone = fact.data.get("deactivated", False)
        if fact.type == "complaint.escalated" and fact.data["cause"] == "missed" and not gone:
            self._goes_up(fact)
        if not fact.type.startswith("deadline."):
            return
        told = Clock.from_document(fact.data["clocks"][0])
        assert (fact.type, told.id) not in self.said, "once"
        self.said.add((fact.type, told.id))
        assert not told.shown_only
        assert told.state != "historical"
        if fact.type == "deadline.missed":
            assert fact.time > told.due_at, "the very moment is in time"
            assert ("deadline.approaching", told.id) in self.said
            self.missed_with[told.id] = told
        else:
            assert fact.time >= told.warns_at, "not before its moment"
        assert fact.data["responsible_agency"] == told.agency

    def _goes_up(self, fact: Any) -> None:
        assert self.folded is not None
        lead, before = self.folded.state.lead(), self.last
        assert fact.data["from"] != fact.data["to"]
        assert before.type == "deadline.missed"
        assert lead is not None
        assert before.data["forwarding_id"] == lead.id, "it is the lead's that counts"
        assert before.data["clocks"][0]["escalates"]

    # --- who is waited for ----------------------------------------------------------------------------

    def waits_for_the_right_ones(self, state: CaseState) -> None:
        found = [(c.stage, c.subject, c.agency, c.is_paused) for c in state.clocks if _counts(c)]
        assert len(found) == len(set(found))
        assert set(found) == self.expected(state), state.status
        assert bool(found) == (state.status not in SILENT), "an open case always has a clock"
        beside = {(c.stage, c.subject, c.agency, c.is_paused) for c in state.clocks
                  if c.is_open and c.shown_only}  # fmt: skip
        assert beside <= set(found), "a limit that is shown stands beside another"

    def expected(self, state: CaseState) -> set[tuple[str, str, str, bool]]:
        if state.status in SILENT:
            return set()
        asked_back, answered = state.status == "incomplete", state.status == "answered"
        led = any(leg.role == "lead" and leg.status not in ("returned", "withdrawn") for leg in state.legs)
        found = {("consultation", each.id, each.agency, False) for each in state.consultations
                 if each.verdict is None}  # fmt: skip
        for leg in state.legs:
            if leg.status in ("sent", "accepted", "in_progress"):
                found.add(("follow_up", leg.id, leg.to, False))
            if leg.status == "sent":
                found.add(("acceptance", leg.id, leg.to, False))
        if asked_back:
            found.add(("reply", state.id, state.source, False))
        if answered and not self.replied:
            found.add(("closure", state.id, state.owner, False))
        elif answered or not led:
            found.add(("verification", state.id, state.owner, asked_back))
        return found

    # --- one clock ------------------------------------------------------------------------------------

    def begins_by_the_rules_in_force(self, clock: Clock, work: Casework) -> None:
        """And keeps them: its policy and calendar are those of its start, whatever came later."""
        before = self.clocks.get(clock.id)
        if before is not None:
            kept = ("policy", "amount", "unit", "calendar", "started_at", "agency", "subject", "stage")
            assert [getattr(clock, name) for name in kept] == [getattr(before, name) for name in kept]
            assert (before.ended_at, before.state) in ((None, before.state), (clock.ended_at, clock.state))
            return
        rules = work.rules
        assert isinstance(rules, Rulebook)
        calendar = rules.calendar_of(clock.agency)
        assert clock.calendar == calendar.version
        day = instant(clock.started_at).astimezone(calendar.tz).date()
        rows = rules.policies("complaint", clock.stage, day)
        assert clock.policy in {row.id for row in rows if row.shown_only is clock.shown_only}
        known = {(each.stage, each.subject) for each in self.clocks.values()}
        leg = work.state.leg(clock.subject)
        if leg is not None and (clock.stage, clock.subject) not in known:
            assert clock.started_at == leg.created_at, "nobody is charged for another's time"

    def is_derivable(self, clock: Clock, work: Casework) -> None:
        """From the policy, the calendar's version, the start and the pauses: all in the log."""
        rules = work.rules
        assert isinstance(rules, Rulebook)
        row = next(row for row in rules.rows if row.id == clock.policy)
        calendar = rules.calendar(clock.calendar)
        pauses = self.missed_with.get(clock.id, clock).pauses
        over = [(begun, until) for begun, until in pauses if until is not None and begun <= clock.due_at]
        assert derived(row, calendar, clock.started_at, over) == clock.due_at, (clock, over)
        for leg in work.state.legs:
            if leg.id == clock.subject and clock.is_open and clock.stage == "follow_up":
                assert clock.shown_only or leg.due_at == clock.due_at

    def adds_up(self, clock: Clock, work: Casework) -> None:
        calendar, now = work.rules.calendar(clock.calendar), instant(work.now)  # type: ignore[union-attr]
        end = clock.ended_at or max(
            work.now, clock.started_at, *(edge or "" for p in clock.pauses for edge in p)
        )
        whole = elapsed_seconds(calendar, clock.unit, instant(clock.started_at), instant(end))
        charged = charged_seconds(clock, calendar, now)
        assert charged + paused_seconds(clock, calendar, end) == whole
        assert (clock.paused_s > 0 or clock.is_paused) <= bool(clock.pauses)

    def was_told(self, clock: Clock, now: str) -> None:
        """What is late was told, once the hub has looked; what is not, was not."""
        told = ("deadline.missed", clock.id) in self.said
        if clock.shown_only or clock.state == "historical":
            assert not told
            assert ("deadline.approaching", clock.id) not in self.said
            return
        archived = clock.stage == "reply" and clock.ended_at == clock.due_at
        assert told == (clock.state == "missed" and not archived), clock
        if clock.state == "running":
            assert now <= clock.due_at
            assert clock.warned or now < clock.warns_at
        assert clock.warned == (("deadline.approaching", clock.id) in self.said)


def paused_seconds(clock: Clock, calendar: Calendar, end: str) -> int:
    """Seconds for which it stood still, in a pause that lasts until `end`."""
    pauses = [(instant(begun), instant(ended or end)) for begun, ended in clock.pauses]
    return sum(elapsed_seconds(calendar, clock.unit, begun, ended) for begun, ended in pauses)


def _counts(clock: Clock) -> bool:
    return clock.is_open and not clock.shown_only


def derived(row: Policy, calendar: Calendar, started_at: str, pauses: list[tuple[str, str]]) -> str:
    """The deadline as one counts it on a wall calendar, day by day. Only what counts in working days or hours
    is ever paused in these lives."""
    start = instant(started_at)
    if row.unit == "hours":
        spans = [instant(until) - instant(begun) for begun, until in pauses]
        return written(start + timedelta(hours=row.amount) + sum(spans, timedelta()))
    assert row.unit == "working_days" or not pauses, "nothing else is paused"
    day = start.astimezone(calendar.tz).strftime("%Y-%m-%d")
    due, paused_s = _counted(calendar, day, row.amount, row.unit), 0
    for begun, until in pauses:
        paused_s += elapsed_seconds(calendar, row.unit, instant(begun), instant(until))
        pushed = -(-paused_s // calendar.length_s)
        due = max(due, _counted(calendar, day, row.amount + pushed, row.unit), _runs_on(calendar, until))
    return due


def _runs_on(calendar: Calendar, until: str) -> str:
    """The end of the working day on which a clock that ran on then has time again."""
    day = instant(until).astimezone(calendar.tz)
    closing = _counted(calendar, day.strftime("%Y-%m-%d"), 0, "working_days")
    return closing if closing >= until else _counted(calendar, day.strftime("%Y-%m-%d"), 1, "working_days")


@cache
def _counted(calendar: Calendar, day: str, amount: int, unit: str) -> str:
    at = datetime.fromisoformat(f"{day}T{calendar.closes}").replace(tzinfo=calendar.tz)
    while amount or not _open(calendar, at):
        at += timedelta(days=1)
        amount -= 1 if amount and (unit == "calendar_days" or _open(calendar, at)) else 0
    return written(at)


def _open(calendar: Calendar, at: datetime) -> bool:
    return at.weekday() < 5 and at.strftime("%Y-%m-%d") not in calendar.days
