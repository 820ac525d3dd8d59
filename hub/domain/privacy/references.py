"""A source app's own number for a report is an identifier: it is stored in the clear and cannot be masked, so
one that names the reporter is refused."""

from __future__ import annotations

import re
from typing import Any

from hub.domain.privacy.letters import plain_letters
from hub.domain.privacy.own import own_spans, own_values

_REFUSED = (
    "The reference holds a national ID number (NIK) or another value of the reporter; "
    "use the app's own number, such as the row's id."
)
_NIK = re.compile(
    r"(?<!\d)(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-7])[.\- ]?"  # province (Kemendagri)
    r"(?:0[1-9]|[12]\d|3[0-4]|7[1-9])[.\- ]?"  # regency or city
    r"(?!00)\d\d(?P<gap>[.\- ]?)"  # district
    r"(?:0[1-9]|[12]\d|3[01]|4[1-9]|[56]\d|7[01])(?:0[1-9]|1[0-2])\d\d"  # birth: day (women +40), month, year
    r"(?P=gap)\d{4}(?!\d)"
)
"""Stricter than for free text, where masking a running number does little harm: here it refuses a report."""
_NIK_DIGITS = 16
_NAME_WORD = re.compile(r"[a-z]+")
_TELLING_DIGITS, _TELLING_LETTERS = 7, 3
_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))


def reference_flaws(document: dict[str, Any]) -> list[tuple[str, str]]:
    """[(pointer, detail)] when `source.reference` tells who reported; the complaint fits the schema."""
    reference: str = document["source"]["reference"]
    if not reference.isascii():
        reference = plain_letters(reference)
    reporter = document["reporter"]
    if names_a_nik(reference) or (
        _may_name(reference, reporter) and own_spans(reference, own_values(reporter, hidden=False))
    ):
        return [("/source/reference", _REFUSED)]
    return []


def names_a_nik(identifier: str) -> bool:
    """Whether an identifier, which is stored in the clear, holds one."""
    return len(identifier) >= _NIK_DIGITS and _NIK.search(identifier) is not None


def _may_name(reference: str, reporter: dict[str, Any]) -> bool:
    """The cheap look, a microsecond: False when surely no value of the reporter is in the reference."""
    if "@" in reference or not reference.isascii():
        return True
    digits = reference.encode().translate(None, _NOT_DIGITS)
    if len(digits) >= _TELLING_DIGITS:
        for member in ("phone", "national_id"):
            value = reporter.get(member)
            if value and value.encode().translate(None, _NOT_DIGITS)[-_TELLING_DIGITS:] in digits:
                return True
    name = reporter.get("name")
    if not name or reference.isdigit():
        return False
    if not name.isascii():
        return True
    lowered = reference.lower()
    return any(word[:_TELLING_LETTERS] in lowered for word in _NAME_WORD.findall(name.lower()))
