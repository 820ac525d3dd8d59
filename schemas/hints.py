"""What a sender may have meant who wrote a name where a code belongs. No guess is better than a bad one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import TypeVar

from schemas.categories import Categories, Category
from schemas.regions import Region, Regions

_T = TypeVar("_T")
LONGEST = 64
"""Characters of a value that are looked at; no name on our lists is longer."""
MOST = 3
"""More equally good guesses than this are none."""
MOST_WORDS = 6
"""Whoever writes more words than the longest name holds wrote a sentence."""
_CLOSE = 0.8
_LONG_ENOUGH = 4
_WORD = re.compile(r"[^\W_]+")
_EMPTY = frozenset({"dan", "and", "of", "the", "atau", "or"})
_SHORT_KINDS = {"kab": "kabupaten", "prov": "provinsi", "propinsi": "provinsi"}
_KINDS = frozenset({"kabupaten", "kota", "provinsi"})


def like_category(text: str, categories: Categories) -> list[Category]:
    """Today's topics that `text` names by a code, an Indonesian or an English name, or words of these."""
    asked = _words(text)
    if not 0 < len(asked) <= MOST_WORDS:
        return []
    return _by_name(asked, categories) or _by_words(asked, categories) or _by_spelling(asked, categories)


def like_region(text: str, regions: Regions) -> list[Region]:
    """Today's provinces, regencies and cities of that name, with or without Kabupaten, Kota or Provinsi."""
    return _few(_region_names(regions).get(_region_name(text), ()))


def offer(codes_and_names: Iterable[tuple[str, str]]) -> str:
    """`Did you mean road (Jalan dan jembatan)?`, or an empty text when there is nothing to offer."""
    offered = " or ".join(f"{code} ({name})" for code, name in codes_and_names)
    return f"Did you mean {offered}?" if offered else ""


def _by_name(asked: tuple[str, ...], categories: Categories) -> list[Category]:
    return [found for found in categories.items() if asked in _names(found)]


def _by_words(asked: tuple[str, ...], categories: Categories) -> list[Category]:
    """Those that hold every word asked for; best where it stands nearest to the beginning of a name."""
    ranks: dict[int, list[Category]] = {}
    for found in categories.items():
        places = [name.index(asked[0]) for name in _names(found) if set(asked) <= set(name)]
        if places:
            ranks.setdefault(min(places), []).append(found)
    return _few(ranks[min(ranks)]) if ranks else []


def _by_spelling(asked: tuple[str, ...], categories: Categories) -> list[Category]:
    """The same with each word mended that is nearly one of the lists' words."""
    known = _category_words(categories)
    mended = tuple(_mended(word, known) for word in asked)
    if mended == asked:
        return []
    return _by_name(mended, categories) or _by_words(mended, categories)


def _mended(word: str, known: Sequence[str]) -> str:
    """Short words are left alone: nearly every one of them resembles another."""
    close = get_close_matches(word, known, 1, _CLOSE) if len(word) >= _LONG_ENOUGH else []
    return close[0] if close else word


@lru_cache(maxsize=512)
def _names(category: Category) -> tuple[tuple[str, ...], ...]:
    return _words(category.code), _words(category.name), _words(category.name_en)


def _words(text: str) -> tuple[str, ...]:
    found = _WORD.findall(text[:LONGEST].casefold())
    return tuple(word for word in found if word not in _EMPTY)


@lru_cache(maxsize=4)
def _category_words(categories: Categories) -> tuple[str, ...]:
    return tuple({word for found in categories.items() for name in _names(found) for word in name})


@lru_cache(maxsize=4)
def _region_names(regions: Regions) -> dict[tuple[str, ...], list[Region]]:
    names: dict[tuple[str, ...], list[Region]] = {}
    for region in regions.items():
        whole = _region_name(region.name)
        bare = whole[1:] if whole[0] in _KINDS else whole
        named = {whole, bare, ("provinsi", *bare)} if region.kind == "province" else {whole, bare}
        for name in named:
            names.setdefault(name, []).append(region)
    return names


def _region_name(text: str) -> tuple[str, ...]:
    return tuple(_SHORT_KINDS.get(word, word) for word in _words(text))


def _few(found: Sequence[_T]) -> list[_T]:
    return list(found) if len(found) <= MOST else []
