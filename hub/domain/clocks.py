"""Clocks: one stage of one case, leg or consultation against its deadline. Pure values; every function gives
a new clock, and each carries all that was derived, so that a replay needs neither policy nor calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from hub.domain.copies import but, read
from hub.domain.policies import Policy
from hub.domain.working_time import (
    EXACT,
    Calendar,
    after_working_seconds,
    closing_not_before,
    due_calendar_days,
    due_exactly,
    due_working_days,
    earlier_closing,
    elapsed_seconds,
    instant,
    written,
)

WARNS_WORKING_DAYS_BEFORE: Final = 1
"""A deadline is approaching from the end of the working day before it …"""
WARNS_AFTER_PERCENT: Final = 50
"""… but not before this share of the clock's own time has run: a clock of one day warns on that day."""

Pauses = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Clock:
    """Times are RFC 3339 strings in UTC. `subject` is the id of the case, the leg or the consultation;
    `agency` the one whose calendar counts; `policy` and `calendar` (a version) those of its start, kept
    whatever comes later. A clock is open until `ended_at`, also when it is missed."""

    id: str
    stage: str
    subject: str
    agency: str
    policy: str
    amount: int
    unit: str
    calendar: str
    started_at: str
    due_at: str
    """The last moment that is still in time."""
    warns_at: str
    state: str = "running"
    pauses: Pauses = ()
    """(from, until) of each pause, until None while it lasts."""
    paused_s: int = 0
    """Seconds of the pauses that have ended: office seconds for working days, else all."""
    ended_at: str | None = None
    warned: bool = False
    shown_only: bool = False
    escalates: bool = False
    """Once it is missed, the case goes up one level."""

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def is_paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1][1] is None

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Clock:
        """From the JSON that `orjson.dumps(clock)` gives."""
        pauses = document["pauses"]
        return read(cls, document | {"pauses": tuple([(begun, ended) for begun, ended in pauses])})


def start(
    clock_id: str,
    subject: str,
    agency: str,
    policy: Policy,
    calendar: Calendar,
    at: datetime,
    *,
    historical: bool = False,
) -> Clock:
    """A clock that starts at `at`; a `historical` one is shown and raises nothing."""
    begun = _begun(policy, calendar, at)
    state = "historical" if historical else "running"
    return but(begun, id=clock_id, subject=subject, agency=agency, state=state)


def pause(clock: Clock, at: datetime) -> Clock:
    """Stands still from `at`, for instance because the reporter was asked back. A missed clock stays missed,
    but what follows is not charged. One that is paused already, or ended, stays as it is."""
    clock = _lapsed(clock, at)
    if not clock.is_open or clock.is_paused:
        return clock
    state = "paused" if clock.state == "running" else clock.state
    return but(clock, state=state, pauses=(*clock.pauses, (_not_before(clock, at), None)))


def resume(clock: Clock, calendar: Calendar, at: datetime) -> Clock:
    """Runs on from `at`; the deadline moves on by the pause, never back. Without a pause: as it is."""
    if not clock.is_paused:
        return clock
    clock = _unpaused(clock, calendar, at)
    if clock.state != "paused":
        return clock
    now, due = instant(_not_before(clock, at)), instant(clock.due_at)
    charged = charged_seconds(clock, calendar, now)
    total = charged + elapsed_seconds(calendar, clock.unit, now, due)
    warns_at = clock.warns_at
    if not clock.warned:
        warns_at = written(_warning(calendar, clock.unit, now, due, charged, total))
    return but(clock, state="running", warns_at=warns_at)


def stop(clock: Clock, calendar: Calendar, at: datetime) -> Clock:
    """What it waited for has happened, or is not waited for any more: met, or still missed. An ended one
    stays as it is. Missed by this very call means that `deadline.missed` is yet to be recorded: call `miss`
    first."""
    if not clock.is_open:
        return clock
    clock = _lapsed(clock, at)
    ended_at = _not_before(clock, at)
    if clock.is_paused:
        clock = _unpaused(clock, calendar, at)
    state = "met" if clock.state in ("running", "paused") else clock.state
    return but(clock, state=state, ended_at=ended_at)


def warn(clock: Clock, at: datetime) -> Clock | None:
    """The clock once its deadline is approaching (`deadline.approaching`); None when there is nothing to say:
    too early, said already, paused, ended, missed, historical or shown only. A hub that was down says it
    late."""
    ripe = clock.state == "running" and not clock.warned and not clock.shown_only
    return but(clock, warned=True) if ripe and written(at) >= clock.warns_at else None


def miss(clock: Clock, at: datetime) -> Clock | None:
    """The clock once its deadline has passed (`deadline.missed`); None when there is nothing to say. The
    moment `due_at` itself is still in time."""
    if clock.shown_only:
        return None
    lapsed = _lapsed(clock, at)
    return lapsed if lapsed is not clock else None


def next_wake(clock: Clock) -> str | None:
    """`warns_at`, from which moment on `warn` has something to say, or `due_at`, after which `miss` has; None
    when nothing will come by itself."""
    if clock.state != "running" or clock.shown_only:
        return None
    return clock.due_at if clock.warned else clock.warns_at


