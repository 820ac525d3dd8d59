"""E-mail addresses in a text. A name on a social network (@pemkot) has nothing before its @ and stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.domain.privacy.finding import Span

_AT = re.compile("@")
_LABEL = r"[\w\-]++"
_DOMAIN = re.compile(rf"{_LABEL}(?>(?:\.{_LABEL})+)")
_PROVIDER = re.compile(
    r"\s?(?:gmail|googlemail|yahoo|ymail|rocketmail|hotmail|outlook|live|icloud)(?>(?:\s?\.\s?[a-z]++)*)(?![^\W\d_]|@)",
    re.IGNORECASE,
)
"""Well-known providers are known even after a blank, or where ".com" was forgotten."""


def email_spans(text: str) -> Iterator[Span]:
    """Each @ is looked at once, to its left down to the one before: linear."""
    done = 0
    for at in _AT.finditer(text):
        right = _DOMAIN.match(text, at.end())
        provider = None if right else _PROVIDER.match(text, at.end())
        found = right or provider
        if found is None:
            continue
        blank = _PROVIDER.match(text, at.end()) is not None and text[at.start() - 1 : at.start()] == " "
        end_of_name = at.start() - blank
        start = _start_of_name(text, end_of_name, done)
        if start < end_of_name:
            yield start, found.end(), "email"
        done = found.end() if start < end_of_name else at.end()


def _start_of_name(text: str, end: int, floor: int) -> int:
    start = end
    while start > floor and _in_name(text[start - 1]):
        start -= 1
    return start


def _in_name(character: str) -> bool:
    return character.isalnum() or character in "._+%-"
