"""What masking finds in a text, and tells of it, by kind and count: the value itself is never kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["nik", "phone", "email", "address", "reporter"]

TOKENS: dict[Kind, str] = {
    "nik": "[NIK disamarkan]",
    "phone": "[telepon disamarkan]",
    "email": "[surel disamarkan]",
    "address": "[alamat disamarkan]",
    "reporter": "[pelapor disamarkan]",
}

TOKEN = re.compile("|".join(map(re.escape, TOKENS.values())))
"""What stands in place of something masked; never masked again."""


@dataclass(frozen=True, slots=True)
class Finding:
    """So many values of that kind were taken out."""

    kind: Kind
    count: int


@dataclass(slots=True)
class Group:
    """Neighbouring digits: their place in the text, the digits in ASCII, and what parts it from the last."""

    start: int
    end: int
    digits: str
    gap: str


Span = tuple[int, int, Kind]
"""From (inclusive), to (exclusive) in the text, and what was found there."""


def replace_spans(text: str, spans: Iterable[Span], counts: dict[Kind, int]) -> str:
    """Puts tokens in place of the spans (in order, not overlapping) and adds them to `counts`."""
    pieces: list[str] = []
    done = 0
    for start, end, kind in spans:
        pieces += (text[done:start], TOKENS[kind])
        done = end
        counts[kind] = counts.get(kind, 0) + 1
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def as_findings(counts: dict[Kind, int]) -> tuple[Finding, ...]:
    return tuple(Finding(kind, counts[kind]) for kind in TOKENS if kind in counts)
