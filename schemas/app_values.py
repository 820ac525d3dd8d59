"""How the values of an app are read, whether a connector reads them in its database or the hub in a file that
was made of it: one rule for both, for it decides whose name is told."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ZERO_DATE: Final = re.compile(r"0{4}-0{2}-0{2}")
_SHORT_OFFSET: Final = re.compile(r"([+-]\d{2})$")
_DAY_LENGTH: Final = len("2026-03-05")
_YES: Final = frozenset({"1", "y", "ya", "yes", "true", "t"})
_NO: Final = frozenset({"", "0", "n", "tidak", "no", "false", "f"})
FLAGS: Final = ("confidential", "reporter.anonymous")
"""The members of a complaint that are yes or no."""
FLAG_WORDS: Final = "1/0, y/n, ya/tidak, true/false"
"""For sentences: what `flag_of` knows."""


def cleaned(text: str) -> tuple[str, int]:
    """The text, trimmed, without control characters (line break and tab stay), and how many there were."""
    kept, removed = _CONTROL.subn("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return kept.strip(), removed


def is_missing(text: str) -> bool:
    """Empty, or MySQL's zero date."""
    bare, _ = cleaned(text)
    return not bare or _ZERO_DATE.match(bare) is not None


def bit_as_number(text: str) -> str:
    """MySQL's BIT comes as bytes that are control characters: its number instead, for 1 would be cleaned away
    and taken for no. Any other text stays as it is, zero too."""
    kept, removed = cleaned(text)
    if kept or not removed:
        return text
    number = int.from_bytes(text.strip(" \t\r\n").encode("latin-1", "replace"))
    return str(number) if number else text


def flag_of(text: str) -> bool | None:
    """A flag by FLAG_WORDS; empty is no. None for any other word, which nobody may take for no: a reporter
    who asked for silence is not exposed by a spelling."""
    word = cleaned(bit_as_number(text))[0].lower()
    if word in _YES:
        return True
    return False if word in _NO else None


def moment_of(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """A moment in ISO 8601, and whether it is a day alone, which is its midnight. Without an offset it is by
    the clock of `zone`; one of hours alone (+07) is taken too. Raises ValueError."""
    if len(text) == _DAY_LENGTH:
        return datetime.combine(date.fromisoformat(text), time(), zone), True
    found = datetime.fromisoformat(_SHORT_OFFSET.sub(r"\1:00", text))
    return (found if found.tzinfo else found.replace(tzinfo=zone)), False


def number_of(text: str) -> float:
    """A coordinate; a decimal comma is read too. Raises ValueError."""
    return float(text.replace(",", "."))


def point_of(latitude: float, longitude: float) -> dict[str, object] | None:
    """A GeoJSON point, longitude first (RFC 7946); 0,0 is how apps write that they do not know."""
    if (latitude, longitude) == (0.0, 0.0):
        return None
    return {"type": "Point", "coordinates": [longitude, latitude]}


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters on one line, cut between words where that is near, with an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word = cut.rfind(" ")
    return (cut[:at_word] if at_word > limit // 2 else cut).rstrip(" ,.;:") + "…"
