"""The life of a clock: when it is due, what pauses do to it, when it warns and is missed, once each."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from hub.domain.clocks import (
    Clock,
    charged_seconds,
    deadline_document,
    facts,
    miss,
    next_wake,
    pause,
    resume,
    start,
    stop,
    warn,
)
from hub.domain.policies import DEFAULTS, Policy, policy_for
from hub.domain.working_time import (
    Calendar,
    for_agency,
    instant,
    local_day,
    working_seconds,
    written,
)
from schemas.registry import Registry
from tests.domain import decrees

DECREED = decrees.calendar()
FOLLOW_UP = next(row for row in DEFAULTS if row.id == "follow-up-5wd")
ACCEPTANCE = next(row for row in DEFAULTS if row.stage == "acceptance")
STATUTE = next(row for row in DEFAULTS if row.shown_only)
LEG = "0195a1b2-0000-7000-8000-000000000011"


def local(text: str, zone: str = "Asia/Jakarta") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def begun(text: str = "2025-03-10 10:00", policy: Policy = FOLLOW_UP, calendar: Calendar = DECREED) -> Clock:
    return start("k", LEG, "kemen-pupr", policy, calendar, local(text))


def at(text: str) -> str:
    return written(local(text))


# --- due, warning, missing ------------------------------------------------------------------------------


def test_a_follow_up_over_lebaran() -> None:
    clock = begun("2025-03-26 10:00")
    assert (clock.started_at, clock.due_at, clock.state) == (
        "2025-03-26T03:00:00.000Z",
        "2025-04-11T09:00:00.000Z",
        "running",
    )
    assert clock.warns_at == at("2025-04-10 16:00"), "the end of the working day before"
    assert (clock.policy, clock.calendar) == ("follow-up-5wd", DECREED.version)


def test_a_clock_of_one_day_warns_when_half_of_it_has_run() -> None:
    """Monday 10:00 to Tuesday 16:00 are 6 and 8.5 office hours; half of 14.5 ends on Tuesday at 08:45."""
    assert begun(policy=ACCEPTANCE).warns_at == at("2025-03-11 08:45")


def test_hours_and_calendar_days_warn_too() -> None:
    three_days = replace(FOLLOW_UP, unit="hours", amount=72)
    clock = begun("2025-03-12 22:00", three_days)
    assert (clock.due_at, clock.warns_at) == (at("2025-03-15 22:00"), at("2025-03-14 16:00"))
    clock = begun("2025-03-10 10:00", replace(FOLLOW_UP, unit="calendar_days"))
    assert (clock.due_at, clock.warns_at) == (at("2025-03-17 16:00"), at("2025-03-14 16:00"))


def test_approaching_and_missed_once_each() -> None:
    clock = begun()
    assert next_wake(clock) == clock.warns_at
    assert warn(clock, instant(clock.warns_at) - timedelta(milliseconds=1)) is None
    assert miss(clock, instant(clock.warns_at)) is None
    warned = warn(clock, instant(clock.warns_at))
    assert warned == replace(clock, warned=True)
    assert warn(warned, instant(clock.due_at)) is None
    assert next_wake(warned) == clock.due_at
    assert miss(warned, instant(clock.due_at)) is None, "the last moment is in time"
    missed = miss(warned, instant(clock.due_at) + timedelta(milliseconds=1))
    assert missed == replace(warned, state="missed")
    assert miss(missed, local("2026-01-01 00:00")) is None
    assert warn(replace(missed, warned=False), local("2026-01-01 00:00")) is None
    assert next_wake(missed) is None
    assert missed.is_open


def test_a_hub_that_was_down_says_both_afterwards() -> None:
    clock, later = begun(), local("2025-04-20 09:00")
    warned = warn(clock, later)
    assert warned is not None
    missed = miss(warned, later)
    assert missed is not None
    assert (missed.state, missed.due_at) == ("missed", clock.due_at)


def test_what_it_waited_for_happened_in_time_or_not() -> None:
    clock = begun()
    met = stop(clock, DECREED, instant(clock.due_at))
    assert (met.state, met.ended_at) == ("met", clock.due_at)
    assert stop(met, DECREED, local("2026-01-01 00:00")) is met
    assert warn(met, local("2026-01-01 00:00")) is None
    assert miss(met, local("2026-01-01 00:00")) is None
    late = stop(clock, DECREED, instant(clock.due_at) + timedelta(seconds=1))
    assert (late.state, late.is_open) == ("missed", False)


def test_a_historical_clock_raises_nothing() -> None:
    clock = start("k", LEG, "kemen-pupr", FOLLOW_UP, DECREED, local("2019-03-11 10:00"), historical=True)
    later = local("2026-01-01 00:00")
    assert (clock.state, clock.due_at) == ("historical", at("2019-03-18 16:00"))
    assert (warn(clock, later), miss(clock, later), next_wake(clock)) == (None, None, None)
    ended = stop(resume(pause(clock, later), DECREED, later), DECREED, later)
    assert (ended.state, ended.due_at, ended.is_open) == ("historical", clock.due_at, False)


def test_a_limit_that_is_only_shown_raises_nothing_and_tells_the_truth() -> None:
    clock = begun("2025-03-10 10:00", STATUTE)
    after = instant(clock.due_at) + timedelta(seconds=1)
    assert (warn(clock, after), miss(clock, after), next_wake(clock)) == (None, None, None)
    assert deadline_document(clock, instant(clock.due_at))["state"] == "running"
    assert deadline_document(clock, after)["state"] == "missed"
    assert stop(clock, DECREED, after).state == "missed"


# --- pauses ---------------------------------------------------------------------------------------------


def test_a_pause_over_a_weekend_costs_nothing() -> None:
    clock = begun("2025-03-10 10:00")
    paused = pause(clock, local("2025-03-14 16:00"))
    # due on Monday the 17th; the reporter was asked on Friday at closing time and replied on Sunday
    assert (paused.state, paused.due_at, next_wake(paused)) == ("paused", clock.due_at, None)
    resumed = resume(paused, DECREED, local("2025-03-16 20:00"))
    assert (resumed.state, resumed.due_at, resumed.paused_s) == ("running", at("2025-03-17 16:00"), 0)
    assert resumed.warns_at == at("2025-03-16 20:00"), "it would have been said on Friday, so at once"


def test_a_pause_pushes_the_deadline_to_the_end_of_a_later_working_day() -> None:
    clock = begun("2025-03-20 10:00")  # due on the 27th, the last day before Nyepi and Lebaran
    assert clock.due_at == at("2025-03-27 16:00")
    resumed = resume(pause(clock, local("2025-03-25 13:00")), DECREED, local("2025-03-26 08:00"))
    assert (resumed.paused_s, resumed.due_at) == (3 * 3600 + 1800, at("2025-04-08 16:00"))
    assert resumed.warns_at == at("2025-03-27 16:00")
    again = resume(pause(resumed, local("2025-03-27 08:00")), DECREED, local("2025-04-08 08:00"))
    assert (again.paused_s, again.due_at) == (3 * 3600 + 1800 + 8 * 3600 + 1800, at("2025-04-09 16:00"))


def test_a_paused_clock_neither_warns_nor_is_missed() -> None:
    paused = pause(begun(), local("2025-03-11 10:00"))
    later = local("2025-12-01 10:00")
    assert (warn(paused, later), miss(paused, later)) == (None, None)
    assert pause(paused, later) is paused
    assert stop(paused, DECREED, later).state == "met"
    resumed = resume(paused, DECREED, later)
    assert miss(resumed, later) is None
    assert resumed.due_at > written(later)


def test_it_warns_once_also_when_a_pause_moves_the_deadline() -> None:
    warned = warn(begun(), local("2025-03-16 09:00"))
    assert warned is not None
    resumed = resume(pause(warned, local("2025-03-17 09:00")), DECREED, local("2025-03-19 09:00"))
    assert resumed.due_at == at("2025-03-19 16:00")
    assert resumed.warns_at == warned.warns_at, "when it was said"
    assert warn(resumed, instant(resumed.due_at)) is None
    assert next_wake(resumed) == resumed.due_at


def test_a_missed_clock_stays_missed_but_is_not_charged_while_paused() -> None:
    late, replied = local("2025-03-18 10:00"), local("2025-03-19 10:00")
    clock = pause(begun(), late)
    assert (clock.state, clock.is_paused) == ("missed", True)
    clock = resume(clock, DECREED, replied)
    assert (clock.state, clock.due_at) == ("missed", begun().due_at)
    ended = stop(clock, DECREED, replied)
    assert charged_seconds(ended, DECREED, replied) == working_seconds(
        DECREED, local("2025-03-10 10:00"), late
    )
    assert ended.paused_s == 8 * 3600 + 1800


def test_hours_are_pushed_by_exactly_the_pause() -> None:
    clock = begun("2025-03-12 22:00", replace(FOLLOW_UP, unit="hours", amount=72))
    resumed = resume(
        pause(clock, local("2025-03-13 10:00:00.250")), DECREED, local("2025-03-14 11:00:00.750")
    )
    assert resumed.due_at == at("2025-03-16 23:00:00.500")


def test_calendar_days_are_pushed_to_the_next_end_of_a_working_day() -> None:
    """Due on Saturday the 15th, so on Monday; a pause over that Monday's end must leave a deadline ahead."""
    clock = begun("2025-03-10 10:00", replace(FOLLOW_UP, unit="calendar_days"))
    resumed = resume(pause(clock, local("2025-03-17 10:00")), DECREED, local("2025-03-18 17:00"))
    assert resumed.due_at == at("2025-03-19 16:00")
    again = resume(pause(resumed, local("2025-03-19 09:00")), DECREED, local("2025-03-19 09:00"))
    assert again.due_at == resumed.due_at


