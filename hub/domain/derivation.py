"""Why a deadline falls where it falls: day by day, as data and as lines that anyone can check on a wall
calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from hub.domain.clocks import Clock
from hub.domain.working_time import (
    Calendar,
    elapsed_seconds,
    instant,
    is_weekend,
    is_working,
    local_day,
    local_time,
)

WEEKDAYS: Final = (
    ("Senin", "Monday"),
    ("Selasa", "Tuesday"),
    ("Rabu", "Wednesday"),
    ("Kamis", "Thursday"),
    ("Jumat", "Friday"),
    ("Sabtu", "Saturday"),
    ("Minggu", "Sunday"),
)
UNITS: Final = {
    "working_days": "working days",
    "calendar_days": "calendar days",
    "hours": "hours",
    "minutes": "minutes",
}
OFF: Final = {"public": "national holiday", "government": "cuti bersama", "local": "local day off"}
PROVISIONAL: Final = "(perkiraan)"
"""Stands in the name of a day off whose date the minister of religion has yet to confirm."""


@dataclass(frozen=True, slots=True)
class Step:
    """One date of a derivation. `why` is start, counted, weekend, public, government, local, paused (its
    place is taken by `paused_s` seconds of pauses), moved (a working day after the last one counted, to which
    a deadline in calendar days moves) or running (a clock in hours or minutes). `number` is its number when
    it counts; `name` that of the day off; `official` whether the official calendar reaches so far."""

    date: str
    why: str
    number: int | None
    name: str | None
    paused_s: int
    official: bool

    @property
    def weekday(self) -> tuple[str, str]:
        """In Indonesian and in English."""
        return WEEKDAYS[date.fromisoformat(self.date).weekday()]


@dataclass(frozen=True, slots=True)
class Derivation:
    clock: Clock
    calendar: Calendar
    steps: tuple[Step, ...]


def derive(clock: Clock, calendar: Calendar) -> Derivation:
    """From the start day to the day of the deadline. `calendar` is the version that the clock keeps, else
    ValueError. While a pause lasts, the days from its begin on do not count, and the deadline is yet to
    move."""
    if calendar.version != clock.calendar:
        raise ValueError(f"The clock {clock.id} counts by calendar {clock.calendar}, not {calendar.version}.")
    walk = {
        "working_days": _working_days,
        "calendar_days": _calendar_days,
        "hours": _exactly,
        "minutes": _exactly,
    }[clock.unit]
    return Derivation(clock, calendar, tuple(walk(clock, calendar)))


def _working_days(clock: Clock, calendar: Calendar) -> Iterator[Step]:
    number, paused_s, taken = 0, 0, 0
    for index, day in enumerate(_dates(clock, calendar)):
        today_s = _paused_on(clock, calendar, day)
        paused_s += today_s
        if index == 0:
            yield _step(calendar, day, "start", None, today_s)
        elif not is_working(calendar, day):
            yield _step(calendar, day, _closed(calendar, day), None, today_s)
        elif -(-paused_s // calendar.length_s) > taken:
            taken += 1
            yield _step(calendar, day, "paused", None, today_s)
        elif number == clock.amount:  # a pause outlasted the deadline, which moved to where the clock runs on
            why = "moved" if day == local_day(calendar, instant(clock.due_at)) else "paused"
            yield _step(calendar, day, why, None, today_s)
        else:
            number += 1
            yield _step(calendar, day, "counted", number, today_s)


def _calendar_days(clock: Clock, calendar: Calendar) -> Iterator[Step]:
    """Every day counts; what follows the last one counted is there because the office is closed, or for
    pauses."""
    due = local_day(calendar, instant(clock.due_at))
    for number, day in enumerate(_dates(clock, calendar)):
        today_s = _paused_on(clock, calendar, day)
        if number == 0:
            yield _step(calendar, day, "start", None, today_s)
        elif number <= clock.amount:
            yield _step(calendar, day, "counted", number, today_s)
        elif is_working(calendar, day):
            yield _step(calendar, day, "moved" if day == due else "paused", None, today_s)
        else:
            yield _step(calendar, day, _closed(calendar, day), None, today_s)


def _exactly(clock: Clock, calendar: Calendar) -> Iterator[Step]:
    for index, day in enumerate(_dates(clock, calendar)):
        today_s = _paused_on(clock, calendar, day)
        yield _step(calendar, day, "running" if index else "start", None, today_s)


def _dates(clock: Clock, calendar: Calendar) -> Iterator[date]:
    first, last = (local_day(calendar, instant(text)) for text in (clock.started_at, clock.due_at))
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


def _paused_on(clock: Clock, calendar: Calendar, day: date) -> int:
    """Seconds of that day for which the clock stood still, in its own measure; nothing after the deadline."""
    ordinal = day.toordinal()
    opened, ended = local_time(calendar, ordinal, 0), local_time(calendar, ordinal + 1, 0)
    limit = min(ended, instant(clock.due_at))
    total = 0
    for begun, until in clock.pauses:
        earliest, latest = max(opened, instant(begun)), min(limit, instant(until) if until else limit)
        total += elapsed_seconds(calendar, clock.unit, earliest, latest)
    return total


def _closed(calendar: Calendar, day: date) -> str:
    return "weekend" if is_weekend(day.toordinal()) else calendar.days[day.isoformat()].category


def _step(calendar: Calendar, day: date, why: str, number: int | None, paused_s: int) -> Step:
    iso = day.isoformat()
    off = calendar.days.get(iso)
    return Step(iso, why, number, off.name if off else None, paused_s, iso <= calendar.known_until)


def lines(derivation: Derivation) -> list[str]:
    """The derivation for people: a head, a line a date, and what it ends in. English, as every command;
    weekdays also as an Indonesian wall calendar has them."""
    clock, calendar = derivation.clock, derivation.calendar
    head = [
        f"{clock.stage}: {clock.amount} {_unit(clock)} (policy {clock.policy}), "
        f"calendar {clock.calendar} of {clock.agency}",
        f"begins {_local(calendar, clock.started_at)}; office hours {calendar.opens}-{calendar.closes} "
        f"({calendar.zone})",
    ]
    ends = next((step for step in derivation.steps if not step.official), None)
    body: list[str] = []
    for step in derivation.steps:
        if step is ends:
            body.append(
                f"-- the official calendar ends {calendar.known_until}; after it only weekends are known --"
            )
        body.append(_line(calendar, step))
    return [*head, *body, *_foot(clock, calendar)]


def _unit(clock: Clock) -> str:
    named = UNITS[clock.unit]
    return named.removesuffix("s") if clock.amount == 1 else named


def _line(calendar: Calendar, step: Step) -> str:
    indonesian, english = step.weekday
    number = "" if step.number is None else str(step.number)
    return f"{step.date}  {f'{indonesian}/{english}':<16}  {number:>4}  {_reason(calendar, step)}".rstrip()


def _reason(calendar: Calendar, step: Step) -> str:
    off = calendar.days.get(step.date)
    named = f"{OFF[off.category]} {off.name}" if off else None
    words = {
        "start": "first day, not counted",
        "counted": "counted",
        "weekend": "weekend",
        "paused": "paused",
        "moved": "the deadline moves to the end of this working day",
        "running": "the clock runs",
    }
    reason = words.get(step.why) or str(named)
    if named and step.why in words:
        reason += f" ({named})"
    if step.paused_s and step.why != "paused":
        reason += f"; paused {_span(step.paused_s)}"
    elif step.why == "paused":
        reason += f" {_span(step.paused_s)}" if step.paused_s else " (in place of earlier pauses)"
    if step.name and PROVISIONAL in step.name:
        reason += ": its date is not confirmed yet"
    return reason


def _foot(clock: Clock, calendar: Calendar) -> list[str]:
    foot = [f"deadline {_local(calendar, clock.due_at)}"]
    if clock.is_paused:
        since = _local(calendar, clock.pauses[-1][0])
        foot.append(f"paused since {since}: the deadline moves when the clock runs again")
    if clock.ended_at is not None:
        foot.append(f"stopped {_local(calendar, clock.ended_at)}: {clock.state}")
    return foot


def _local(calendar: Calendar, text: str) -> str:
    moment = instant(text).astimezone(calendar.tz)
    indonesian, english = WEEKDAYS[moment.weekday()]
    return f"{indonesian}/{english} {moment:%Y-%m-%d %H:%M:%S} {moment.tzname()}"


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min {rest % 60} s"
