"""The derivation day by day says the same as the clock, and in words that a wall calendar confirms."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from hub.domain.clocks import Clock, pause, resume, start, stop
from hub.domain.derivation import Derivation, derive, lines
from hub.domain.policies import DEFAULTS
from hub.domain.working_time import (
    Calendar,
    DayOff,
    due_working_days,
    for_agency,
    instant,
    local_day,
    written,
)
from tests.domain import decrees

FOLLOW_UP = next(row for row in DEFAULTS if row.id == "follow-up-5wd")
NAMES = {
    "2025-03-28": DayOff("Hari Suci Nyepi", "government"),
    "2025-03-29": DayOff("Hari Suci Nyepi", "public"),
    "2025-03-31": DayOff("Hari Raya Idul Fitri", "public"),
    "2025-04-01": DayOff("Hari Raya Idul Fitri", "public"),
    **{f"2025-04-0{day}": DayOff("Hari Raya Idul Fitri", "government") for day in (2, 3, 4, 7)},
}
LEBARAN = Calendar(NAMES, "2025-12-31")


def local(text: str, zone: str = "Asia/Jakarta") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def begun(text: str, calendar: Calendar = LEBARAN, **changes: object) -> Clock:
    policy = replace(FOLLOW_UP, **changes)  # type: ignore[arg-type]
    return start("k", "0195a1b2", "dinas-pupr-kalteng", policy, calendar, local(text, calendar.zone))


def told(derivation: Derivation) -> list[tuple[str, str, int | None]]:
    return [(step.date[5:], step.why, step.number) for step in derivation.steps]


def test_a_follow_up_over_lebaran_day_by_day() -> None:
    clock = begun("2025-03-26 10:00")
    assert lines(derive(clock, LEBARAN)) == [
        f"follow_up: 5 working days (policy follow-up-5wd), calendar {LEBARAN.version} of dinas-pupr-kalteng",
        "begins Rabu/Wednesday 2025-03-26 10:00:00 WIB; office hours 07:30-16:00 (Asia/Jakarta)",
        "2025-03-26  Rabu/Wednesday          first day, not counted",
        "2025-03-27  Kamis/Thursday       1  counted",
        "2025-03-28  Jumat/Friday            cuti bersama Hari Suci Nyepi",
        "2025-03-29  Sabtu/Saturday          weekend (national holiday Hari Suci Nyepi)",
        "2025-03-30  Minggu/Sunday           weekend",
        "2025-03-31  Senin/Monday            national holiday Hari Raya Idul Fitri",
        "2025-04-01  Selasa/Tuesday          national holiday Hari Raya Idul Fitri",
        "2025-04-02  Rabu/Wednesday          cuti bersama Hari Raya Idul Fitri",
        "2025-04-03  Kamis/Thursday          cuti bersama Hari Raya Idul Fitri",
        "2025-04-04  Jumat/Friday            cuti bersama Hari Raya Idul Fitri",
        "2025-04-05  Sabtu/Saturday          weekend",
        "2025-04-06  Minggu/Sunday           weekend",
        "2025-04-07  Senin/Monday            cuti bersama Hari Raya Idul Fitri",
        "2025-04-08  Selasa/Tuesday       2  counted",
        "2025-04-09  Rabu/Wednesday       3  counted",
        "2025-04-10  Kamis/Thursday       4  counted",
        "2025-04-11  Jumat/Friday         5  counted",
        "deadline Jumat/Friday 2025-04-11 16:00:00 WIB",
    ]


def test_an_agencys_own_day_off_in_its_own_zone() -> None:
    own = for_agency(LEBARAN, "Asia/Jayapura", {"2025-03-07": "Hari Jadi Kota Jayapura"})
    clock = begun("2025-03-06 23:59", own, amount=1)
    said = lines(derive(clock, own))
    assert "2025-03-07  Jumat/Friday            local day off Hari Jadi Kota Jayapura" in said
    assert said[1].startswith("begins Kamis/Thursday 2025-03-06 23:59:00 WIT")
    assert said[-1] == "deadline Senin/Monday 2025-03-10 16:00:00 WIT"


def test_it_says_where_the_official_calendar_ends() -> None:
    clock = begun("2025-12-30 10:00", amount=3)
    said = lines(derive(clock, LEBARAN))
    mark = said.index("-- the official calendar ends 2025-12-31; after it only weekends are known --")
    assert said[mark - 1].startswith("2025-12-31")
    assert said[mark + 1].startswith("2026-01-01")
    assert [step.official for step in derive(clock, LEBARAN).steps] == [True, True, False, False]
    assert not any("berakhir" in line for line in lines(derive(begun("2025-03-26 10:00"), LEBARAN)))
    beyond = lines(derive(begun("2026-02-02 10:00"), LEBARAN))
    assert beyond[2].startswith("-- the official calendar ends")


def test_a_feast_whose_date_is_not_settled_is_marked() -> None:
    calendar = Calendar({"2027-03-10": DayOff("Hari Raya Idul Fitri (perkiraan)", "public")}, "2027-12-31")
    said = lines(derive(begun("2027-03-09 10:00", calendar, amount=1), calendar))
    assert said[3].endswith(
        "national holiday Hari Raya Idul Fitri (perkiraan): its date is not confirmed yet"
    )


def test_pauses_take_days_out() -> None:
    """Asked on Tuesday at 13:00, answered on Wednesday at 10:00: 3 and 2.5 office hours, one day is made up
    for."""
    clock = resume(
        pause(begun("2025-03-10 10:00", amount=3), local("2025-03-11 13:00")),
        LEBARAN,
        local("2025-03-12 10:00"),
    )
    derivation = derive(clock, LEBARAN)
    assert told(derivation) == [
        ("03-10", "start", None),
        ("03-11", "paused", None),
        ("03-12", "counted", 1),
        ("03-13", "counted", 2),
        ("03-14", "counted", 3),
    ]
    said = lines(derivation)
    assert said[3].endswith("paused 3 h 0 min 0 s")
    assert said[4].endswith("counted; paused 2 h 30 min 0 s")


def test_a_pause_on_the_start_day_takes_out_the_next_one() -> None:
    clock = resume(
        pause(begun("2025-03-10 10:00", amount=2), local("2025-03-10 11:00")),
        LEBARAN,
        local("2025-03-10 12:00"),
    )
    assert told(derive(clock, LEBARAN)) == [
        ("03-10", "start", None),
        ("03-11", "paused", None),
        ("03-12", "counted", 1),
        ("03-13", "counted", 2),
    ]
    said = lines(derive(clock, LEBARAN))
    assert said[2].endswith("first day, not counted; paused 1 h 0 min 0 s")
    assert said[3].endswith("paused (in place of earlier pauses)")


def test_a_pause_over_the_weekend_takes_nothing_out() -> None:
    clock = resume(
        pause(begun("2025-03-13 10:00", amount=2), local("2025-03-14 16:00")),
        LEBARAN,
        local("2025-03-16 09:00"),
    )
    assert [why for _, why, _ in told(derive(clock, LEBARAN))] == [
        "start",
        "counted",
        "weekend",
        "weekend",
        "counted",
    ]


def test_while_it_is_paused_the_deadline_is_yet_to_move() -> None:
    clock = pause(begun("2025-03-10 10:00", amount=3), local("2025-03-12 09:00"))
    derivation = derive(clock, LEBARAN)
    assert told(derivation)[1:] == [
        ("03-11", "counted", 1),
        ("03-12", "paused", None),
        ("03-13", "paused", None),
    ]
    assert lines(derivation)[-1] == (
        "paused since Rabu/Wednesday 2025-03-12 09:00:00 WIB: the deadline moves when the clock runs again"
    )


def test_an_ended_clock_says_how_it_ended() -> None:
    clock = stop(begun("2025-03-10 10:00"), LEBARAN, local("2025-03-12 09:00"))
    assert lines(derive(clock, LEBARAN))[-1] == "stopped Rabu/Wednesday 2025-03-12 09:00:00 WIB: met"


def test_calendar_days_count_every_day_and_end_in_an_office_day() -> None:
    clock = begun("2025-03-25 10:00", unit="calendar_days", amount=3)
    derivation = derive(clock, LEBARAN)
    assert told(derivation)[:4] == [
        ("03-25", "start", None),
        ("03-26", "counted", 1),
        ("03-27", "counted", 2),
        ("03-28", "counted", 3),
    ]
    assert told(derivation)[-2:] == [("04-07", "government", None), ("04-08", "moved", None)]
    said = lines(derivation)
    assert said[0].startswith("follow_up: 3 calendar days")
    assert said[5].endswith("3  counted (cuti bersama Hari Suci Nyepi)")
    assert said[-2].endswith("the deadline moves to the end of this working day")


def test_hours_run_through() -> None:
    clock = begun("2025-03-28 22:00", unit="hours", amount=30)
    assert told(derive(clock, LEBARAN)) == [
        ("03-28", "start", None),
        ("03-29", "running", None),
        ("03-30", "running", None),
    ]
    assert lines(derive(clock, LEBARAN))[-1] == "deadline Minggu/Sunday 2025-03-30 04:00:00 WIB"


def test_another_calendar_than_the_clocks_own_is_refused() -> None:
    with pytest.raises(ValueError, match=LEBARAN.version):
        derive(begun("2025-03-26 10:00"), decrees.calendar())


# --- properties -----------------------------------------------------------------------------------------

DECREED = [decrees.calendar(zone) for zone in ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")]
moments = st.integers(0, 1000 * 86_400).map(lambda s: datetime(2024, 2, 1, tzinfo=UTC) + timedelta(seconds=s))
waits = st.integers(0, 6 * 86_400).map(lambda seconds: timedelta(seconds=seconds))


@given(
    st.sampled_from(DECREED),
    moments,
    st.sampled_from(["working_days", "working_days", "calendar_days", "hours"]),
    st.integers(1, 15),
    st.lists(st.tuples(waits, waits), max_size=4),
)
def test_the_last_day_counted_is_the_deadlines(
    calendar: Calendar, moment: datetime, unit: str, amount: int, asked: list[tuple[timedelta, timedelta]]
) -> None:
    policy = replace(FOLLOW_UP, unit=unit, amount=amount)
    clock = start("k", "0195a1b2", "kemen-pupr", policy, calendar, moment)
    began, dues = moment, list[str]()
    for running, paused in asked:
        clock = pause(clock, moment + running)
        moment += running + paused
        clock = resume(clock, calendar, moment)
        whole = due_working_days(calendar, began, amount, clock.paused_s)
        dues += [written(whole)] * (len(clock.pauses) - len(dues))
    steps = derive(clock, calendar).steps
    assert steps[0].why == "start"
    assert steps[-1].date == local_day(calendar, instant(clock.due_at)).isoformat()
    whys, numbers = Counter(step.why for step in steps), [step.number for step in steps if step.number]
    if unit != "hours":
        assert numbers == list(range(1, amount + 1))
    if unit == "working_days":
        outlasted = any(until > due for (_, until), due in zip(clock.pauses, dues, strict=True))
        assert outlasted or (steps[-1].why, steps[-1].number) == ("counted", amount)
        if clock.state == "running":
            assert outlasted or whys["paused"] == -(-clock.paused_s // calendar.length_s)
            assert clock.pauses[-1][1] <= clock.due_at if clock.pauses else True, "some of its time is left"
            assert sum(step.paused_s for step in steps) == clock.paused_s
