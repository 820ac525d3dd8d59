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
    return rule.columns() if rule and rule.default is None else ()


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


def blame(error: StatementRefused, keys: Mapping[str, str], table: str = "") -> StatementRefused:
    """The refusal with the key of the configuration whose name the database does not know. `keys`: name ->
    key; what the database spells out most is meant. `table`: before a bare name of it in the statement."""
    text = str(error)
    said = {
        name: [len(one) for one in _spellings(name, table) if names(error, one)]
        for name in sorted(keys, key=len, reverse=True)
    }
    name = max(said, key=lambda each: max(said[each], default=0), default="")
    if not said.get(name):
        return StatementRefused(f"[source]: {text}", error.said)
    return StatementRefused(f"{keys[name]} = {name}: {text}", error.said)


def _spellings(name: str, table: str) -> tuple[str, ...]:
    if not table or "." in name:
        return (name, name.rpartition(".")[2])
    return (name, f"{table}.{name}", f"{table.rpartition('.')[2]}.{name}")


def names(error: StatementRefused, name: str) -> bool:
    """Whether the database's own words hold the name."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", error.said) is not None


@contextmanager
def of_section(key: str) -> Iterator[None]:
    """What the database refuses of this section's statements is said with the section's name."""
    try:
        yield
    except StatementRefused as error:
        raise type(error)(f"{key}: {error}", error.said) from error
