"""Times as people send and read them: how far ahead, and what looks enough like a time to be repeated."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_MONTH = "(?:jan|feb|peb|mar|apr|mei|may|jun|jul|agu|aug|sep|okt|oct|nov|nop|des|dec)[a-z]{0,6}"
_DAY_FIRST = rf"[0-9]{{1,2}}[-/. ](?:[0-9]{{1,2}}|{_MONTH})[-/. ][0-9]{{2,4}}"
_DATE = rf"(?:[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}|{_DAY_FIRST})"
_CLOCK = r"[0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2}(?:[.,][0-9]{1,9})?)?"
_ZONE = r" ?(?:Z|UTC|GMT|WIB|WITA|WIT|AM|PM|[+-][0-9]{2}:?[0-9]{2})"
_TIME_LIKE = re.compile(
    rf"{_DATE}(?:(?:T|,? (?:pukul |jam )?){_CLOCK}(?:{_ZONE})?)?", re.ASCII | re.IGNORECASE
)
_TOO_LATE = re.compile(
    r"(?:2[2-9]|[3-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII,
)
_UNITS = ((timedelta(days=365), "years"), (timedelta(days=1), "days"), (timedelta(hours=1), "hours"))


def looks_like_a_time(text: str) -> bool:
    """Whether `text` is a date or a time of some notation, though not of ours: no name, no number."""
    return len(text) <= 60 and _TIME_LIKE.fullmatch(text) is not None


def moment(value: object) -> datetime | None:
    """The moment, or None for what is none or has no offset."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def beyond_the_years(value: object) -> bool:
    """Whether `value` is a time as the schema wants it (RFC 3339), but for its year: 2200 or later."""
    return isinstance(value, str) and bool(_TOO_LATE.fullmatch(value)) and moment(value) is not None


def span(length: timedelta) -> str:
    """`45 minutes`, `7 hours`, `363 days`, `973 years`: in the largest unit of which there are two."""
    for unit, name in _UNITS:
        if length >= 2 * unit:
            return f"{length // unit:,} {name}"
    minutes = length // timedelta(minutes=1)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
