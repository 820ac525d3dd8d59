"""The reporter's own values in a text, whatever their form.

Names: see `names`. Numbers of 7 digits or more: the digits in order with any separators, with or without 0,
62 or +62 before them. Anything with an @: as it is, in any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.domain.privacy.finding import TOKEN, Span
from hub.domain.privacy.names import folded, name_may_stand, name_patterns, single_words, unaccented
from hub.domain.privacy.plain import FEWEST_DIGITS

_OWN = ("name", "phone", "email", "national_id")
_BETWEEN_DIGITS = r"[\s.,_/()\-]{0,4}"
_WORD = re.compile(r"[^\W\d_]+")
_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_FEWEST_DIGITS, _FEWEST_LETTERS, _NIK_DIGITS = 7, 3, 16


def own_values(reporter: Mapping[str, Any], *, hidden: bool) -> list[str]:
    """What must not stand in a text about this reporter {name?, phone?, email?, national_id?}.

    `hidden` for an anonymous or confidential complaint: the telling words of the name count alone too."""
    values = [value for name in _OWN if (value := reporter.get(name))]
    if hidden and (name := reporter.get("name")):
        values += single_words(name)
    return values


def may_hold(text: str, values: Iterable[str]) -> bool:
    """Cheap: False when none of the values can be in `text`."""
    lowered = folded(text)
    digits: bytes | None = None
    for value in values:
        core = _digits_of(value)
        if core:
            if not text.isascii():
                return True
            if digits is None:
                digits = text.encode().translate(None, _NOT_DIGITS)
            if core.encode() in digits:
                return True
        elif "@" in value:
            if folded(value.strip()) in lowered:
                return True
        elif name_may_stand(lowered, value):
            return True
    return False


def plain_may_hold(text: str, values: Iterable[str]) -> bool:
    """`may_hold` for a text that `is_plain`: it has no @ and no long number, so most values are out."""
    return may_hold(text, [v for v in values if "@" not in v and len(_digits_of(v)) < FEWEST_DIGITS])


def own_spans(text: str, values: Sequence[str]) -> list[Span]:
    """Where the values stand, in order, leaving what is masked already alone."""
    # An address first: its beginning may be a form of the name ("y.kiwok@…"), and the rest would stay.
    ordered = sorted(values, key=lambda value: "@" not in value)
    patterns = [pattern for value in ordered for pattern in _patterns(value)]
    if not patterns:
        return []
    # The first alternative consumes a token, so that nothing inside it is ever found.
    search = re.compile(f"({TOKEN.pattern})|{'|'.join(patterns)}", re.IGNORECASE)
    simple, places = unaccented(text)
    spans = [m.span() for m in search.finditer(simple) if m[1] is None and m[0]]
    if places is None:
        return [(start, end, "reporter") for start, end in spans]
    return [(places[start], places[end - 1] + 1, "reporter") for start, end in spans]


def _digits_of(value: str) -> str:
    """The telling digits of a telephone number or NIK; "" when the value is something else."""
    if _WORD.search(value) or not value.isascii():
        return ""
    digits = value.encode().translate(None, _NOT_DIGITS).decode()
    if len(digits) < _NIK_DIGITS:
        digits = digits.removeprefix("00").removeprefix("62")
    core = digits.lstrip("0")
    return core if len(core) >= _FEWEST_DIGITS else ""


def _patterns(value: str) -> list[str]:
    if core := _digits_of(value):
        digits = _BETWEEN_DIGITS.join(core)
        return [rf"(?<!\d)(?:\+?(?:00)?62{_BETWEEN_DIGITS})?(?:0{_BETWEEN_DIGITS})?{digits}(?!\d)"]
    if "@" in value:
        exact = folded(value.strip())
        return [rf"(?<![^\W\d_]){re.escape(exact)}(?![^\W\d_])"] if len(exact) > _FEWEST_LETTERS else []
    return name_patterns(value)
