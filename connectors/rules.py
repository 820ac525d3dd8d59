"""The configuration's mapping tables, [map], [category] and [photos], as checked rules."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import ConfigRefused
from connectors.options import option, read_table
from connectors.values import RowHeld, as_flag
from schemas.app_values import FLAGS

COLUMN = re.compile(r"^\w+(\.\w+)?$")
GROUPS = {
    "source": ("url",),
    "location": ("region", "address", "point"),
    "reporter": ("name", "phone", "email", "national_id", "anonymous"),
}
OPEN_GROUPS = ("extensions", "external_ids")
MEMBERS = (
    "title", "description", "category", "classification", "tags", "submitted_at", "occurred_on",
    "channel", "confidential", "addressed_to",
)  # fmt: skip
SHAREABLE = ("name", "phone", "email", "national_id")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one member of the complaint is made. A bare text in [map] is short for `{ column = text }`."""

    column: str = option("", reason="the app's column")
    first: int = option(0, reason="only so many characters, cut between words, on one line", minimum=0)
    of: str = option("", reason="with `first`: the column that is shortened")
    value: Any = option(None, reason="the same for every row, instead of a column")
    default: Any = option(None, reason="what stands there when the column is empty")
    codes: dict[str, Any] = option({}, reason="the app's code = the hub's")
    split: str = option("", reason="the character between several values in one column (tags, addressed_to)")
    latitude: str = option("", reason="location.point: the column of the latitude")
    longitude: str = option("", reason="location.point: the column of the longitude")
    if_missing: str = option(
        "hold",
        reason="submitted_at empty or 0000-00-00: hold the row, or take the time the connector first saw it",
        choices=("hold", "first_sight"),
    )

    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in (self.column, self.of, self.latitude, self.longitude) if name)


@dataclass(frozen=True, kw_only=True)
class Category:
    """[category]: the crosswalk from the app's categories to the hub's codes."""

    column: str = option(reason="the app's column")
    codes: dict[str, str] = option({}, reason="the app's code = the hub's, from GET /v1/categories")
    unmapped: str = option(
        "hold",
        reason="hold the row, or send it as `other` with the raw code beside it",
        choices=("hold", "other"),
    )


@dataclass(frozen=True, kw_only=True)
class Photos:
    """[photos]: file names in a column."""

    column: str = option(reason="the app's column with one or several file names")
    folder: str = option("", reason="the folder they lie in; without it they are named, not sent")
    separator: str = option(",", reason="the character between several names")
    limit_bytes: int = option(10 * 1024 * 1024, reason="larger files are named, not sent", minimum=1)


def read_rules(table: Mapping[str, Any]) -> dict[str, Rule]:
    """[map] as dotted member -> rule; refuses members that the complaint does not have."""
    rules: dict[str, Rule] = {}
    for member, raw in _members(table):
        rule = Rule(column=raw) if isinstance(raw, str) else read_table(Rule, raw, f"map.{member}")
        _check(member, rule)
        rules[member] = rule
    return rules


def _members(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, raw in table.items():
        if name in MEMBERS:
            yield name, raw
        elif name in GROUPS or name in OPEN_GROUPS:
            if not isinstance(raw, Mapping):
                raise ConfigRefused(
                    f"map.{name}", "is a group", f"write {name}.{(GROUPS.get(name) or ['x'])[0]} = ..."
                )
            for inner, value in raw.items():
                if name in GROUPS and inner not in GROUPS[name]:
                    known = ", ".join(GROUPS[name])
                    raise ConfigRefused(
                        f"map.{name}.{inner}", "is no member of a complaint", f"known: {known}"
                    )
                yield f"{name}.{inner}", value
        else:
            known = ", ".join((*MEMBERS, *GROUPS, *OPEN_GROUPS))
            raise ConfigRefused(f"map.{name}", "is no member of a complaint", f"known: {known}")


def _check(member: str, rule: Rule) -> None:
    key = f"map.{member}"
    ways = [rule.column, rule.of, rule.value is not None, rule.latitude]
    if sum(bool(way) for way in ways) != 1:
        raise ConfigRefused(
            key, "names no source or several", "give one of: column, of (with first), value, latitude"
        )
    if bool(rule.first) != bool(rule.of):
        raise ConfigRefused(key, "first and of belong together", 'write { first = 80, of = "isi_laporan" }')
    if bool(rule.latitude) != bool(rule.longitude) or (member == "location.point") != bool(rule.latitude):
        remedy = 'write location.point = { latitude = "lat", longitude = "lng" }'
        raise ConfigRefused(key, "a point needs both coordinates, and nothing else has them", remedy)
    for name in rule.columns():
        if not COLUMN.match(name):
            raise ConfigRefused(key, f"{name!r} is no column name", "write column or table.column")
    if member in FLAGS:
        _check_flags(member, rule)


def _check_flags(member: str, rule: Rule) -> None:
    """What the file itself says of a flag is no surprise of a row's: it is refused at the start."""
    words = {"default": rule.codes.get(str(rule.default), rule.default), "value": rule.value}
    for name, word in words.items():
        try:
            as_flag(None if word is None else str(word), member)
        except RowHeld as held:
            remedy = "write one of 1/0, y/n, ya/tidak, true/false"
            raise ConfigRefused(f"map.{member}.{name}", f"{word!r} is no flag", remedy) from held
