"""The cheap look that decides whether the costly scan runs: about a microsecond a kB for an ordinary text.

It may send an innocent text to the scan, never keep a guilty one from it (a property test holds it to that).
A `bytes.translate` lowers the case, turns digits into 0 and drops every separator that a number or an
address may hold inside, so that what remains is looked for with plain byte searches.
"""

from __future__ import annotations

import re

from hub.domain.privacy.letters import is_dressed_up, plain_letters

_DROPPED = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f.,:;-_/'()*|#+~=" + bytes(range(0x80, 0x100))
_SHAPE = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
    b"abcdefghijklmnopqrstuvwxyz000000000",
)
_LETTERS_AND_LOOKALIKES = bytes(
    0x30
    if chr(code) in "0123456789OoIil|"
    else ord(chr(code).lower())
    if code < 0x80 and (chr(code).isalpha())
    else 0x20
    for code in range(256)
)
"""Digits, and the letters that are written for 0 and 1, become 0; other letters lower; the rest blanks."""
_PERCENT = re.compile("%[0-9A-Fa-f]{2}")
_LONG_LOOKALIKE = b"0" * 16

FEWEST_DIGITS = 9
"""The shortest number that is looked for: a landline with its area code."""

_LONG_NUMBER = b"0" * FEWEST_DIGITS
_MARKERS = (b"rt", b"rw", b"no", b"nomor", b"nomer", b"nmr", b"kav", b"kavling")


def is_plain(text: str) -> bool:
    """True when `text` surely holds no NIK, phone, e-mail or house-level address."""
    if is_dressed_up(text):
        text = plain_letters(text)
    if "@" in text or ("%" in text and _PERCENT.search(text)):
        return False
    data = text.encode("utf-8", "surrogatepass")
    worded = data.translate(_LETTERS_AND_LOOKALIKES)
    if b" at " in worded or _LONG_LOOKALIKE in worded:
        return False
    shaped = data.translate(_SHAPE, _DROPPED)
    before_digits = shaped.split(b"0")
    if len(before_digits) == 1:
        return True
    if len(before_digits) > FEWEST_DIGITS and _LONG_NUMBER in shaped:
        return False
    before_digits.pop()
    return not any(words.endswith(_MARKERS) or b"blok" in words[-8:] for words in filter(None, before_digits))
