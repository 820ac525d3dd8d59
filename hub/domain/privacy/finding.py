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


def joined(own: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Both in order. Those that overlap are one: of the kind of the one that holds the other, the reporter's
    where each or neither does."""
    found: list[Span] = []
    for span in sorted([*own, *others], key=lambda each: (each[0], -each[1])):
        if not found or span[0] >= found[-1][1]:
            found.append(span)
            continue
        start, end, kind = found[-1]
        if span[:2] == (start, end) or span[1] > end:
            kind = "reporter" if "reporter" in (kind, span[2]) else kind
        found[-1] = start, max(end, span[1]), kind
    return found


def as_findings(counts: dict[Kind, int]) -> tuple[Finding, ...]:
    return tuple(Finding(kind, counts[kind]) for kind in TOKENS if kind in counts)