def charged_seconds(clock: Clock, calendar: Calendar, now: datetime) -> int:
    """Seconds that count against the agency until the clock's end, or `now`: the stretches between the
    pauses, in office seconds for working days."""
    _same(clock, calendar)
    bounds = [clock.started_at, *(edge for pause in clock.pauses for edge in pause if edge is not None)]
    if not clock.is_paused:
        bounds.append(_end(clock, now))
    stretches = zip(bounds[::2], bounds[1::2], strict=True)
    return sum(
        elapsed_seconds(calendar, clock.unit, instant(begun), instant(ended)) for begun, ended in stretches
    )


def deadline_document(clock: Clock, now: datetime) -> dict[str, Any]:
    """A `deadline`. A pause that lasts is counted in `paused_for_s` once it has ended. A limit that
    is only shown reads missed as soon as it is, since no event says so."""
    return {
        "stage": clock.stage,
        "policy": clock.policy,
        "started_at": clock.started_at,
        "paused_for_s": clock.paused_s,
        "due_at": clock.due_at,
        "state": _lapsed(clock, now).state if clock.shown_only else clock.state,
    }


def facts(clock: Clock) -> dict[str, Any]:
    """The whole clock as an event carries it; `Clock.from_document` reads it."""
    return dict(clock.__dict__)


def _lapsed(clock: Clock, at: datetime) -> Clock:
    """Missed, if it runs and `at` is after its deadline."""
    return but(clock, state="missed") if clock.state == "running" and written(at) > clock.due_at else clock


def _unpaused(clock: Clock, calendar: Calendar, at: datetime) -> Clock:
    """With the pause ended and, unless the deadline had passed before it, the deadline moved on by it."""
    _same(clock, calendar)
    begun, ended = clock.pauses[-1][0], _not_before(clock, at)
    paused_s = clock.paused_s + elapsed_seconds(calendar, clock.unit, instant(begun), instant(ended))
    after = but(clock, pauses=(*clock.pauses[:-1], (begun, ended)), paused_s=paused_s)
    if clock.state == "missed" or begun > clock.due_at:
        return after
    return but(after, due_at=written(_pushed(after, calendar, instant(ended))))


def _not_before(clock: Clock, at: datetime) -> str:
    """`at`, but never before what happened to the clock already: processes' wall clocks differ."""
    last = clock.started_at
    if clock.pauses:
        begun, ended = clock.pauses[-1]
        last = ended or begun
    return max(written(at), last)


def _end(clock: Clock, now: datetime) -> str:
    return clock.ended_at or _not_before(clock, now)


@lru_cache(1024)
def _begun(policy: Policy, calendar: Calendar, at: datetime) -> Clock:
    """A clock that starts at `at`, of nobody yet. Remembered, since what is decided in one batch happens at
    one moment."""
    unit, due = policy.unit, _due(calendar, policy.unit, at, policy.amount)
    total = elapsed_seconds(calendar, unit, at, due)
    return Clock(
        id="",
        stage=policy.stage,
        subject="",
        agency="",
        policy=policy.id,
        amount=policy.amount,
        unit=unit,
        calendar=calendar.version,
        started_at=written(at),
        due_at=written(due),
        warns_at=written(_warning(calendar, unit, at, due, 0, total)),
        shown_only=policy.shown_only,
        escalates=policy.escalates,
    )


def _due(calendar: Calendar, unit: str, begun: datetime, amount: int) -> datetime:
    if unit == "working_days":
        return due_working_days(calendar, begun, amount)
    if unit == "calendar_days":
        return due_calendar_days(calendar, begun, amount)
    return due_exactly(begun, amount, unit)


def _pushed(clock: Clock, calendar: Calendar, now: datetime) -> datetime:
    """The deadline after the pause that has just ended at `now`: for working days by the office time of all
    pauses together, in whole days; for calendar days by this pause, to the next end of a working day; for
    hours and minutes by exactly this pause. Never back, and for working days never before the end of the
    working day on which it runs on: whole days were given for the pauses before, and this one may outlast
    what was left of them."""
    if clock.unit == "working_days":
        moved = due_working_days(calendar, instant(clock.started_at), clock.amount, clock.paused_s)
        return max(moved, instant(clock.due_at), closing_not_before(calendar, now))
    later = instant(clock.due_at) + (now - instant(clock.pauses[-1][0]))
    return later if clock.unit in EXACT else closing_not_before(calendar, later)


def _warning(
    calendar: Calendar, unit: str, now: datetime, due: datetime, charged: int, total: int
) -> datetime:
    """The later of the end of the working day before and the moment when the set share has run."""
    missing = -(-total * WARNS_AFTER_PERCENT // 100) - charged
    before = earlier_closing(calendar, due, WARNS_WORKING_DAYS_BEFORE)
    if missing <= 0:
        return max(before, now)
    if unit == "working_days":
        return max(before, after_working_seconds(calendar, now, missing))
    return max(before, now + timedelta(seconds=missing))


def _same(clock: Clock, calendar: Calendar) -> None:
    if clock.calendar != calendar.version:
        raise ValueError(f"The clock {clock.id} counts by calendar {clock.calendar}, not {calendar.version}.")
