"""Regular expressions that every Python which this runs on reads alike."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("hub", "connectors", "auth", "schemas")
POSSESSIVE_GROUP = re.compile(r"\)(?:[+*?]|\{+[0-9,]+\}+)\+")

CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")
"""In which brackets and signs are letters."""


def repeats_possessively(line: str) -> bool:
    return POSSESSIVE_GROUP.search(CLASS.sub("[]", line)) is not None


def test_no_group_is_repeated_possessively() -> None:
    """Python 3.11.2 keeps what the last, failed round of `(?:…)*+` had taken; `(?>(?:…)*)` means the same."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if repeats_possessively(line)
    ]
    assert found == []


def test_the_look_itself_sees_one() -> None:
    seen = [r"(?:a)*+", r"(a)++", r"(?>a)?+", r"(?:a){0,3}+", r"(?:a){{0,3}}+"]
    assert all(map(repeats_possessively, seen))
    assert not repeats_possessively(r"(?>(?:a)*)[b]++\d*+[()*+]")
