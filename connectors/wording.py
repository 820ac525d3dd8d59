"""What the database or the shared schema refuses, said in the words of the configuration and the app."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from connectors.errors import StatementRefused
from connectors.mapping import ComplaintMapping, Row
from connectors.values import is_missing
from schemas.flaw import Flaw


def in_columns(flaws: list[Flaw], mapping: ComplaintMapping, row: Row) -> list[Flaw]:
    """The flaws; where an empty column of the app is the cause, that is said instead, once a column."""
    said: dict[str, Flaw] = {}
    for flaw in flaws:
        empty = [name for name in _columns(flaw.pointer, mapping) if is_missing(row[name])]
        detail = f"{empty[0]} is empty" if empty else flaw.detail
        said.setdefault(detail if empty else flaw.pointer + detail, Flaw(flaw.pointer, detail))
    return list(said.values())


def _columns(pointer: str, mapping: ComplaintMapping) -> tuple[str, ...]:
    member = pointer.removeprefix("/").replace("/", ".")
    if member == "category" and mapping.category:
        return (mapping.category.column,)
    rule = mapping.rules.get(member)
    return rule.columns() if rule else ()


def column_keys(mapping: ComplaintMapping) -> dict[str, str]:
    """Column -> the key of the TOML file that names it first."""
    named: dict[str, str] = {}
    for member, rule in mapping.rules.items():
        for column in rule.columns():
            named.setdefault(column, f"[map] {member}")
    for title, part in (("[category] column", mapping.category), ("[photos] column", mapping.photos)):
        if part:
            named.setdefault(part.column, title)
    return named


def blame(error: StatementRefused, keys: Mapping[str, str]) -> StatementRefused:
    """The refusal with the key of the configuration whose name the database does not know. `keys`: name ->
    key; the longest name that the database says is meant."""
    text = str(error)
    for name in sorted(keys, key=len, reverse=True):
        if any(_holds(error.said, spelling) for spelling in (name, name.rpartition(".")[2])):
            return StatementRefused(f"{keys[name]} = {name}: {text}", error.said)
    return StatementRefused(f"[source]: {text}", error.said)


@contextmanager
def of_section(key: str) -> Iterator[None]:
    """What the database refuses of this section's statements is said with the section's name."""
    try:
        yield
    except StatementRefused as error:
        raise StatementRefused(f"{key}: {error}", error.said) from error


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
