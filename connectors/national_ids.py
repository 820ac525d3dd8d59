"""A national ID number (NIK) as a report's own number: the hub refuses it, for a reference is stored in the
clear. A test compares this rule with hub/domain/privacy/references.py."""

from __future__ import annotations

import re
from typing import Any, Final

from schemas.flaw import Flaw

REFUSED: Final = (
    "The reference holds a national ID number (NIK), which names a person; the row does not leave the app. "
    "Use the app's own number, such as the row's id"
)
_NIK: Final = re.compile(
    r"(?<!\d)(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-7])[.\- ]?"  # province (Kemendagri)
    r"(?:0[1-9]|[12]\d|3[0-4]|7[1-9])[.\- ]?"  # regency or city
    r"(?!00)\d\d(?P<gap>[.\- ]?)"  # district
    r"(?:0[1-9]|[12]\d|3[01]|4[1-9]|[56]\d|7[01])(?:0[1-9]|1[0-2])\d\d"  # birth: day (women +40), month, year
    r"(?P=gap)\d{4}(?!\d)"
)
_DIGITS: Final = 16


def holds_national_id(reference: str) -> bool:
    """Whether the hub would take a part of it for one."""
    return len(reference) >= _DIGITS and _NIK.search(reference) is not None


def reference_flaws(document: dict[str, Any]) -> list[Flaw]:
    """What is wrong with the reference of a mapped complaint."""
    return [Flaw("/source/reference", REFUSED)] if holds_national_id(document["source"]["reference"]) else []


def without_national_id(reference: str) -> str:
    """The reference as a log or a terminal may show it: of such a number the province alone."""
    if len(reference) < _DIGITS:
        return reference
    return _NIK.sub(lambda found: found[0][:2] + "*" * (len(found[0]) - 2), reference)
