"""A row of the app becomes a complaint of the shared schema, or is held with the reason.

Personal data by default: NIK, phone and e-mail stay in the source unless
`share` names them; the name goes only when the reporter is neither anonymous nor confidential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.photos import Photo, Unsent, find_photos
from connectors.rules import SHAREABLE, Category, Photos, Rule
from connectors.values import (
    RowHeld,
    Value,
    as_day,
    as_flag,
    as_moment,
    as_number,
    clean_text,
    is_missing,
    raw_text,
)
from schemas.app_values import FLAGS, bit_as_number, point_of, shortened

Row = Mapping[str, Value]
TIME_UNKNOWN = "submitted_at_unknown"
"""The extra that marks the time at which a row was first seen: the app has none for it."""


@dataclass(frozen=True)
class Mapped:
    """A complaint as the hub would get it."""

    document: dict[str, Any]
    photos: list[Photo]
    unsent: list[Unsent]
    removed: dict[str, int]
    """Column -> how many control characters were taken out of it."""


@dataclass
class _Work:
    """What one row's mapping gathers."""

    row: Row
    first_seen: datetime
    removed: dict[str, int] = field(default_factory=dict)
    removals: int = 0
    """Of all members: two may be made of one column."""
    extras: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ComplaintMapping:
    """The checked mapping of one configuration. `map` is pure but for reading photos from the folder."""

    agency: str
    zone: ZoneInfo
    rules: dict[str, Rule]
    category: Category | None = None
    photos: Photos | None = None
    share: tuple[str, ...] = ("name",)

    def columns(self) -> list[str]:
        """Every column that the mapping reads, each once, in the order of the configuration."""
        names = [name for rule in self.rules.values() for name in rule.columns()]
        names += [part.column for part in (self.category, self.photos) if part]
        return list(dict.fromkeys(names))

    def map(self, row: Row, reference: str, first_seen: datetime) -> Mapped:
        """The complaint of `row`; raises RowHeld when it cannot be sent as it is."""
        work = _Work(row, first_seen)
        document: dict[str, Any] = {
            "source": {"agency": self.agency, "reference": reference},
            "classification": "complaint",
            "channel": "web",
            "confidential": False,
            "reporter": {"anonymous": False},
        }
        for member, rule in self.rules.items():
            value = self._value(member, rule, work)
            if value is not None:
                _place(document, member, value, work)
        self._categorise(document, work)
        self._hide_reporter(document)
        photos, unsent = self._attach(document, work)
        if work.removals:
            work.extras["removed_characters"] = work.removals
        if work.extras:
            document["extensions"] = {self.agency: work.extras}
        return Mapped(document, photos, unsent, work.removed)

    def _value(self, member: str, rule: Rule, work: _Work) -> Any:
        if rule.value is not None:
            return as_flag(str(rule.value), member) if member in FLAGS else rule.value
        if rule.latitude:
            return _point(rule, work.row)
        column = rule.column or rule.of
        raw = work.row[column]
        if member in FLAGS:
            raw = bit_as_number(raw_text(raw))
        if is_missing(raw):
            return self._when_missing(member, rule, work)
        if member == "submitted_at":
            return as_moment(raw, self.zone, member)
        if member == "occurred_on":
            return as_day(raw, member)
        text, removed = clean_text(raw)
        if removed:
            work.removed[column] = removed
            work.removals += removed
        if rule.codes:
            text = _code(member, rule, text)
        if member in FLAGS:
            return as_flag(str(text), member)
        if rule.split or member in ("tags", "addressed_to"):
            return [part.strip() for part in text.split(rule.split or ",") if part.strip()]
        return shortened(text, rule.first) if rule.first else text

    def _when_missing(self, member: str, rule: Rule, work: _Work) -> Any:
        if rule.default is not None:
            word = rule.default
            return as_flag(str(rule.codes.get(str(word), word)), member) if member in FLAGS else word
        if member == "submitted_at":
            if rule.if_missing == "first_sight":
                work.extras[TIME_UNKNOWN] = True
                return work.first_seen.astimezone(self.zone).isoformat(timespec="seconds")
            raise RowHeld(member, "the app has no date for it (see map.submitted_at.if_missing)")
        return None

    def _categorise(self, document: dict[str, Any], work: _Work) -> None:
        if self.category is None:
            return
        raw, _ = clean_text(work.row[self.category.column])
        code = self.category.codes.get(raw)
        if code is None and self.category.unmapped == "hold":
            raise RowHeld("category", f"the app's code {raw!r} is not in [category.codes]")
        document["category"] = code or "other"
        if code is None:
            work.extras["category"] = raw

    def _hide_reporter(self, document: dict[str, Any]) -> None:
        reporter = document["reporter"]
        hidden = reporter["anonymous"] or document["confidential"]
        for name in SHAREABLE:
            if hidden or name not in self.share:
                reporter.pop(name, None)

    def _attach(self, document: dict[str, Any], work: _Work) -> tuple[list[Photo], list[Unsent]]:
        """What goes with it, and what somebody expects to go and does not."""
        if self.photos is None:
            return [], []
        photos, named = find_photos(self.photos, work.row[self.photos.column])
        if photos:
            document["attachments"] = [photo.reference() for photo in photos]
        if named:
            work.extras["photos"] = [each.name for each in named]
        return photos, [each for each in named if each.why]


def _code(member: str, rule: Rule, text: str) -> Any:
    if text not in rule.codes:
        raise RowHeld(member, f"the app's code {text!r} is not in map.{member}.codes")
    return rule.codes[text]


def _point(rule: Rule, row: Row) -> dict[str, Any] | None:
    latitude, longitude = row[rule.latitude], row[rule.longitude]
    if is_missing(latitude) or is_missing(longitude):
        return None
    return point_of(as_number(latitude, "location.point"), as_number(longitude, "location.point"))


def _place(document: dict[str, Any], member: str, value: Any, work: _Work) -> None:
    group, _, name = member.partition(".")
    if group == "extensions":
        work.extras[name] = value
    elif group == "external_ids":
        document.setdefault("external_ids", []).append({"system": name, "id": value})
    elif name:
        document.setdefault(group, {})[name] = value
    else:
        document[member] = value


def without_photos(document: dict[str, Any], agency: str) -> dict[str, Any]:
    """The same complaint with its photos named instead of attached: a missing photo blocks nothing."""
    bare = {name: value for name, value in document.items() if name != "attachments"}
    extras = dict(bare.get("extensions", {}).get(agency, {}))
    extras["photos"] = [
        *extras.get("photos", []),
        *(item["name"] for item in document.get("attachments", [])),
    ]
    bare["extensions"] = {**bare.get("extensions", {}), agency: extras}
    return bare