def test_wall_clocks_of_two_processes_may_differ() -> None:
    early = local("2025-03-10 09:59")
    paused = pause(begun(), early)
    assert paused.pauses == ((paused.started_at, None),)
    resumed = resume(paused, DECREED, early)
    assert (resumed.paused_s, resumed.due_at) == (0, begun().due_at)
    assert stop(resumed, DECREED, early).ended_at == resumed.started_at


# --- the policy and the calendar of its start -----------------------------------------------------------


def test_policy_and_calendar_stay_those_of_its_start() -> None:
    """18 August 2025 became cuti bersama on the 7th. What ran by then is due by the old calendar, also after
    a pause; what starts later by the new one."""
    days = {day: off for day, off in DECREED.days.items() if day != decrees.ADDED_LATE}
    before = Calendar(days, DECREED.known_until)
    old, new = begun("2025-08-12 10:00", calendar=before), begun("2025-08-12 10:00")
    assert (old.due_at, new.due_at) == (at("2025-08-19 16:00"), at("2025-08-20 16:00"))
    paused = pause(old, local("2025-08-14 10:00"))
    with pytest.raises(ValueError, match=before.version):
        resume(paused, DECREED, local("2025-08-14 12:00"))
    assert resume(paused, before, local("2025-08-14 12:00")).due_at == at("2025-08-20 16:00")


