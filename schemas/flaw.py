"""One thing that is wrong with a document: where it stands, and a sentence that says what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_TOKEN = 128
"""A member's name in a pointer is cut after so many characters: it was chosen by the sender."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """`pointer` is RFC 6901 as a plain string (`/title`; the whole document is ""), `detail` a sentence."""

    pointer: str
    detail: str


def pointer_to(path: Iterable[str | int]) -> str:
    """RFC 6901 section 3: each token after a slash, `~` written `~0` and `/` written `~1`."""
    return "".join("/" + _token(part) for part in path)


def field_name(path: Iterable[str | int]) -> str:
    """The same place as a person names it: `attachments[0].sha256`."""
    name = ""
    for part in path:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += ("." if name else "") + printable(part)
    return name or "the document"


def printable(text: str, longest: int = 60) -> str:
    """At most `longest` characters, without what no answer may hold: controls, lone surrogates."""
    cut = text[:longest]
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)
    return clean + ("…" if len(text) > longest else "")


def _token(part: str | int) -> str:
    text = str(part)
    if len(text) > LONGEST_TOKEN:
        text = text[:LONGEST_TOKEN] + "…"
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text.replace("~", "~0").replace("/", "~1")
