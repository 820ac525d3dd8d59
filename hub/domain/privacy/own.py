"""The reporter's own values in a text, whatever their form.

Names: whole words, in any case; the full name, and any two or more of its words of at least three letters
that stand side by side in it ("Siti Aminah Putri": "siti aminah", "Aminah Putri"). One word of a longer
name alone stays, since many are ordinary words ("Bunga", "Cahaya"); a name of one word is its own full name,
unless it is a stand-in such as "Warga" or "Anonim". Numbers of 7 digits or more: the digits in order with
any separators, with or without 0, 62 or +62 before them. Anything with an @: as it is, in any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from hub.domain.privacy.finding import TOKEN, Span
from hub.domain.privacy.numbers import INVISIBLE
from hub.domain.privacy.plain import FEWEST_DIGITS

_STAND_INS = frozenset(
    "admin anonim anonimus anonymous hamba masyarakat nama noname pelapor rahasia user warga".split()  # noqa: SIM905
)
_BETWEEN_WORDS = rf"[\s.,'’\-{INVISIBLE}]{{1,4}}"
_BETWEEN_DIGITS = rf"[\s.,_/()\-‐-―−{INVISIBLE}]{{0,4}}"
_WORD = re.compile(r"[^\W\d_]+")
_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_FEWEST_DIGITS, _FEWEST_LETTERS, _NIK_DIGITS = 7, 3, 16


def may_hold(text: str, values: Iterable[str]) -> bool:
    """Cheap: False when none of the values can be in `text`."""
    lowered = text.lower()
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
            if value.strip().lower() in lowered:
                return True
        elif _name_may_stand(lowered, value.lower()):
            return True
    return False


def plain_may_hold(text: str, values: Iterable[str]) -> bool:
    """`may_hold` for a text that `is_plain`: it has no @ and no long number, so most values are out."""
    return may_hold(text, [v for v in values if "@" not in v and len(_digits_of(v)) < FEWEST_DIGITS])


def own_spans(text: str, values: Sequence[str]) -> list[Span]:
    """Where the values stand, in order, leaving what is masked already alone."""
    patterns = [pattern for value in values for pattern in _patterns(value)]
    if not patterns:
        return []
    # The first alternative consumes a token, so that nothing inside it is ever found.
    search = re.compile(f"({TOKEN.pattern})|{'|'.join(patterns)}", re.IGNORECASE)
    return [(m.start(), m.end(), "reporter") for m in search.finditer(text) if m[1] is None and m[0]]


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
        exact = value.strip()
        return [rf"(?<![^\W\d_]){re.escape(exact)}(?![^\W\d_])"] if len(exact) > _FEWEST_LETTERS else []
    return [rf"(?<![^\W\d_])(?:{chain})(?![^\W\d_])" for chain in _chains(value)]


def _chains(name: str) -> list[str]:
    """Patterns for the full name and for two or more neighbouring long words of it, longest first."""
    words = _WORD.findall(name)
    long = [word for word in words if len(word) >= _FEWEST_LETTERS]
    if len(words) == 1:
        return [re.escape(w) for w in long if w.lower() not in _STAND_INS]
    if not words:
        return []
    chains = [_BETWEEN_WORDS.join(map(re.escape, words))]
    for first in range(len(long) - 1):
        tail = ""
        for word in reversed(long[first + 2 :]):
            tail = f"(?:{_BETWEEN_WORDS}{re.escape(word)}{tail})?"
        chains.append(f"{re.escape(long[first])}{_BETWEEN_WORDS}{re.escape(long[first + 1])}{tail}")
    return chains


def _name_may_stand(lowered: str, name: str) -> bool:
    """True when all words of the name, or two neighbouring long ones, occur somewhere: see `_chains`."""
    words = _WORD.findall(name)
    if words and all(word in lowered for word in words):
        return True
    long = [word for word in words if len(word) >= _FEWEST_LETTERS]
    return any(a in lowered and b in lowered for a, b in pairwise(long))
