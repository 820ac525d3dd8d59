"""The official Indonesian calendar, from the library `holidays`, and what a newer one of them changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from hub.domain.working_time import Calendar, DayOff
from hub.errors import SettingsError

FIRST_YEAR: Final = 2010
"""Fixed, so that two calendars made in different years differ only where a decree does."""
_FIRST_DECREE: Final = 2002
"""The first year with cuti bersama; a year before that cannot be told from one that is not decreed."""
_JOINT_LEAVE: Final = "Cuti Bersama "


@dataclass(frozen=True, slots=True)
class DayChange:
    """A date that two calendars see differently; None is a date that is no day off there."""

    date: str
    before: DayOff | None
    after: DayOff | None

    def document(self) -> dict[str, Any]:
        before, after = (off and off._asdict() for off in (self.before, self.after))
        return {"date": self.date, "before": before, "after": after}


@lru_cache(4)
def official_calendar(first_year: int = FIRST_YEAR, last_year: int | None = None) -> Calendar:
    """Libur nasional and cuti bersama by the joint decrees of three ministers (SKB 3 Menteri), in WIB and
    with the default office hours. It ends (`known_until`) with the last year for which cuti bersama are
    decreed, or with `last_year` before that: for later years the library only computes where a feast may
    fall, and knows no cuti bersama at all, so nothing of them is taken. A feast within a decreed year that
    the ministry of religion has yet to confirm is a day off as the decree says, and its name ends in
    "(perkiraan)"."""
    if first_year < _FIRST_DECREE:
        raise ValueError(f"Cuti bersama are known from {_FIRST_DECREE} on, not from {first_year}.")
    known = _decreed(first_year, last_year)
    days = _days("government", known) | _days("public", known)
    return Calendar(dict(sorted(days.items())), f"{known[-1]}-12-31")


def source() -> str:
    """What the official calendar is taken from, for the record."""
    from holidays.version import __version__ as version  # not by its metadata: a long README goes with them

    return f"the library holidays {version}, after the joint decrees (SKB 3 Menteri)"


def changes(before: Calendar, after: Calendar) -> list[DayChange]:
    """The dates that differ, sorted; what `calendar.changed` tells. Zone and hours are not compared."""
    dates = sorted(before.days.keys() | after.days.keys())
    pairs = ((day, before.days.get(day), after.days.get(day)) for day in dates)
    return [DayChange(day, old, new) for day, old, new in pairs if old != new]


def _decreed(first_year: int, last_year: int | None) -> list[int]:
    """The years from the first on, without a gap, that have cuti bersama."""
    last = date.max.year if last_year is None else last_year
    years: list[int] = []
    for year in range(first_year, last + 1):
        if not _days("government", [year]):
            break
        years.append(year)
    if not years:
        raise SettingsError(
            f"The library holidays knows no cuti bersama for {first_year}; install a newer one."
        )
    return years


def _days(category: str, years: list[int]) -> dict[str, DayOff]:
    """The library's days of one category. The language is set, since it would else be the machine's."""
    import holidays

    found = holidays.country_holidays("ID", years=years, categories=(category,), language="id")
    return {day.isoformat(): DayOff(name.removeprefix(_JOINT_LEAVE), category) for day, name in found.items()}
