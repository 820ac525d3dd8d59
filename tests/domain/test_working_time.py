"""Working days and office hours against a table computed by hand, and against a walk day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from hub.domain.working_time import (
    Calendar,
    DayOff,
    after_working_seconds,
    closing_not_before,
    closing_of,
    due_calendar_days,
    due_exactly,
    due_working_days,
    earlier_closing,
    elapsed_seconds,
    for_agency,
    instant,
    is_working,
    local_day,
    nth_working_day,
    working_days_until,
    working_seconds,
    written,
)
from hub.errors import Invalid
from hub.ports.clock import rfc3339
from tests.domain import decrees

WIB, WITA, WIT = "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"
DECREED = decrees.calendar()
ZONES = {zone: decrees.calendar(zone) for zone in (WIB, WITA, WIT)}
OFFICE_DAY_S = 8 * 3600 + 1800


def local(text: str, zone: str = WIB) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


BY_HAND = [
    # start (WIB), working days, due date: each counted on the decree's page
    ("2024-02-07 10:00", 3, "2024-02-15"),  # Isra Mikraj, cuti bersama Imlek, Imlek, election day
    ("2024-03-08 10:00", 1, "2024-03-13"),  # Nyepi and its cuti bersama
    ("2024-04-03 10:00", 5, "2024-04-18"),  # Lebaran: 4, 5, then 16, 17, 18
    ("2024-04-05 16:30", 3, "2024-04-18"),  # the last day before Lebaran, after hours
    ("2024-05-08 10:00", 1, "2024-05-13"),  # Kenaikan and its cuti bersama
    ("2024-05-22 10:00", 3, "2024-05-29"),  # Waisak and its cuti bersama
    ("2024-06-14 10:00", 3, "2024-06-21"),  # Idul Adha and its cuti bersama
    ("2024-11-26 10:00", 1, "2024-11-28"),  # the local elections
    ("2024-12-24 10:00", 5, "2025-01-03"),  # Christmas, its cuti bersama, New Year
    ("2025-01-24 10:00", 3, "2025-02-03"),  # Isra Mikraj, cuti bersama Imlek, Imlek
    ("2025-03-26 10:00", 5, "2025-04-11"),  # Nyepi and Lebaran: 27, then 8, 9, 10, 11
    ("2025-03-27 10:00", 3, "2025-04-10"),
    ("2025-05-09 10:00", 1, "2025-05-14"),  # Waisak
    ("2025-05-28 10:00", 3, "2025-06-04"),  # Kenaikan; Pancasila is a Sunday
    ("2025-06-05 10:00", 1, "2025-06-10"),  # Idul Adha
    ("2025-08-15 10:00", 1, "2025-08-19"),  # the cuti bersama that was added ten days before
    ("2025-12-24 10:00", 3, "2025-12-31"),
    ("2026-02-13 10:00", 1, "2026-02-18"),  # Imlek
    ("2026-03-13 10:00", 5, "2026-03-27"),  # Nyepi and Lebaran: 16, 17, then 25, 26, 27
    ("2026-05-12 10:00", 3, "2026-05-19"),
    ("2026-05-26 10:00", 3, "2026-06-03"),  # Idul Adha; Waisak is a Sunday; Pancasila
    ("2026-12-23 10:00", 10, "2027-01-12"),  # Christmas, New Year, Isra Mikraj
    ("2027-02-04 10:00", 1, "2027-02-08"),
    ("2027-03-04 10:00", 5, "2027-03-19"),  # Nyepi and Lebaran: 5, then 16, 17, 18, 19
    ("2027-03-24 10:00", 1, "2027-03-29"),
    ("2027-05-14 10:00", 1, "2027-05-21"),  # Idul Adha, two cuti bersama, Waisak
    (
        "2027-12-23 10:00",
        3,
        "2027-12-29",
    ),  # cuti bersama on Friday; Christmas and Isra Mikraj lie on the weekend
]


@pytest.mark.parametrize(("start", "amount", "due"), BY_HAND)
def test_working_days_by_hand(start: str, amount: int, due: str) -> None:
    assert due_working_days(DECREED, local(start), amount) == local(f"{due} 16:00")


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        # Friday 7 March 2025 23:59 WIT is 22:59 WITA and 21:59 WIB, Friday still: Monday is counted first
        (WIT, "2025-03-10T07:00:00.000Z"),
        (WITA, "2025-03-10T08:00:00.000Z"),
        (WIB, "2025-03-10T09:00:00.000Z"),
    ],
)
def test_friday_2359_in_wit_and_who_handles_it(zone: str, due: str) -> None:
    submitted = local("2025-03-07 23:59", WIT)
    assert written(due_working_days(ZONES[zone], submitted, 1)) == due


def test_the_day_that_is_not_counted_is_the_handlers_own() -> None:
    """Thursday 23:30 WIB is Friday already in WIT: there Friday is the start day, in WIB it is the first."""
    submitted = local("2025-03-06 23:30", WIB)
    assert due_working_days(ZONES[WIB], submitted, 1) == local("2025-03-07 16:00", WIB)
    assert due_working_days(ZONES[WIT], submitted, 1) == local("2025-03-10 16:00", WIT)


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2025-03-10 10:00", 5, "2025-03-17"),  # Saturday, moved to Monday
        ("2025-03-10 10:00", 3, "2025-03-13"),
        ("2025-03-21 10:00", 7, "2025-04-08"),  # 28 March is cuti bersama; the first office day is 8 April
        ("2025-12-22 23:00", 3, "2025-12-29"),  # Christmas, its cuti bersama, a weekend
    ],
)
def test_calendar_days_end_with_an_office_day(start: str, amount: int, due: str) -> None:
    assert due_calendar_days(DECREED, local(start), amount) == local(f"{due} 16:00")


def test_hours_are_exact() -> None:
    assert due_exactly(instant("2025-03-28T20:15:30.250Z"), 72, "hours") == instant(
        "2025-03-31T20:15:30.250Z"
    )


def test_an_agencys_own_day_off() -> None:
    own = for_agency(DECREED, WITA, {"2025-03-11": "Hari Jadi Kota", "2025-03-31": "Libur setempat"})
    assert due_working_days(own, local("2025-03-10 10:00", WITA), 1) == local("2025-03-12 16:00", WITA)
    assert own.days["2025-03-31"].category == "public", "the official reason stays"
    assert own.version != DECREED.version
    assert for_agency(DECREED, WIB) is DECREED


def test_beyond_the_official_calendar_there_are_weekends_only() -> None:
    start = local("2027-12-30 10:00")
    assert due_working_days(DECREED, start, 2) == local("2028-01-03 16:00")
    assert is_working(DECREED, date(2028, 2, 28)), "Lebaran 2028, not decreed yet"


def test_a_pause_pushes_by_whole_working_days() -> None:
    start = local("2025-03-10 10:00")
    assert due_working_days(DECREED, start, 3, 0) == local("2025-03-13 16:00")
    assert due_working_days(DECREED, start, 3, 1) == local("2025-03-14 16:00")
    assert due_working_days(DECREED, start, 3, OFFICE_DAY_S) == local("2025-03-14 16:00")
    assert due_working_days(DECREED, start, 3, OFFICE_DAY_S + 1) == local("2025-03-17 16:00")


def test_the_next_end_of_a_working_day() -> None:
    friday = local("2025-03-14 16:00")
    assert closing_not_before(DECREED, friday) == friday
    assert closing_not_before(DECREED, local("2025-03-14 05:00")) == friday
    assert closing_not_before(DECREED, friday + timedelta(seconds=1)) == local("2025-03-17 16:00")
    assert closing_not_before(DECREED, local("2025-03-29 12:00")) == local("2025-04-08 16:00")


def test_office_seconds_by_hand() -> None:
    friday, monday = local("2025-03-07 15:00"), local("2025-03-10 08:00")
    assert working_seconds(DECREED, friday, monday) == 3600 + 1800
    assert working_seconds(DECREED, local("2025-03-28 08:00"), local("2025-04-08 07:30")) == 0
    assert working_seconds(DECREED, monday, friday) == 0
    assert elapsed_seconds(DECREED, "hours", friday, monday) == 65 * 3600
    assert after_working_seconds(DECREED, friday, 5400) == monday
    assert after_working_seconds(DECREED, friday, 3600) == local("2025-03-07 16:00"), "the first such instant"
    assert earlier_closing(DECREED, local("2025-04-08 16:00"), 1) == local("2025-03-27 16:00")


# --- what cannot be -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pointer", "members"),
    [
        ("/zone", {"zone": "WIB"}),
        ("/zone", {"zone": "../etc/passwd"}),
        ("/opens", {"opens": "7:30"}),
        ("/closes", {"closes": "24:00"}),
        ("/closes", {"opens": "16:00"}),
        ("/known_until", {"known_until": "2027"}),
        ("/days/2025-02-30", {"days": {"2025-02-30": DayOff("Nyepi", "public")}}),
        ("/days/20250301", {"days": {"20250301": DayOff("Nyepi", "public")}}),
        ("/days/2025-03-01", {"days": {"2025-03-01": DayOff("Nyepi", "bank")}}),
        ("/days/2025-03-01", {"days": {"2025-03-01": DayOff(" ", "public")}}),
    ],
)
def test_an_impossible_calendar_is_refused_by_field(pointer: str, members: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        Calendar(**({"days": {}, "known_until": "2027-12-31"} | members))  # type: ignore[arg-type]
    assert [flaw[0] for flaw in refused.value.flaws] == [pointer]


def test_the_version_is_of_the_content() -> None:
    again = Calendar.from_document(DECREED.document())
    assert again == DECREED and again.version == DECREED.version == DECREED.document()["version"]
    assert hash(again) == hash(DECREED)
    backwards = Calendar(dict(reversed(DECREED.days.items())), DECREED.known_until)
    assert backwards == DECREED
    others = [
        decrees.calendar(WITA),
        Calendar(DECREED.days, "2026-12-31"),
        Calendar(DECREED.days, DECREED.known_until, closes="16:30"),
        Calendar(dict(DECREED.days) | {"2025-01-01": DayOff("Tahun Baru", "public")}, DECREED.known_until),
    ]
    assert len({calendar.version for calendar in [DECREED, *others]}) == 5


# --- properties -----------------------------------------------------------------------------------------

days = st.dates(date(2024, 1, 1), date(2026, 12, 31))
instants = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
calendars = st.builds(
    lambda off, zone: Calendar({day.isoformat(): DayOff("x", "local") for day in off}, "2026-12-31", zone),
    st.sets(days, max_size=40) | st.builds(lambda first: {first + timedelta(n) for n in range(30)}, days),
    st.sampled_from([WIB, WITA, WIT]),
)
amounts = st.integers(1, 70)


def walk(calendar: Calendar, start: datetime, amount: int) -> date:
    """The deadline's day, one day after the other as a person would count."""
    day = start.astimezone(ZoneInfo(calendar.zone)).date()
    while amount:
        day += timedelta(1)
        amount -= day.weekday() < 5 and day.isoformat() not in calendar.days
    return day


