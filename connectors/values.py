"""One value of an app's row as the shared schema wants it: text without control characters, a time with an
offset, a flag. What cannot be read is held with a reason; nothing is guessed."""

from __future__ import annotations

import re
from datetime import date
from zoneinfo import ZoneInfo

from connectors.errors import ConnectorError
from schemas import app_values

Value = str | int | float | bytes | None

_SURROGATE = re.compile(r"[\ud800-\udfff]")


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
    text, halves = _SURROGATE.subn("", raw_text(value))
    cleaned, removed = app_values.cleaned(text)
    return cleaned, removed + halves


def is_missing(value: Value) -> bool:
    """NULL, empty, or MySQL's zero date."""
    return app_values.is_missing(clean_text(value)[0])


def as_flag(value: Value, member: str) -> bool:
    """A flag of the app; NULL is no, and an unknown word holds the row (app_values says why)."""
    flag = app_values.flag_of(raw_text(value))
    if flag is None:
        raise RowHeld(member, f"is neither yes nor no (known: {app_values.FLAG_WORDS})")
    return flag


def as_moment(value: Value, zone: ZoneInfo, member: str) -> str:
    """RFC 3339 with an offset. Without a time it is midnight in `zone`; without an offset, `zone`'s clock."""
    try:
        moment, _ = app_values.moment_of(clean_text(value)[0], zone)
    except ValueError as error:
        raise RowHeld(
            member, "is no date that the calendar knows (expected 2026-03-05 or with a time)"
        ) from error
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
        return app_values.number_of(clean_text(value)[0])
    except ValueError as error:
        raise RowHeld(member, "is no number") from error
