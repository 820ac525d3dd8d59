"""The mapping of a backlog's file: a TOML with [import], [columns], [defaults] and [values.<member>], read
and checked. What it does not know it refuses, naming what would be right."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.domain.agency import DEFAULT_TIME_ZONE
from hub.errors import CommandRefused
from schemas.app_values import FLAGS

FORMATS: Final = ("csv", "xlsx", "ndjson")
LISTS: Final = ("tags", "addressed_to")
IDS: Final = ("reference", "reporter.national_id")
DAYS: Final = ("occurred_on",)
PLACES: Final = ("location.latitude", "location.longitude")
MOMENTS: Final = ("submitted_at", "verified_at", "answered_at", "rejected_at", "closed_at")
COMPLAINT: Final = (
    "reference", "title", "description", "category", "classification", "channel", *LISTS, "submitted_at",
    *DAYS, "source.url", "location.region", "location.address", *PLACES,
    "reporter.name", "reporter.phone", "reporter.email", "reporter.national_id", *FLAGS,
)  # fmt: skip
HISTORY: Final = ("status", *MOMENTS[1:], "answer", "rejection_reason", "closing_reason", "closing_text")
OPEN: Final = ("extensions.", "external_ids.")
"""Before a name of the operator's own: what has no place of its own in a complaint."""
NEEDED: Final = ("reference", "description", "submitted_at")
OTHERWISE: Final = "*"
"""In [values.<member>]: whatever is not listed."""
STANDING: Final[dict[str, Any]] = {"classification": "complaint", "channel": "web"}
"""What a complaint says where neither a column nor a default does."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a member comes from; `first` > 0 takes so many characters of it, on one line."""

    column: str
    first: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """[import]: whose file it is, and how it is written."""

    agency: str
    format: str
    encoding: str
    delimiter: str
    sheet: str | None
    header_row: int
    time_zone: ZoneInfo
    dates: tuple[str, ...]
    separator: str


@dataclass(frozen=True, slots=True)
class BacklogMapping:
    """The whole mapping, checked. `values`: member -> the file's word -> the hub's."""

    layout: Layout
    columns: dict[str, Source]
    defaults: dict[str, Any]
    values: dict[str, dict[str, Any]]

    def column_names(self) -> list[str]:
        return list(dict.fromkeys(source.column for source in self.columns.values()))


def load_mapping(path: Path, file: Path) -> BacklogMapping:
    """The mapping in `path` for the backlog in `file`; CommandRefused names the key and the remedy."""
    try:
        return read_mapping(tomllib.loads(path.read_text("utf-8-sig")), file.suffix)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandRefused(f"{path}: is no TOML file in UTF-8 ({error}).") from error
    except _Wrong as wrong:
        raise CommandRefused(f"{path}: {wrong}") from wrong


def read_mapping(document: Mapping[str, Any], suffix: str) -> BacklogMapping:
    """`suffix`: the file's, such as .csv, by which its format is known where [import] names none."""
    _only(document, ("import", "columns", "defaults", "values"), "")
    for name in document:
        if not isinstance(document[name], dict):
            raise _Wrong(name, f"is a table. Write [{name}].")
    layout = _layout(document.get("import", {}), suffix)
    columns = {name: _source(name, raw) for name, raw in _members(document.get("columns", {}), "columns")}
    defaults = dict(_members(document.get("defaults", {}), "defaults"))
    values = dict(_values(document.get("values", {})))
    for name in NEEDED:
        if name not in columns:
            raise _Wrong(f"columns.{name}", f'is needed. Name the column: {name} = "…".')
    if (PLACES[0] in columns) != (PLACES[1] in columns):
        raise _Wrong("columns.location", "needs both latitude and longitude, or neither.")
    for name in ("title", "category"):
        if name not in columns and name not in defaults:
            raise _Wrong(f"columns.{name}", f"is needed. Name the column, or set {name} under [defaults].")
    for name in values:
        if name not in columns:
            raise _Wrong(
                f"values.{name}", f"translates a column that [columns] does not name. Add {name} there."
            )
    return BacklogMapping(layout, columns, STANDING | defaults, values)


class _Wrong(CommandRefused):
    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(f"{key}: {sentence}")


