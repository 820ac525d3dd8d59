"""The reporter's own telephone number or NIK: its digits in order, whatever parts them, with or without 0, 62
or +62 before them, and with the letters that are written for digits ("8l29999 8765")."""

from __future__ import annotations

import re
from typing import Final

_WORD = re.compile(r"[^\W\d_]+")
_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_FEWEST_DIGITS: Final = 7
_NIK_DIGITS: Final = 16

_BETWEEN = r"[\W_]{0,4}"
_WRITTEN = {"0": "o", "1": "il", "2": "z", "5": "s", "6": "b", "8": "b", "9": "gq"}
_START = r"(?:(?<!\d)(?=[\d+])|(?<![^\W_])(?=[^\W\d_]))(?=(?:\D{0,12}\d){4})"
"""Four of the digits must be digits: else it would be a word."""
_END = r"(?:(?<=\d)(?!\d)|(?<=\D)(?![^\W_]))"

_ALIKE = {"8": "6", "9": "6"} | {letter: digit for digit, letters in _WRITTEN.items() for letter in letters}
_ONE_FORM = {
    each: _ALIKE.get(_ALIKE.get(each, each), _ALIKE.get(each, each)) for each in "0123456789oilzsbgq"
}
_SHAPE = bytes(
    ord(_ONE_FORM.get(chr(code).lower(), "x" if chr(code).isalpha() else " ")) for code in range(128)
) + b" " * 128  # fmt: skip
_DROPPED = bytes(code for code in range(256) if not chr(code).isalnum() or code > 0x7F)


def core_of(value: str) -> str:
    """The telling digits of a telephone number or NIK; "" when the value is something else."""
    if _WORD.search(value) or not value.isascii():
        return ""
    digits = value.encode().translate(None, _NOT_DIGITS).decode()
    if len(digits) < _NIK_DIGITS:
        digits = digits.removeprefix("00").removeprefix("62")
    core = digits.lstrip("0")
    return core if len(core) >= _FEWEST_DIGITS else ""


def number_shape(text: str) -> bytes:
    """Of a text of plain letters, for the cheap look: what `core_shape` is found in wherever the pattern
    finds the number."""
    return text.encode("ascii", "ignore").translate(_SHAPE, _DROPPED)


def core_shape(core: str) -> bytes:
    """Digits that share a letter (6 and 8 are both written b) are one."""
    return core.encode().translate(_SHAPE)


def number_pattern(core: str) -> str:
    """For IGNORECASE, in a text of plain letters."""
    country = _BETWEEN.join(map(_digit, "62"))
    double_zero = _BETWEEN.join(map(_digit, "00"))
    return (
        rf"{_START}(?:\+?(?:{double_zero}{_BETWEEN})?{country}{_BETWEEN})?(?:{_digit('0')}{_BETWEEN})?"
        rf"{_BETWEEN.join(map(_digit, core))}{_END}"
    )


def _digit(digit: str) -> str:
    letters = _WRITTEN.get(digit)
    return f"[{digit}{letters}]" if letters else digit
