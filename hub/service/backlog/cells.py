"""One cell of a backlog's file as the hub wants it: a text, a moment, a day, a flag. What cannot be read
exactly is refused with a reason; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from hub.domain.history import Moment
from schemas import app_values


class Number(str):
    """A number as the file writes it (`431`, `6.2E+15`). `exact_digits`: so many its program keeps."""

    exact_digits = 10**6


class SheetNumber(Number):
    """A spreadsheet's: it keeps 15 digits and no leading zero."""

    exact_digits = 15


class Unreadable(str):
    """A cell without a value that could be taken: the text says why, as `is …`."""


NO_DATE: Final = (
    "is no date that the calendar knows in any form that is expected. Write it as 2026-03-05 or "
    "2026-03-05 14:30, or name its form under dates in [import]."
)


class CellRefused(Exception):
    """The sentence that the operator reads, beginning with a verb; it repeats nothing of the cell."""


Cell = str | bool | datetime | list[Any] | dict[str, Any] | None

_POWER: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_LARGEST: Final = 10**40

_AS_TEXT: Final = (
    "Give the column the format Text in the spreadsheet and enter the number again, or export it as CSV from "
    "where it comes from."
)


def text_of(cell: Cell) -> str:
    """The text, trimmed, without control characters (line break and tab stay); empty for an empty cell."""
    if cell is None:
        return ""
    if isinstance(cell, Unreadable):
        raise CellRefused(str(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Number):
        return _digits(cell)
    if isinstance(cell, datetime):
        raise CellRefused("is a date in the spreadsheet, where a text is needed. Give its column the format "
                          "Text, or map another one.")  # fmt: skip
    if isinstance(cell, (list, dict)):
        raise CellRefused("is a list or an object, where a text is needed. Name the member inside it, such "
                          "as pelapor.nama.")  # fmt: skip
    if any("\ud800" <= char <= "\udfff" for char in cell):
        raise CellRefused(
            'holds bytes that are not of the file\'s encoding. Set encoding under [import], such as "cp1252".'
        )
    return app_values.cleaned(cell)[0]


def id_of(cell: Cell) -> str:
    """A reference, a NIK or the like: never what a spreadsheet has rounded."""
    text = text_of(cell)
    if _POWER.fullmatch(text):
        raise CellRefused(
            f"was turned into a power of ten by a spreadsheet, so that digits are lost. {_AS_TEXT}"
        )
    return text


def phone_of(cell: Cell) -> str:
    text = id_of(cell)
    if isinstance(cell, SheetNumber) and not text.startswith("62"):
        raise CellRefused(f"is a number in the spreadsheet and has lost its leading zero. {_AS_TEXT}")
    return text


def is_empty(cell: Cell) -> bool:
    """Empty, NULL, an empty list, or MySQL's zero date."""
    if cell is None or cell == [] or cell == {}:
        return True
    if not isinstance(cell, str) or isinstance(cell, Unreadable):
        return False
    return app_values.is_missing(cell)


def moment_of(cell: Cell, zone: ZoneInfo, formats: Sequence[str]) -> Moment:
    """A moment: by the mapping's formats first, else ISO 8601. Without an offset by the clock of `zone`."""
    if isinstance(cell, datetime):
        return Moment(_zoned(cell, zone), cell.time() == time())
    text = text_of(cell)
    if isinstance(cell, Number) and not any(_strptime(text, form) for form in formats):
        raise CellRefused("is a number and no date. Give its column a date format in the spreadsheet.")
    for form in formats:
        if (found := _strptime(text, form)) is not None:
            return Moment(_zoned(found, zone), not re.search(r"%[HIcXs]", form))
    try:
        moment, is_day = app_values.moment_of(text, zone)
        return Moment(_in_zone(moment, UTC), is_day)
    except (ValueError, OverflowError):
        raise CellRefused(NO_DATE) from None


def day_of(cell: Cell, zone: ZoneInfo, formats: Sequence[str]) -> str:
    """An ISO date, by the clock of `zone`."""
    return _in_zone(moment_of(cell, zone, formats).at, zone).date().isoformat()


def flag_of(cell: Cell) -> bool:
    """An unknown word is refused (app_values says why)."""
    flag = app_values.flag_of(text_of(bit_of(cell)))
    if flag is None:
        raise CellRefused(
            f"is neither yes nor no (known: {app_values.FLAG_WORDS}). Translate the word under [values]."
        )
    return flag


def bit_of(cell: Cell) -> Cell:
    """A flag's cell in which MySQL wrote a BIT, as its number; any other as it is."""
    return app_values.bit_as_number(cell) if type(cell) is str else cell


def coordinate_of(cell: Cell) -> float:
    """Degrees; a decimal comma is read too."""
    try:
        return app_values.number_of(str(cell) if isinstance(cell, Number) else text_of(cell))
    except ValueError:
        raise CellRefused("is no number of degrees, such as -2.5361.") from None


def parts_of(cell: Cell, separator: str) -> list[str]:
    """Several values in one cell."""
    if isinstance(cell, list):
        return [text for each in cell if (text := text_of(each))]
    return [part.strip() for part in text_of(cell).split(separator) if part.strip()]


def _digits(number: Number) -> str:
    try:
        value = Decimal(str(number))
    except InvalidOperation:
        raise CellRefused("is no number that can be read. Correct the cell.") from None
    if not value.is_finite() or abs(value) > _LARGEST:
        raise CellRefused("is a number that is too large. Correct the cell.")
    if value != value.to_integral_value():
        return repr(float(value))
    whole = int(value)
    if abs(whole) >= 10**number.exact_digits or (abs(whole) > 2**53 and not number.lstrip("-").isdigit()):
        raise CellRefused(f"is a number of more digits than its file keeps exactly. {_AS_TEXT}")
    return str(whole)


def _strptime(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def _zoned(found: datetime, zone: ZoneInfo) -> datetime:
    return _in_zone(found if found.tzinfo else found.replace(tzinfo=zone), UTC)


def _in_zone(found: datetime, zone: tzinfo) -> datetime:
    """CellRefused at the ends of the calendar, where old programs put "no date"."""
    try:
        return found.astimezone(zone)
    except OverflowError:
        raise CellRefused(NO_DATE) from None
