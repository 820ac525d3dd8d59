"""Working time: an agency's calendar of working days and office hours, and the arithmetic on it.

Deadlines are counted in the handling agency's zone. Whole seconds throughout: an instant counts by the second
in which it lies, so that stretches add up exactly."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from hub.domain.agency import DEFAULT_TIME_ZONE
from hub.errors import Invalid

CATEGORIES: Final = ("public", "government", "local")
"""Libur nasional, cuti bersama, an agency's own (libur daerah)."""
OPENS: Final = "07:30"
"""Perpres 21/2023: offices of the state open at 07.30 local time, Monday to Friday."""
CLOSES: Final = "16:00"
"""An assumption: 37.5 hours a week and the breaks of Perpres 21/2023 (60 minutes, on Fridays 90) end the day
at 16.00, on Fridays at 16.30; in Ramadan it is shorter. One closing time for all days keeps a deadline
derivable."""
EXACT: Final = {"hours": timedelta(hours=1), "minutes": timedelta(minutes=1)}
"""Units that no calendar bears on."""
_HOUR: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


class DayOff(NamedTuple):
    """A day on which an office is closed; `category` is one of CATEGORIES."""

    name: str
    category: str


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The working days of an office: Monday to Friday but `days` (ISO date -> why it is closed).
    `known_until` is the last ISO date for which the official calendar is decreed; later only weekends (and
    local days) are known. `zone` is an IANA name, `opens` and `closes` are HH:MM there. Raises Invalid (422)
    naming what cannot be."""

    days: Mapping[str, DayOff]
    known_until: str
    zone: str = DEFAULT_TIME_ZONE
    opens: str = OPENS
    closes: str = CLOSES
    version: str = field(init=False)
    """16 hexadecimal digits of the SHA-256 of everything above: equal calendars have equal versions."""
    tz: ZoneInfo = field(init=False, repr=False)
    off: tuple[int, ...] = field(init=False, repr=False)
    """The ordinals of the days off that are no weekend, sorted."""
    opens_s: int = field(init=False, repr=False)
    length_s: int = field(init=False, repr=False)
    """Seconds of office time in a working day."""
    closings: dict[int, datetime] = field(init=False, repr=False, default_factory=dict)
    """What `closing_of` has found: most clocks that start on one day end on one day."""

    def __post_init__(self) -> None:
        opens, closes = _second(self.opens), _second(self.closes)
        if flaws := [*_hour_flaws(opens, closes), *_zone_flaws(self.zone), *_day_flaws(self)]:
            raise Invalid("The calendar cannot be like this.", flaws=flaws)
        ordinals = sorted(_ordinal(day) for day in self.days)
        put = object.__setattr__
        put(self, "version", hashlib.sha256(_content(self)).hexdigest()[:16])
        put(self, "tz", ZoneInfo(self.zone))
        put(self, "off", tuple(day for day in ordinals if not is_weekend(day)))
        put(self, "opens_s", opens)
        put(self, "length_s", closes - opens)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calendar) and other.version == self.version

    def __hash__(self) -> int:
        return hash(self.version)

    def document(self) -> dict[str, Any]:
        """What makes the calendar, as JSON; `from_document` gives an equal one with the same version."""
        days = {day: {"name": off.name, "category": off.category} for day, off in sorted(self.days.items())}
        return {
            "version": self.version,
            "known_until": self.known_until,
            "zone": self.zone,
            "opens": self.opens,
            "closes": self.closes,
            "days": days,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Calendar:
        days = {day: DayOff(off["name"], off["category"]) for day, off in document["days"].items()}
        known_until, zone = document["known_until"], document["zone"]
        return cls(days, known_until, zone, document["opens"], document["closes"])


def for_agency(official: Calendar, zone: str, local: Mapping[str, str] | None = None) -> Calendar:
    """The official calendar in an agency's zone with its own days off (ISO date -> name); on a day that is
    off officially, the official reason stays."""
    if not local:
        return official if zone == official.zone else _in_zone(official, zone)
    own = {day: DayOff(name, "local") for day, name in local.items()}
    return Calendar(own | dict(official.days), official.known_until, zone, official.opens, official.closes)


@lru_cache(16)
def _in_zone(official: Calendar, zone: str) -> Calendar:
    """Most agencies have no days of their own, and there are three zones."""
    return Calendar(official.days, official.known_until, zone, official.opens, official.closes)


def instant(text: str) -> datetime:
    """An RFC 3339 time as an aware datetime."""
    return datetime.fromisoformat(text)


@lru_cache(256)
def written(moment: datetime) -> str:
    """UTC with milliseconds and Z: equal to `hub.ports.clock.rfc3339`, which the domain may not import.
    Remembered, since what is decided in one batch happens at one moment."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def is_weekend(ordinal: int) -> bool:
    """Saturday or Sunday; day 1 of the proleptic calendar was a Monday."""
    return (ordinal - 1) % 7 > 4


