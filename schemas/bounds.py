"""Keeps the search for errors cheap, whatever was sent.

A document is judged whole by the fast validator; only when it is refused are its errors collected, which
costs time and memory per error. So they are collected from a copy that is cut to a bounded size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DEEPEST = 24
"""Levels that are searched. No schema of ours describes more than eight."""
STRANGERS = 50
"""Members of one object that no schema names and that are searched all the same; more where a schema allows
more."""
FEWEST = 50
"""Entries of a list that are searched at least."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a document is searched, by what its schema allows."""

    known: frozenset[str]
    """Every member that the schema names."""
    longest_list: int
    """One entry more than its largest `maxItems`, so that a list that is too long still is; than FEWEST where
    that is smaller or no list has a limit."""
    strangers: int
    """STRANGERS, or one more than its largest `maxProperties`: the same for objects, such as days off, whose
    members' names are data."""


def trimmed(value: Any, limits: Limits, depth: int = 0) -> Any:
    """A copy of at most `longest_list` entries a list, `strangers` unknown members an object, DEEPEST levels.

    What is wrong stays wrong, and at the same place: indices are kept.
    """
    if isinstance(value, dict):
        return {} if depth >= DEEPEST else _trimmed_object(value, limits, depth)
    if isinstance(value, list):
        head = [] if depth >= DEEPEST else value[: limits.longest_list]
        return [trimmed(item, limits, depth + 1) for item in head]
    return value


def _trimmed_object(value: dict[Any, Any], limits: Limits, depth: int) -> dict[Any, Any]:
    kept: dict[Any, Any] = {}
    strangers = 0
    for name, member in value.items():
        if name not in limits.known:
            strangers += 1
            if strangers > limits.strangers:
                continue
        kept[name] = trimmed(member, limits, depth + 1)
    return kept


def surrogates(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where text holds a lone surrogate (half of a UTF-16 pair), which UTF-8 cannot carry."""
    if isinstance(value, str):
        return [path] if _broken(value) else []
    if len(path) >= DEEPEST:
        return []
    found: list[tuple[str | int, ...]] = []
    if isinstance(value, dict):
        for name, member in value.items():
            found += [(*path, name)] if _broken(name) else surrogates(member, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += surrogates(item, (*path, index))
    return found


def _broken(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def size_limits(schema: Any) -> Limits:
    """The bounds of `trimmed` for documents of an inlined schema."""
    names: set[str] = set()
    longest = {"maxItems": 0, "maxProperties": 0}
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            names |= properties.keys() if isinstance(properties, dict) else set()
            for keyword, most in longest.items():
                limit = node.get(keyword)
                longest[keyword] = max(most, limit if isinstance(limit, int) else 0)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    strangers = max(STRANGERS, longest["maxProperties"] + 1)
    return Limits(frozenset(names), max(FEWEST, longest["maxItems"]) + 1, strangers)