def test_a_policy_change_in_the_middle() -> None:
    """Eight days instead of five from 1 July on: Monday 30 June still has five, paused and resumed in July
    too."""
    rows = [*DEFAULTS, replace(FOLLOW_UP, id="f-8", amount=8, valid_from="2025-07-01")]

    def started(text: str) -> Clock:
        row = policy_for(rows, "complaint", "follow_up", local_day(DECREED, local(text)))
        assert row is not None
        return begun(text, row)

    old, new = started("2025-06-30 23:59"), started("2025-07-01 00:00")
    assert [(clock.policy, clock.due_at) for clock in (old, new)] == [
        ("follow-up-5wd", at("2025-07-07 16:00")),
        ("f-8", at("2025-07-11 16:00")),
    ]
    resumed = resume(pause(old, local("2025-07-02 10:00")), DECREED, local("2025-07-03 10:00"))
    assert (resumed.policy, resumed.due_at) == ("follow-up-5wd", at("2025-07-08 16:00"))


def test_an_agencys_own_day_off_moves_its_own_clocks() -> None:
    own = for_agency(DECREED, "Asia/Jakarta", {"2025-03-14": "Hari Jadi Kota"})
    assert begun(calendar=own).due_at == at("2025-03-18 16:00")
    assert begun().due_at == at("2025-03-17 16:00")


# --- as documents ---------------------------------------------------------------------------------------


def test_the_deadline_document_is_the_contracts() -> None:
    schemas = Registry.load()
    clock = resume(pause(begun(), local("2025-03-11 10:00")), DECREED, local("2025-03-11 11:00"))
    now = local("2025-03-11 12:00")
    document = deadline_document(clock, now)
    assert document == {
        "stage": "follow_up",
        "policy": "follow-up-5wd",
        "started_at": "2025-03-10T03:00:00.000Z",
        "paused_for_s": 3600,
        "due_at": "2025-03-18T09:00:00.000Z",
        "state": "running",
    }
    clocks = [clock, pause(clock, now), stop(clock, DECREED, now), begun(policy=STATUTE)]
    clocks += [replace(clock, state=state) for state in ("missed", "historical")]
    for one in clocks:
        assert schemas.validate("deadline", deadline_document(one, now)) == []


def test_a_clock_survives_json() -> None:
    clock = pause(resume(pause(begun(), local("2025-03-11 10:00")), DECREED, local("2025-03-11 11:00")),
                  local("2025-03-12 11:00"))  # fmt: skip
    assert Clock.from_document(orjson.loads(orjson.dumps(clock))) == clock
    assert Clock.from_document(orjson.loads(orjson.dumps(facts(clock)))) == clock
