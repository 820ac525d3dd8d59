"""Words that can be read: something to see, and marks on letters as writing has them, no piles of them."""

from __future__ import annotations

import unicodedata
from typing import Final

MOST_MARKS: Final = 5
"""So many marks without a width of their own may stand on one letter. Javanese and Thai have up to 3, Myanmar
and Tibetan up to 5, Vietnamese one once it is composed; spacing vowel signs are not counted."""
PILED: Final = (
    f"More than {MOST_MARKS} marks stand on one letter here; write each letter with the marks that it needs."
)
_MARKS: Final = frozenset({"Mn", "Me"})
_BETWEEN: Final = frozenset({"Mc", "Cf"})
"""What stands between two marks without ending the pile."""
_SEEN: Final = frozenset("LNPS")
"""The first letters of the categories of what is seen: letters, digits, punctuation, signs."""
FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters of Hangul by their category that show nothing."""
_BLANKS: Final = FILLERS | {"\u2800"}
"""With Braille's empty cell, which is a sign by its category."""


def is_blank(text: str) -> bool:
    """Whether it shows nothing: blanks, controls, what has no width, marks without a letter."""
    return not any(unicodedata.category(each)[0] in _SEEN and each not in _BLANKS for each in text)


def is_piled(text: str) -> bool:
    """Whether some letter carries more marks than any writing does ("Zalgo"), in the composed form (NFC)."""
    if text.isascii():
        return False
    count = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category in _MARKS:
            count += 1
            if count > MOST_MARKS:
                return True
        elif category not in _BETWEEN:
            count = 0
    return False
