"""The library's Indonesian calendar against the decrees, where it ends, and what a newer one changes."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from hub.domain.derivation import PROVISIONAL
from hub.domain.working_time import Calendar, DayOff, due_working_days, is_working, local_time
from hub.errors import SettingsError
from hub.service import calendars
from hub.service.calendars import changes, official_calendar
from tests.domain import decrees


@pytest.fixture(scope="module")
def official() -> Calendar:
    return official_calendar()


@pytest.mark.parametrize("year", sorted(decrees.PUBLIC))
def test_the_library_agrees_with_the_decrees(official: Calendar, year: int) -> None:
    found = {day: off.category for day, off in official.days.items() if day.startswith(f"{year}-")}
    decreed = dict.fromkeys(decrees.dates({year: decrees.PUBLIC[year]}), "public")
    decreed |= dict.fromkeys(decrees.dates({year: decrees.JOINT_LEAVE[year]}), "government")
    assert found == decreed


def test_every_deadline_of_four_years_is_as_the_decrees_have_it(official: Calendar) -> None:
    by_hand = decrees.calendar()
    for ordinal in range(date(2024, 1, 1).toordinal(), date(2027, 12, 1).toordinal()):
        start = local_time(official, ordinal, 36_000)
        for amount in (1, 3, 5, 10):
            assert due_working_days(official, start, amount) == due_working_days(by_hand, start, amount)


def test_names_are_indonesian_whatever_the_machine_speaks(official: Calendar) -> None:
    assert official.days["2025-03-31"] == DayOff("Hari Raya Idul Fitri", "public")
    assert official.days["2025-04-07"] == DayOff("Hari Raya Idul Fitri", "government")
    script = "from hub.service.calendars import official_calendar as c; print(c().version)"
    versions = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"LANG": lang, "LC_ALL": lang, "LANGUAGE": lang, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for lang in ("en_US.UTF-8", "id_ID.UTF-8")
    }
    assert versions == {official.version}


def test_it_ends_where_the_decrees_end(official: Calendar) -> None:
    last = int(official.known_until[:4])
    assert official.known_until == f"{last}-12-31"
    assert last >= 2027
    assert max(official.days) <= official.known_until
    assert {int(day[:4]) for day in official.days} == set(range(calendars.FIRST_YEAR, last + 1))
    joint_leave = {int(day[:4]) for day, off in official.days.items() if off.category == "government"}
    assert joint_leave == set(range(calendars.FIRST_YEAR, last + 1))
    assert is_working(official, date(last + 1, 8, 17)) == (date(last + 1, 8, 17).weekday() < 5)


def test_a_decreed_feast_that_may_still_move_is_a_day_off_and_marked() -> None:
    """Idul Fitri and Idul Adha of a coming year are decreed, but settled by the ministry's isbat session
    only."""
    calendar = official_calendar(2024, 2027)
    assert {day[:4] for day, off in calendar.days.items() if PROVISIONAL in off.name} <= {"2027"}
    for day in ("2027-03-10", "2027-03-11", "2027-05-17"):
        assert not is_working(calendar, date.fromisoformat(day))
        assert calendar.days[day].category == "public"


def test_a_span_of_years() -> None:
    calendar = official_calendar(2024, 2025)
    assert (calendar.known_until, min(calendar.days), max(calendar.days)) == (
        "2025-12-31",
        "2024-01-01",
        "2025-12-26",
    )
    with pytest.raises(ValueError, match="2002"):
        official_calendar(1998)
    with pytest.raises(SettingsError, match="2090"):
        official_calendar(2090)


def test_what_a_newer_calendar_changes(official: Calendar) -> None:
    """As in August 2025: ten days before, 18 August became cuti bersama; and a name was spelt otherwise."""
    days = dict(official.days)
    late = days.pop(decrees.ADDED_LATE)
    days["2025-09-05"] = DayOff("Maulid Nabi", "public")
    days["2025-09-08"] = DayOff("Libur keliru", "public")
    before = Calendar(days, "2026-12-31")
    found = changes(before, official)
    assert [change.date for change in found] == [decrees.ADDED_LATE, "2025-09-05", "2025-09-08"]
    assert (found[0].before, found[0].after) == (None, late)
    assert found[0].document() == {
        "date": "2025-08-18",
        "before": None,
        "after": {"name": "Hari Kemerdekaan Republik Indonesia", "category": "government"},
    }
    assert changes(official, Calendar.from_document(official.document())) == []


def test_who_needs_no_calendar_loads_no_library() -> None:
    script = "import sys, hub.service.calendars; sys.exit('holidays' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
