"""JSON as the contract takes it: UTF-8, no member twice, no NaN, no lone surrogate, not too deep."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from hub.errors import NotJson
from schemas.flaw import printable

MAX_DEPTH: Final = 250
_TOO_DEEP = f"The body is nested deeper than {MAX_DEPTH} levels; nothing here is that deep. Send it flat."


def parse(data: bytes) -> Any:
    """The document; NotJson (400) says what is wrong and where."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotJson(_sentence(error, data)) from None
    try:
        written = orjson.dumps(document)
    except TypeError:
        # orjson reads 1,024 levels and writes 254; nothing else that it read can it not write.
        raise NotJson(_TOO_DEEP) from None
    # Every member brings one colon, and writing keeps the colons inside strings. So the counts are equal
    # exactly when no member was dropped, unless a colon was hidden behind an escape.
    if written.count(b":") != data.count(b":") or b"\\u003a" in data or b"\\u003A" in data:
        _refuse_duplicates(data)
    return document


def _refuse_duplicates(data: bytes) -> None:
    """The slow and exact look (some 20 us), at what the colons could not clear."""
    json.loads(data, object_pairs_hook=_distinct, parse_int=str, parse_float=str)


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise NotJson(
                f"The member {printable(name)!r} stands twice in one object. Send each member once, so that "
                "nobody has to guess which value was meant."
            )
        seen.add(name)


def _sentence(error: orjson.JSONDecodeError, data: bytes) -> str:
    if not data.strip():
        return "The body is empty; a JSON object is needed."
    where = f"line {error.lineno}, column {error.colno}"
    reason = error.msg
    if "depth limit" in reason:
        return _TOO_DEEP
    if "low surrogate" in reason or "surrogate in" in reason:
        return f"At {where} stands half of a UTF-16 pair (a lone surrogate). Send text as UTF-8."
    if "UTF-8" in reason and "BOM" in reason:
        return "The body begins with a byte order mark. Save and send it as UTF-8 without one."
    if "UTF-8" in reason:
        return "The body is not valid UTF-8. Convert the text to UTF-8 first (PHP: mb_convert_encoding)."
    if "infinity" in reason:
        return f"The number at {where} is too large for any computer's number. Send a smaller one."
    if data[error.pos : error.pos + 1] in (b"N", b"I") or b"\x00" in data:
        return f"At {where} stands what JSON does not know (such as NaN, Infinity or a NUL byte). Remove it."
    return f"The body is not JSON: {reason} at {where}."