def _layout(table: Mapping[str, Any], suffix: str) -> Layout:
    known = (
        "agency",
        "format",
        "encoding",
        "delimiter",
        "sheet",
        "header_row",
        "time_zone",
        "dates",
        "separator",
    )
    _only(table, known, "import.")
    if not isinstance(table.get("agency"), str):
        raise _Wrong(
            "import.agency", 'is needed: the id of the agency whose cases these are, such as "pemkab-kotim".'
        )
    format_ = table.get("format") or suffix.lower().lstrip(".").replace("jsonl", "ndjson")
    if format_ not in FORMATS:
        raise _Wrong(
            "import.format", f"is not known from the file's name. Write one of {', '.join(FORMATS)}."
        )
    delimiter, separator = (_one(table, name) for name in ("delimiter", "separator"))
    dates = table.get("dates", [])
    if not isinstance(dates, list) or not all(isinstance(each, str) and "%" in each for each in dates):
        raise _Wrong("import.dates", 'is a list of forms such as ["%d/%m/%Y %H:%M", "%d/%m/%Y"].')
    _try_dates(dates)
    header_row = table.get("header_row", 1)
    if type(header_row) is not int or not 1 <= header_row <= 100:
        raise _Wrong(
            "import.header_row", "is the number of the row that holds the columns' names, from 1 on."
        )
    sheet = table.get("sheet")
    if sheet is not None and not isinstance(sheet, str):
        raise _Wrong("import.sheet", "is a sheet's name in quotes.")
    return Layout(
        table["agency"],
        format_,
        _encoding(table.get("encoding", "utf-8")),
        delimiter,
        sheet,
        header_row,
        _zone(table.get("time_zone", DEFAULT_TIME_ZONE)),
        tuple(dates),
        separator,
    )


def _one(table: Mapping[str, Any], name: str) -> str:
    text = table.get(name, ",")
    if not isinstance(text, str) or len(text) != 1 or text in '\r\n"':
        raise _Wrong(f"import.{name}", 'is one character, such as ";" or "\\t".')
    return text


def _encoding(name: Any) -> str:
    try:
        found = codecs.lookup(name).name
        "a".encode(found)
    except (LookupError, TypeError):
        raise _Wrong("import.encoding", 'is not known. Write "utf-8", "cp1252" or "utf-16".') from None
    return "utf-8-sig" if found == "utf-8" else found


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise _Wrong("import.time_zone", "is no time zone. Write Asia/Jakarta (WIB), Asia/Makassar (WITA) or "
                                         "Asia/Jayapura (WIT).") from None  # fmt: skip


def _try_dates(forms: list[str]) -> None:
    sample = datetime(2024, 12, 31, 23, 59, 58)
    for form in forms:
        try:
            found = datetime.strptime(sample.strftime(form), form)
        except ValueError:
            raise _Wrong(
                "import.dates", f"{form!r} is no form of a date. Write such as %d/%m/%Y %H:%M."
            ) from None
        if found.date() != sample.date():
            raise _Wrong("import.dates", f"{form!r} does not name day, month and year (%d, %m, %Y).")


def _members(table: Mapping[str, Any], where: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted member -> what stands there, of a table whose groups may be written either way."""
    for name, raw in table.items():
        member = f"{prefix}{name}"
        if member in COMPLAINT or member in HISTORY or member.startswith(OPEN):
            yield member, raw
        elif isinstance(raw, dict) and not prefix and f"{name}." in _groups():
            yield from _members(raw, where, f"{name}.")
        else:
            known = ", ".join((*COMPLAINT, *HISTORY, *(f"{group}<name>" for group in OPEN)))
            raise _Wrong(f"{where}.{member}", f"is no member that an old case has. There are {known}.")


def _groups() -> set[str]:
    return {name.partition(".")[0] + "." for name in COMPLAINT if "." in name} | set(OPEN)


def _source(member: str, raw: Any) -> Source:
    if isinstance(raw, str) and raw:
        return Source(raw)
    if isinstance(raw, dict) and set(raw) <= {"column", "first"} and isinstance(raw.get("column"), str):
        first = raw.get("first", 0)
        if type(first) is int and first >= 0:
            return Source(raw["column"], first)
    raise _Wrong(f"columns.{member}", 'is a column\'s name in quotes, or { column = "isi", first = 80 }.')


def _values(table: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in table.items():
        grouped = f"{name}." in _groups() and isinstance(inner, dict)
        pairs = [(f"{name}.{each}", inner[each]) for each in inner] if grouped else [(name, inner)]
        for member, words in pairs:
            list(_members({member: words}, "values"))
            if not isinstance(words, dict):
                raise _Wrong(
                    f"values.{member}",
                    f'is a table of words: [values.{member}] with lines such as "Selesai" = "closed".',
                )
            yield member, words


def _only(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in table:
        if name not in known:
            raise _Wrong(f"{where}{name}", f"is not known here. There are {', '.join(known)}.")
