"""The reporter's own e-mail address, with blanks, brackets or words where its @ and its dots are."""

from __future__ import annotations

import re
from typing import Final

_PARTS = re.compile(r"[^\W_]+|@|(?:(?!@)[\W_])+")
_WORDS = re.compile(r"[^\W_]+")
_AT: Final = r"(?:\W{0,3}@\W{0,3}|[\W_]{1,3}at[\W_]{1,3})"
_DOT: Final = r"(?:[\W_]{1,4}|[\W_]{1,3}(?:dot|titik)[\W_]{1,3})"
_START, _END = r"(?<![^\W\d_])", r"(?![^\W\d_])"
_SHORTEST: Final = 4


def address_words(address: str) -> list[str]:
    """What stands in a text that holds the address in any of its forms; `address` in small plain letters."""
    return _WORDS.findall(address)


def address_pattern(address: str) -> str:
    """For IGNORECASE, in a text of plain letters; "" for what is too short to be one."""
    if len(address) < _SHORTEST:
        return ""
    if not _is_one(address):
        return f"{_START}{re.escape(address)}{_END}"
    return _START + "".join(map(_written, _PARTS.findall(address))) + _END


def _is_one(address: str) -> bool:
    name, _, domain = address.rpartition("@")
    return bool(name and domain) and name[-1].isalnum() and domain[0].isalnum()


def _written(part: str) -> str:
    if part == "@":
        return _AT
    return part if part[0].isalnum() else _DOT
