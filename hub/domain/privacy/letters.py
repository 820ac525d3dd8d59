"""A text as an eye reads it: "Ｚｕｌ", "𝐙𝐮𝐥", "Zúl", "Ζul" with a Greek Z and "&#90;ul" are all "Zul".

Every search runs on what `plain_letters` makes of a text, and `as_written` takes what it found back to the
places in the text itself. What is ASCII already (and has no HTML entity) is its own plain form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from html import unescape

from hub.domain.privacy.finding import Span

_ENTITY = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}"
    r"|(?:commat|nbsp|period|num|lowbar|hyphen|dash|colon|semi|sol|plus|comma|shy|Tab|zwj|zwnj))(?:;|\b)"
)
_UNIT = re.compile(rf"{_ENTITY.pattern}|.", re.DOTALL)
_TELLING = re.compile(
    "[^\x00-\x7f\u00a0\u00b0\u00b7\u00d7\u2010-\u2015\u2018-\u201f\u2022\u2026\u20ac\U0001f300-\U0001faff]"
)
"""But for typographic quotes, dashes, dots and emoji, which no number, address or name is written with."""
_FOREIGN = re.compile("[^\x00-\x7f]+")
_UNSEEN = ("Mn", "Me", "Cf")
"""Marks that stand over or around the letter before, and what has no width."""


def _confusables() -> dict[str, str]:
    """Those that are used in earnest: the whole list (Unicode TS 39) has thousands."""
    pairs = zip(
        "авекмнорстухіјѕԛԝһԁпгѵցոսրαβεζηικνορτυχωɑɡɩʟʀɴɪʏʙʜ",
        "abekmhopctyxijsqwhdnrvgnupabezniknoptuxwagilrniybh",
        strict=True,
    )
    found = {form: plain for letter, plain in pairs for form in (letter, letter.upper()) if len(form) == 1}
    found |= dict(zip("ΗΝΥΡΜ", "hnypm", strict=True))
    found |= dict(zip("ᴀᴄᴅᴇꜰᴊᴋᴍᴏᴘʀꜱᴛᴜᴠᴡᴢøØđĐłŁħĦıſӏ", "acdefjkmoprstuvwzoOdDlLhHisl", strict=True))
    found |= dict.fromkeys("‘’‛ʼ′", "'") | dict.fromkeys("‐‑‒–—―−", "-") | {"。": ".", "٫": "."}
    found |= dict.fromkeys("\u115f\u1160\u3164\uffa0", "") | {"\u2800": " "}
    for first in (0x1F150, 0x1F170, 0x1F1E6):  # white on black, and the letters that flags are made of
        found |= {chr(first + at): chr(0x41 + at) for at in range(26)}
    return found


class _Plain(dict[int, str]):
    """A table for `str.translate` that learns each character once."""

    _confusable = _confusables()

    def __missing__(self, code: int) -> str:
        plain = self[code] = self._read(chr(code))
        return plain

    def _read(self, character: str) -> str:
        if (known := self._confusable.get(character)) is not None:
            return known
        if character.isascii():
            return character
        if unicodedata.category(character) in _UNSEEN:
            return ""
        if (digit := unicodedata.digit(character, None)) is not None:
            return str(digit)
        apart = unicodedata.normalize("NFKD", character)
        return character if apart == character else "".join(map(self._read, apart))


_PLAIN = _Plain()


def plain_letters(text: str) -> str:
    """`text` in ASCII letters, digits and signs as far as these are what it shows; the case stays."""
    if "&" in text:
        text = _ENTITY.sub(_unescaped, text)
    return text if text.isascii() else _FOREIGN.sub(lambda found: found[0].translate(_PLAIN), text)


def is_dressed_up(text: str) -> bool:
    """Cheap: False when a search for what `is_plain` tells of would find the same in the text as it is."""
    return ("&" in text and _ENTITY.search(text) is not None) or (
        not text.isascii() and _TELLING.search(text) is not None
    )


def folded(text: str) -> str:
    """The plain letters, small."""
    return plain_letters(text).lower()


def as_written(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """The spans, found in order in `plain_letters(text)`, as places in the text itself."""
    if text.isascii() and "&" not in text:
        yield from spans
        return
    places: list[tuple[int, int]] | None = None
    done = 0
    for start, end, kind in spans:
        places = _places(text) if places is None else places
        first, last = max(done, places[start][0]), places[end - 1][1]
        if first < last:  # both ends of two neighbours may be in one character ("⑫")
            yield first, last, kind
            done = last


def _places(text: str) -> list[tuple[int, int]]:
    """Where each character of the plain letters stands in the text."""
    places: list[tuple[int, int]] = []
    for unit in _UNIT.finditer(text):
        places += [unit.span()] * len(plain_letters(unit[0]))
    return places


def _unescaped(entity: re.Match[str]) -> str:
    return unescape(entity[0]) if entity[0].endswith(";") else unescape(f"{entity[0]};")