@given(calendars, instants, amounts)
def test_due_equals_a_walk_day_by_day(calendar: Calendar, start: datetime, amount: int) -> None:
    due = due_working_days(calendar, start, amount)
    closes = datetime.combine(walk(calendar, start, amount), datetime.min.time(), ZoneInfo(calendar.zone))
    assert due == closes + timedelta(hours=16)


@given(calendars, instants, instants, amounts, amounts)
def test_due_is_monotone_in_start_and_amount(
    calendar: Calendar, one: datetime, other: datetime, few: int, many: int
) -> None:
    one, other, few, many = min(one, other), max(one, other), min(few, many), max(few, many)
    for due in (due_working_days, due_calendar_days):
        assert due(calendar, one, few) <= due(calendar, other, few)
        assert due(calendar, one, few) <= due(calendar, one, many)
    assert due_working_days(calendar, one, few, few) <= due_working_days(calendar, one, few, many * 3600)


@given(calendars, instants, amounts, st.integers(0, 10**6))
def test_due_is_at_the_close_of_a_working_day(
    calendar: Calendar, start: datetime, amount: int, paused_s: int
) -> None:
    for at in (
        due_working_days(calendar, start, amount, paused_s),
        due_calendar_days(calendar, start, amount),
        closing_not_before(calendar, start + timedelta(seconds=paused_s + 1)),
    ):
        assert at > start
        assert is_working(calendar, local_day(calendar, at))
        assert f"{at.astimezone(calendar.tz):%H:%M:%S.%f}" == "16:00:00.000000"


