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

from hub.domain.privacy.finding import TOKEN, Span
from hub.domain.privacy.numbers import INVISIBLE

_STAND_INS = frozenset(
    ("admin", "anonim", "anonimus", "anonymous", "hamba", "masyarakat", "nama", "noname", "pelapor")
    + ("rahasia", "user", "warga")
)
_BETWEEN_WORDS = rf"[\s.,'’\-{INVISIBLE}]{{1,4}}"
_BETWEEN_DIGITS = rf"[\s.,_/()\-‐-―−{INVISIBLE}]{{0,4}}"
_WORD = re.compile(r"[^\W\d_]+")
_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_FEWEST_DIGITS, _FEWEST_LETTERS = 7, 3


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
        elif any(word in lowered for word in _first_words(value.lower())):
            return True
    return False


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
    if any(c.isalpha() for c in value):
        return ""
    digits = "".join(c for c in value if c.isdecimal() and c.isascii())
    core = digits.removeprefix("00").removeprefix("62") if len(digits) < 16 else digits
    core = core.lstrip("0")
    return core if len(core) >= _FEWEST_DIGITS else ""


def _patterns(value: str) -> list[str]:
    if core := _digits_of(value):
        digits = _BETWEEN_DIGITS.join(core)
        return [rf"(?<!\d)(?:\+?(?:00)?62{_BETWEEN_DIGITS})?0?{_BETWEEN_DIGITS}{digits}(?!\d)"]
    if "@" in value:
        exact = value.strip()
        return [rf"(?<![^\W_]){re.escape(exact)}(?![^\W_])"] if len(exact) > _FEWEST_LETTERS else []
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


def _first_words(name: str) -> list[str]:
    """Of every pattern of `_chains` one word that must be there: all but the last, or the only one."""
    words = _WORD.findall(name)
    return words[:-1] or words
