"""A source app's own number for a report is an identifier: it is stored in the clear and cannot be masked, so
one that names the reporter is refused."""

from __future__ import annotations

import re
from typing import Any

from hub.domain.privacy.numbers import ascii_digits
from hub.domain.privacy.own import may_hold, own_spans, own_values

_REFUSED = (
    "The reference holds a national ID number (NIK) or another value of the reporter; "
    "use the app's own number, such as the row's id."
)
_NIK = re.compile(
    r"(?<!\d)(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-7])[.\- ]?"  # province (Kemendagri)
    r"(?:0[1-9]|[12]\d|3[0-4]|7[1-9])[.\- ]?"  # regency or city
    r"(?!00)\d\d(?P<gap>[.\- ]?)"  # district
    r"(?:0[1-9]|[12]\d|3[01]|4[1-9]|[56]\d|7[01])(?:0[1-9]|1[0-2])\d\d"  # birth: day (+40 for women), month, year
    r"(?P=gap)\d{4}(?!\d)"
)
"""Stricter than for free text, where masking a running number does little harm: here it refuses a report."""
_FEWEST = 3


def reference_flaws(document: dict[str, Any]) -> list[tuple[str, str]]:
    """[(pointer, detail)] when `source.reference` of a complaint that fits the schema tells who reported it."""
    reference: str = document["source"]["reference"]
    if not reference.isascii():
        reference = ascii_digits(reference, keep=True)
    if len(reference) > _FEWEST and (_NIK.search(reference) or _names(reference, document["reporter"])):
        return [("/source/reference", _REFUSED)]
    return []


def _names(reference: str, reporter: dict[str, Any]) -> bool:
    values = own_values(reporter, hidden=False)
    return bool(values) and may_hold(reference, values) and bool(own_spans(reference, values))
