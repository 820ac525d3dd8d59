"""Keeps the search for errors cheap, whatever was sent.

A document is judged whole by the fast validator; only when it is refused are its errors collected, which
costs time and memory per error. So they are collected from a copy that is cut to a bounded size.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

DEEPEST = 24
"""Levels that are searched. No schema of ours describes more than eight."""
STRANGERS = 50
"""Members of one object that no schema knows and that are searched all the same."""


def trimmed(value: Any, known: Collection[str], longest_list: int, depth: int = 0) -> Any:
    """A copy of at most `longest_list` entries a list, STRANGERS unknown members an object, DEEPEST levels.

    What is wrong stays wrong, and at the same place: indices are kept, and a list that is too long keeps
    one entry too many when `longest_list` exceeds the schema's `maxItems`.
    """
    if isinstance(value, dict):
        return {} if depth >= DEEPEST else _trimmed_object(value, known, longest_list, depth)
    if isinstance(value, list):
        head = [] if depth >= DEEPEST else value[:longest_list]
        return [trimmed(item, known, longest_list, depth + 1) for item in head]
    return value


def _trimmed_object(
    value: dict[Any, Any], known: Collection[str], longest_list: int, depth: int
) -> dict[Any, Any]:
    kept: dict[Any, Any] = {}
    strangers = 0
    for name, member in value.items():
        if name not in known:
            strangers += 1
            if strangers > STRANGERS:
                continue
        kept[name] = trimmed(member, known, longest_list, depth + 1)
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


def size_limits(schema: Any) -> tuple[set[str], int]:
    """Every member name that the schema knows, and its largest `maxItems`, the bounds of `trimmed`."""
    names: set[str] = set()
    longest = 0
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            names |= properties.keys() if isinstance(properties, dict) else set()
            limit = node.get("maxItems")
            longest = max(longest, limit if isinstance(limit, int) else 0)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return names, longest