def is_working(calendar: Calendar, day: date) -> bool:
    ordinal = day.toordinal()
    return working_days_until(calendar, ordinal) > working_days_until(calendar, ordinal - 1)


def working_days_until(calendar: Calendar, ordinal: int) -> int:
    """How many working days there were from day 1 until `ordinal`, itself included: the difference of two is
    the number of working days between them, whatever lies between, in one step."""
    weeks, rest = divmod(ordinal, 7)
    return 5 * weeks + min(rest, 5) - bisect_right(calendar.off, ordinal)


def nth_working_day(calendar: Calendar, number: int) -> int:
    """The ordinal of the working day with that running number (the inverse of `working_days_until`)."""
    day, later = -1, 0
    while later != day:
        day = later
        weeks, rest = divmod(number + bisect_right(calendar.off, day) - 1, 5)
        later = 7 * weeks + rest + 1
    return day


def local_day(calendar: Calendar, at: datetime) -> date:
    """The date that the office's wall calendar shows at `at`."""
    return at.astimezone(calendar.tz).date()


def local_time(calendar: Calendar, ordinal: int, second: int) -> datetime:
    """The instant in UTC of a second of a local day (0 is midnight)."""
    day = date.fromordinal(ordinal)
    hour, rest = divmod(second, 3600)
    local = datetime(day.year, day.month, day.day, hour, rest // 60, rest % 60, tzinfo=calendar.tz)
    return local.astimezone(UTC)


def closing_of(calendar: Calendar, number: int) -> datetime:
    """When the office closes on the working day with that running number, in UTC."""
    found = calendar.closings.get(number)
    if found is None:
        ordinal = nth_working_day(calendar, number)
        found = local_time(calendar, ordinal, calendar.opens_s + calendar.length_s)
        calendar.closings[number] = found
    return found


def working_seconds(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Office seconds from `start` to `end`; 0 when the end is not after the start."""
    return max(0, _position(calendar, end) - _position(calendar, start))


def after_working_seconds(calendar: Calendar, start: datetime, seconds: int) -> datetime:
    """The first instant by which `seconds` (at least 1) of office time have passed since `start`."""
    number, rest = divmod(_position(calendar, start) + seconds - 1, calendar.length_s)
    return local_time(calendar, nth_working_day(calendar, number + 1), calendar.opens_s + rest + 1)


def due_working_days(calendar: Calendar, start: datetime, amount: int, paused_s: int = 0) -> datetime:
    """When the office closes on the `amount`-th working day after the day of `start`, which is not counted.
    `paused_s` office seconds of pauses push it on by working days, a begun one counting whole."""
    begun = working_days_until(calendar, local_day(calendar, start).toordinal())
    pushed = -(-paused_s // calendar.length_s)
    return closing_of(calendar, begun + amount + pushed)


def due_calendar_days(calendar: Calendar, start: datetime, amount: int) -> datetime:
    """When the office closes on the `amount`-th day after the day of `start`, or on the first working day
    after it if it is none."""
    day = local_day(calendar, start).toordinal() + amount
    return closing_of(calendar, working_days_until(calendar, day - 1) + 1)


def closing_not_before(calendar: Calendar, at: datetime) -> datetime:
    """The first end of a working day at `at` or after it."""
    number = working_days_until(calendar, local_day(calendar, at).toordinal() - 1) + 1
    found = closing_of(calendar, number)
    return found if found >= at else closing_of(calendar, number + 1)


def due_exactly(start: datetime, amount: int, unit: str) -> datetime:
    """`amount` units of EXACT after `start`, office or no office."""
    return start + amount * EXACT[unit]


def elapsed_seconds(calendar: Calendar, unit: str, start: datetime, end: datetime) -> int:
    """What a clock of that unit measures from `start` to `end`: office seconds for working days, else all."""
    if unit == "working_days":
        return working_seconds(calendar, start, end)
    return max(0, int(end.timestamp()) - int(start.timestamp()))


def earlier_closing(calendar: Calendar, due: datetime, days: int) -> datetime:
    """When the office closes on the last working day but `days - 1` before the day of `due`."""
    day = local_day(calendar, due).toordinal()
    return closing_of(calendar, working_days_until(calendar, day - 1) - days + 1)


def _position(calendar: Calendar, at: datetime) -> int:
    """Office seconds from day 1 until `at`."""
    local = at.astimezone(calendar.tz)
    ordinal = local.toordinal()
    weeks, weekday = divmod(ordinal - 1, 7)
    index = bisect_left(calendar.off, ordinal)
    before = (5 * weeks + min(weekday, 5) - index) * calendar.length_s
    if weekday > 4 or (index < len(calendar.off) and calendar.off[index] == ordinal):
        return before
    second = local.hour * 3600 + local.minute * 60 + local.second
    return before + min(max(second - calendar.opens_s, 0), calendar.length_s)


def _content(calendar: Calendar) -> bytes:
    days = [(day, off.name, off.category) for day, off in sorted(calendar.days.items())]
    return orjson.dumps([days, calendar.known_until, calendar.zone, calendar.opens, calendar.closes])


def _second(hour: str) -> int:
    """The second of the day at HH:MM; -1 when it is no such time."""
    return int(hour[:2]) * 3600 + int(hour[3:]) * 60 if _HOUR.fullmatch(hour) else -1


def _hour_flaws(opens: int, closes: int) -> list[tuple[str, str]]:
    flaws = [(f"/{name}", "A time of day such as 07:30 is needed.")
             for name, second in (("opens", opens), ("closes", closes)) if second < 0]  # fmt: skip
    if not flaws and closes <= opens:
        flaws.append(("/closes", "The office must close after it opens, on the same day."))
    return flaws


def _zone_flaws(zone: str) -> list[tuple[str, str]]:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return [("/zone", f"{zone!r} is no IANA time zone; Asia/Jakarta, Asia/Makassar or Asia/Jayapura?")]
    return []


def _day_flaws(calendar: Calendar) -> list[tuple[str, str]]:
    flaws: list[tuple[str, str]] = []
    if not is_iso_date(calendar.known_until):
        flaws.append(("/known_until", "A date such as 2027-12-31 is needed."))
    for day, off in calendar.days.items():
        if not is_iso_date(day):
            flaws.append((f"/days/{day}", "A day is named by a date such as 2025-03-31."))
        elif off.category not in CATEGORIES or not off.name.strip():
            flaws.append((f"/days/{day}", f"A name and a category of {', '.join(CATEGORIES)} are needed."))
    return flaws


def is_iso_date(text: str) -> bool:
    """Exactly YYYY-MM-DD, and a day that exists."""
    return _ordinal(text) > 0


@lru_cache(4096)
def _ordinal(text: str) -> int:
    """The ordinal of such a date, 0 for what is none. A hub that starts reads the same days of some twenty
    years for each of its zones."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return 0
    return day.toordinal() if day.isoformat() == text else 0
