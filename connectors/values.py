"""One value of an app's row as the shared schema wants it: text without control characters, a time with an
offset, a flag. What cannot be read is held with a reason; nothing is guessed."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from connectors.errors import ConnectorError

Value = str | int | float | bytes | None

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_ZERO_DATE = re.compile(r"^0{4}-0{2}-0{2}")
_SHORT_OFFSET = re.compile(r"([+-]\d{2})$")
_YES = frozenset({"1", "y", "ya", "yes", "true", "t"})
_NO = frozenset({"", "0", "n", "tidak", "no", "false", "f"})


class RowHeld(ConnectorError):
    """This row cannot be sent as it is. `member` is the complaint's member, the text names no value."""

    def __init__(self, member: str, why: str) -> None:
        super().__init__(f"{member}: {why}")
        self.member = member


def raw_text(value: Value) -> str:
    """The text as the app has it, blanks and all; NULL is empty."""
    if value is None:
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def clean_text(value: Value) -> tuple[str, int]:
    """The text without control characters (line break and tab stay) and how many were taken out."""
    text = raw_text(value)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    cleaned, removed = _CONTROL.subn("", text)
    return cleaned.strip(), removed


def is_missing(value: Value) -> bool:
    """NULL, empty, or MySQL's zero date."""
    text, _ = clean_text(value)
    return not text or _ZERO_DATE.match(text) is not None


def as_flag(value: Value, member: str) -> bool:
    """A flag of the app: 1/0, y/n, ya/tidak, true/false; NULL is no. An unknown word holds the row, so that
    nobody who asked for silence is exposed by a spelling."""
    text = clean_text(value)[0].lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise RowHeld(member, "is neither yes nor no (known: 1/0, y/n, ya/tidak, true/false)")


def as_moment(value: Value, zone: ZoneInfo, member: str) -> str:
    """RFC 3339 with an offset. Without a time it is midnight in `zone`; without an offset, `zone`'s clock."""
    text = _SHORT_OFFSET.sub(r"\1:00", clean_text(value)[0])
    try:
        if len(text) == 10:
            moment = datetime.combine(date.fromisoformat(text), time(), zone)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RowHeld(
            member, "is no date that the calendar knows (expected 2026-03-05 or with a time)"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.isoformat(timespec="seconds")


def as_day(value: Value, member: str) -> str:
    """The date part, as `occurred_on` wants it."""
    text = clean_text(value)[0][:10]
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise RowHeld(member, "is no date that the calendar knows (expected 2026-03-05)") from error


def as_number(value: Value, member: str) -> float:
    """A coordinate; a decimal comma is read too."""
    try:
        return float(clean_text(value)[0].replace(",", "."))
    except ValueError as error:
        raise RowHeld(member, "is no number") from error


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters on one line, cut between words where that is near, with an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word = cut.rfind(" ")
    return (cut[:at_word] if at_word > limit // 2 else cut).rstrip(" ,.;:") + "…"
