"""A row of a backlog's file becomes a complaint and its history, or the list of what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from hub.domain.history import STATUSES, STEPS, History, Moment
from hub.domain.privacy import is_plain
from hub.service.backlog.cells import (
    Cell,
    CellRefused,
    bit_of,
    coordinate_of,
    day_of,
    flag_of,
    id_of,
    is_empty,
    moment_of,
    parts_of,
    phone_of,
    text_of,
)
from hub.service.backlog.mapping import (
    COMPLAINT,
    DAYS,
    IDS,
    LISTS,
    MOMENTS,
    OTHERWISE,
    PLACES,
    BacklogMapping,
    Source,
)
from schemas.app_values import FLAGS, point_of, shortened
from schemas.flaw import printable

Flaws = list[tuple[str, str]]
"""(member, sentence) pairs; the sentence begins with a verb."""
LONGEST_REFERENCE: Final = 200
_WITH_STEP: Final = {"answer": "answered", "rejection_reason": "rejected",
                     "closing_reason": "closed", "closing_text": "closed"}  # fmt: skip
"""Members whose default stands only where the step itself is dated."""


@dataclass(frozen=True, slots=True)
class OldCase:
    """What a row says: a document of the schema `complaint`, and what became of it."""

    document: dict[str, Any]
    submitted: Moment
    history: History


@dataclass(slots=True)
class _Read:
    members: dict[str, Any] = field(default_factory=dict)
    flaws: Flaws = field(default_factory=list)


class RowReader:
    """Reads rows by one mapping. Pure."""

    def __init__(self, mapping: BacklogMapping) -> None:
        self._mapping = mapping
        self._layout = mapping.layout
        self._ways: dict[str, Callable[[Cell], Any]] = {
            member: self._way(member) for member in (*mapping.columns, *mapping.defaults)
        }

    def read(self, cells: Mapping[str, Cell]) -> OldCase | Flaws:
        """`cells` by column name; a column that the row lacks counts as empty."""
        read = _Read()
        for member, source in self._mapping.columns.items():
            try:
                value = self._value(member, source, cells.get(source.column))
            except CellRefused as refused:
                read.flaws.append((member, str(refused)))
                continue
            if value is not None:
                read.members[member] = value
        self._fill(read)
        if "submitted_at" not in read.members and not any(name == "submitted_at" for name, _ in read.flaws):
            read.flaws.append(("submitted_at", "is empty. Write when the complaint was submitted."))
        if read.flaws:
            return read.flaws
        return OldCase(self._document(read.members), read.members["submitted_at"], _history(read.members))

    def reference(self, cells: Mapping[str, Cell]) -> str | None:
        """The row's reference, to find it by; None where there is none that may be repeated."""
        try:
            found = text_of(cells.get(self._mapping.columns["reference"].column))
        except CellRefused:
            return None
        return printable(found, LONGEST_REFERENCE) if found and is_plain(found) else None

    def _value(self, member: str, source: Source, cell: Cell) -> Any:
        words = self._mapping.values.get(member)
        if member in FLAGS:
            cell = bit_of(cell)
        if words is not None and not isinstance(cell, list):
            found = _translated(member, words, "" if is_empty(cell) else text_of(cell))
            if found is None:
                return None
            return self._ways[member](found)
        if is_empty(cell):
            return None
        value = self._ways[member](cell)
        if words is not None and isinstance(value, list):
            value = [_translated(member, words, each) for each in value]
        return shortened(value, source.first) if source.first and isinstance(value, str) else value

    def _way(self, member: str) -> Callable[[Cell], Any]:
        zone, dates = self._layout.time_zone, self._layout.dates
        if member in MOMENTS:
            return lambda cell: moment_of(cell, zone, dates)
        if member in DAYS:
            return lambda cell: day_of(cell, zone, dates)
        if member in LISTS:
            return lambda cell: parts_of(cell, self._layout.separator)
        if member in FLAGS:
            return flag_of
        if member in PLACES:
            return coordinate_of
        if member == "reporter.phone":
            return phone_of
        return id_of if member in IDS or member.startswith("external_ids.") else text_of

    def _fill(self, read: _Read) -> None:
        """Defaults, where the column is empty or there is none."""
        refused = {name for name, _ in read.flaws}
        for member, raw in self._mapping.defaults.items():
            step = _WITH_STEP.get(member)
            if member in read.members or member in refused or (step and f"{step}_at" not in read.members):
                continue
            try:
                read.members[member] = self._ways[member](raw if isinstance(raw, (list, bool)) else str(raw))
            except CellRefused as why:
                read.flaws.append((member, str(why)))

    def _document(self, members: dict[str, Any]) -> dict[str, Any]:
        document: dict[str, Any] = {
            "source": {"agency": self._layout.agency},
            "confidential": False,
            "reporter": {"anonymous": False},
        }
        extras: dict[str, Any] = {}
        for member, value in members.items():
            group, _, name = member.partition(".")
            if member == "reference":
                document["source"]["reference"] = value
            elif member == "submitted_at":
                document[member] = _written(value.at)
            elif group == "extensions":
                extras[name] = value
            elif group == "external_ids":
                document.setdefault(group, []).append({"system": name, "id": value})
            elif member in COMPLAINT and name and member not in PLACES:
                document.setdefault(group, {})[name] = value
            elif member in COMPLAINT and not name:
                document[member] = value
        _locate(document, members)
        if extras:
            document["extensions"] = {self._layout.agency: extras}
        return document


def _history(members: dict[str, Any]) -> History:
    moments = {step: members[f"{step}_at"] for step in STEPS if f"{step}_at" in members}
    words = ("answer", "rejection_reason", "closing_text")
    texts: dict[str, str] = {name: members[name] for name in words if name in members}
    return History(members.get("status"), moments, texts, members.get("closing_reason"))


def _translated(member: str, words: dict[str, Any], text: str) -> Any:
    """The hub's word for the file's: None for an empty cell that has none."""
    if text in words:
        return words[text]
    if not text:
        return None
    if OTHERWISE in words:
        return words[OTHERWISE]
    if member == "status" and text in STATUSES:
        return text
    seen = f" ({printable(text)})" if len(text) <= 60 and is_plain(text) else ""
    raise CellRefused(
        f'holds a word{seen} that [values.{member}] does not translate. Add it there, or "*" for all others.'
    )


def _locate(document: dict[str, Any], members: dict[str, Any]) -> None:
    latitude, longitude = (members.get(place) for place in PLACES)
    if latitude is None or longitude is None:
        return
    if (point := point_of(latitude, longitude)) is not None:
        document.setdefault("location", {})["point"] = point


def _written(at: datetime) -> str:
    """Whole seconds where there are no others."""
    moment = at.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace(
        "+00:00", "Z"
    )