@given(calendars, st.lists(instants, min_size=3, max_size=3))
def test_working_seconds_add_up(calendar: Calendar, three: list[datetime]) -> None:
    first, second, third = sorted(three)
    whole = working_seconds(calendar, first, third)
    assert working_seconds(calendar, first, second) + working_seconds(calendar, second, third) == whole
    assert whole <= (third - first).total_seconds() + 1


@given(calendars, instants, st.integers(1, 10**6))
def test_after_working_seconds_is_the_inverse(calendar: Calendar, start: datetime, seconds: int) -> None:
    end = after_working_seconds(calendar, start, seconds)
    assert working_seconds(calendar, start, end) == seconds
    assert working_seconds(calendar, start, end - timedelta(seconds=1)) == seconds - 1


@given(calendars, st.integers(-50, 900))
def test_counting_days_and_finding_them_are_inverse(calendar: Calendar, ahead: int) -> None:
    number = working_days_until(calendar, date(2024, 3, 1).toordinal()) + ahead
    ordinal = nth_working_day(calendar, number)
    assert working_days_until(calendar, ordinal) == number
    assert is_working(calendar, date.fromordinal(ordinal))
    assert closing_of(calendar, number) == closing_of(Calendar.from_document(calendar.document()), number)


@given(instants)
def test_times_are_written_as_everywhere_in_the_hub(moment: datetime) -> None:
    assert written(moment) == rfc3339(moment)
    assert moment - instant(written(moment)) < timedelta(milliseconds=1)
