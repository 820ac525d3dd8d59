"""A person's name in a text, in the forms in which it is written every day.

Found are, in any case and any letters (`letters`): the full name, any two or more of its words of at least
three letters side by side in any order ("Wirabuana, Zulkarnaen") or run together, two neighbours broken
anywhere ("Zulkarn aen Wirabu ana"), one word with the initial of another ("Z. Wirabuana", "Zulkarnaen W."),
and one spelled letter by letter ("Z u l k a r n a e n"). Endings such as -nya and -ku may hang on the last
word.

One word of a longer name alone stays: many are ordinary words ("Bunga", "Cahaya"), and a first name that
thousands bear leads to nobody. Who reports anonymously or confidentially counts on more, so for them
`single_words` gives the words that are hidden alone as well. A word alone stays where it names a street
("Jl. Sudirman"): without it the place of the complaint would be lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from hub.domain.privacy.letters import folded

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
_ANYTHING = r"(?:(?!\[\w+ disamarkan)[\W_])"
"""Between two words of a name; but a token is never entered."""
_IN_WORDS = r"[\s.,'_+*|/\-]"
_SPELLED = re.compile(rf"(?<![^\W\d_])[^\W\d_](?:{_IN_WORDS}{{1,3}}[^\W\d_]){{4}}")
_START, _END = r"(?<![^\W\d_])", r"(?:[-'’]?(?:nya|ku|mu|lah|kah|pun))?(?![^\W\d_])"
_STREETS = ("jalan ", "jln ", "jln. ", "jln.", "jl ", "jl. ", "jl.", "gang ", "gg ", "gg. ", "gg.")
_NO_STREET = "".join(f"(?<!{re.escape(street)})" for street in _STREETS)
_WORD = re.compile(r"[^\W\d_]+")
_NO_LETTER = re.compile(r"[\W\d_]+")
_NO_LETTERS = bytes(code for code in range(256) if not chr(code).isalpha() or code > 0x7F)
_FEWEST_LETTERS, _FEWEST_ALONE, _FEWEST_RUN_TOGETHER, _MOST_WORDS = 3, 5, 10, 8


def single_words(name: str) -> list[str]:
    """The words of a longer name that point to someone on their own: five letters and more, not ordinary."""
    words = _WORD.findall(name)
    telling = [word for word in words if len(word) >= _FEWEST_ALONE and not _is_ordinary(folded(word))]
    return telling if len(words) > 1 else []


def name_patterns(name: str) -> list[str]:
    """Regular expressions (for IGNORECASE) of a name's forms in a text of plain letters."""
    words = _words(name)
    if not words:
        return []
    if len(words) == 1:
        alone = len(words[0]) >= _FEWEST_LETTERS and words[0] not in STAND_INS
        if not alone:
            return []
        return [f"{_START}(?:{'|'.join((_NO_STREET + re.escape(words[0]), *_spelled(words)))}){_END}"]
    gap = "{0,4}" if len("".join(words)) >= _FEWEST_RUN_TOGETHER else "{1,4}"
    spelled = {word: re.escape(word) for word in words}
    forms = [f"{_ANYTHING}{gap}".join(spelled[word] for word in words)]
    for word in _long(words):
        forms += _forms_around(word, words, spelled)
    forms += _broken(words)
    forms += _spelled(words)
    return [f"{_START}(?:{'|'.join(forms)}){_END}"]


def squeezed(folded_text: str) -> str:
    """The letters alone."""
    if folded_text.isascii():
        return folded_text.encode().translate(None, _NO_LETTERS).decode()
    return _NO_LETTER.sub("", folded_text)


def name_may_stand(folded_text: str, letters: str, name: str) -> bool:
    """Cheap: False when none of the forms can be in the text; `letters` are what is left of it `squeezed`.
    `name` is folded too."""
    words = _WORD.findall(name)
    if not words:
        return False
    if len(words) == 1:
        return words[0] in letters and (words[0] in folded_text or _SPELLED.search(folded_text) is not None)
    if not any(word in letters for word in _long(words)) and not all(word in letters for word in words):
        return False
    if any("".join(pair) in letters for pair in _pairs(words)):
        return True
    if any(word in letters for word in _telling(words)) and _SPELLED.search(folded_text):
        return True
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


def _telling(words: Sequence[str]) -> list[str]:
    """Those that are known also when they are spelled letter by letter."""
    return [word for word in _long(words) if len(word) >= _FEWEST_ALONE and not _is_ordinary(word)]


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Neighbours that together are known wherever they are broken."""
    some = words[:_MOST_WORDS]
    return ((a, b) for a, b in pairwise(some) if len(a + b) >= _FEWEST_RUN_TOGETHER)


def _spelled(words: Sequence[str]) -> list[str]:
    """ "Z u l k a r n a e n" """
    return [f"{_IN_WORDS}{{1,3}}".join(map(re.escape, word)) for word in _telling(words)]


def _broken(words: Sequence[str]) -> list[str]:
    """ "Zulkarn aen Wirabu ana": ten letters in their order are no chance."""
    return [f"{_IN_WORDS}{{0,3}}".join(map(re.escape, a + b)) for a, b in _pairs(words)]


def _forms_around(word: str, words: Sequence[str], spelled: dict[str, str]) -> list[str]:
    """The word with others of the name behind it, and with an initial before or behind it."""
    others = [other for other in _long(words) if other != word]
    forms = []
    if others:
        following = "|".join(spelled[other] for other in others)
        close = [spelled[other] for other in others if len(word) + len(other) >= _FEWEST_RUN_TOGETHER]
        forms.append(f"{spelled[word]}(?:{'|'.join((f'{_ANYTHING}{{1,4}}(?:{following})', *close))})+")
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
