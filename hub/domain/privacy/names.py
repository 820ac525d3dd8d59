"""A person's name in a text, in the forms in which it is written every day.

Found are, in any case and with or without accents: the full name (also run together), any two or more of its
words of at least three letters side by side in any order ("Wirabuana, Zulkarnaen"), and one word with the
initial of another ("Z. Wirabuana", "Zulkarnaen W."). Endings such as -nya and -ku may hang on the last word.

One word of a longer name alone stays: many are ordinary words ("Bunga", "Cahaya"), and a first name that
thousands bear leads to nobody. Who reports anonymously or confidentially counts on more, so for them
`single_words` gives the words that are hidden alone as well. A word alone stays where it names a street
("Jl. Sudirman"): without it the place of the complaint would be lost.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from hub.domain.privacy.numbers import INVISIBLE

STAND_INS = frozenset(
    "admin anonim anonimus anonymous hamba masyarakat nama noname pelapor rahasia user warga".split()  # noqa: SIM905
)
COMMON = frozenset(  # one a line would be eighty lines
    "abadi agung agustus angin april bahagia bapak barat berkah bintang bulan bunga cahaya damai desember "  # noqa: SIM905
    "dewi fajar februari gemilang guntur gunung hajah harapan hujan indah indonesia intan januari jaya juli "
    "juni kartika kencana langit laut lestari makmur maret matahari mawar mega melati merdeka mulia mutiara "
    "november nusantara oktober pelita permata perkasa pertiwi putih putra putri rejeki sabar samudra satria "
    "sejahtera selamat selatan senja sentosa september setia sinar slamet subur sungai surya timur untung "
    "utama utara utari wahyu wibawa".split()
)
"""Words of names that are ordinary words too, and stay when they stand alone."""

_BETWEEN = r"[\s.,'_+\-]"
_START, _END = r"(?<![^\W\d_])", r"(?:[-'’]?(?:nya|ku|mu|lah|kah|pun))?(?![^\W\d_])"
_STREETS = ("jalan ", "jln ", "jln. ", "jln.", "jl ", "jl. ", "jl.", "gang ", "gg ", "gg. ", "gg.")
_NO_STREET = "".join(f"(?<!{re.escape(street)})" for street in _STREETS)
_WORD = re.compile(r"[^\W\d_]+")
_MARKS = re.compile(f"[\u0300-\u036f{INVISIBLE}]+")
_FEWEST_LETTERS, _FEWEST_ALONE, _FEWEST_RUN_TOGETHER, _MOST_WORDS = 3, 5, 10, 8


def folded(text: str) -> str:
    """Lower case, without accents: only to look whether something may stand in a text."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    return _MARKS.sub("", unicodedata.normalize("NFKD", lowered)).replace("ı", "i").lower()


def unaccented(text: str) -> tuple[str, list[int] | None]:
    """The text with plain letters and dashes, without marks and invisible characters; and each character's
    place in `text` (and its end) where that differs."""
    if text.isascii():
        return text, None
    simple = text.translate(_plain_letters())
    if not _MARKS.search(simple):
        return simple, None
    places: list[int] = []
    done = 0
    for mark in _MARKS.finditer(simple):
        places.extend(range(done, mark.start()))
        done = mark.end()
    places.extend(range(done, len(text) + 1))
    return _MARKS.sub("", simple), places


@cache
def _plain_letters() -> dict[int, str]:
    """Latin letters with accents (one character each, as they are without), dashes and apostrophes."""
    found = {ord("ı"): "i", ord("ſ"): "s", ord("K"): "k", 0x2212: "-", 0x2019: "'"}
    found |= dict.fromkeys(range(0x2010, 0x2016), "-")
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFKD", chr(code))[0]
        if base.isascii() and base.isalpha():
            found[code] = base
    return found


def single_words(name: str) -> list[str]:
    """The words of a longer name that point to someone on their own: five letters and more, not ordinary."""
    words = _WORD.findall(name)
    telling = [word for word in words if len(word) >= _FEWEST_ALONE and not _is_ordinary(folded(word))]
    return telling if len(words) > 1 else []


def name_patterns(name: str) -> list[str]:
    """Regular expressions (for IGNORECASE) of a name's forms in a text that `unaccented` has made simple."""
    words = _words(name)
    if not words:
        return []
    if len(words) == 1:
        alone = len(words[0]) >= _FEWEST_LETTERS and words[0] not in STAND_INS
        return [f"{_START}{_NO_STREET}{re.escape(words[0])}{_END}"] if alone else []
    gap = "{0,4}" if len("".join(words)) >= _FEWEST_RUN_TOGETHER else "{1,4}"
    spelled = {word: re.escape(word) for word in words}
    forms = [f"{_BETWEEN}{gap}".join(spelled[word] for word in words)]
    for word in _long(words):
        forms += _forms_around(word, words, spelled)
    return [f"{_START}(?:{'|'.join(forms)}){_END}"]


def name_may_stand(folded_text: str, name: str) -> bool:
    """Cheap: False when none of the forms can be in the text."""
    words = _words(name)
    if not words:
        return False
    standing = [word for word in _long(words) if word in folded_text]
    if len(standing) >= 2 or all(word in folded_text for word in words):
        return True
    return bool(standing) and _takes_initial(standing[0]) and _has_initial(folded_text, standing[0], words)


def _words(name: str) -> list[str]:
    return _WORD.findall(folded(name))


def _long(words: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if len(word) >= _FEWEST_LETTERS))[:_MOST_WORDS]


def _is_ordinary(word: str) -> bool:
    return word in COMMON or word in STAND_INS


def _takes_initial(word: str) -> bool:
    return len(word) > _FEWEST_LETTERS and not _is_ordinary(word)


def _forms_around(word: str, words: Sequence[str], spelled: dict[str, str]) -> list[str]:
    """The word with others of the name behind it, and with an initial before or behind it."""
    others = [other for other in _long(words) if other != word]
    forms = []
    if others:
        following = "|".join(spelled[other] for other in others)
        forms.append(f"{spelled[word]}(?:{_BETWEEN}{{1,4}}(?:{following})(?![^\\W\\d_]))*"
                     f"{_BETWEEN}{{1,4}}(?:{following})")  # fmt: skip
    initials = sorted({other[0] for other in words if other != word})
    if initials and _takes_initial(word):
        letters = "".join(initials)
        # A small letter is an initial only with its dot: "surabaya z" is none.
        initial = rf"(?:(?-i:[{letters.upper()}])|[{letters}](?=\.))"
        forms.append(f"{initial}{_BETWEEN}{{1,4}}{spelled[word]}")
        forms.append(rf"{spelled[word]}{_BETWEEN}{{1,4}}{initial}(?![^\W\d_])\.?")
    return forms


def _has_initial(text: str, word: str, words: Sequence[str]) -> bool:
    """An initial of another word within reach before or behind one of the word's places."""
    initials = {other[0] for other in words if other != word}
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not initials.isdisjoint(text[max(0, at - 5) : at]) or not initials.isdisjoint(text[end : end + 5]):
            return True
        at = text.find(word, end)
    return False
