"""A backlog's file as a stream of rows: CSV and NDJSON here, XLSX in `xlsx.py`. Memory does not grow
with the rows; one that cannot be read is told, and the next one is read."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from hub.errors import CommandRefused, NotJson
from hub.service.backlog.cells import Cell, Number
from hub.service.backlog.mapping import BacklogMapping
from hub.service.backlog.xlsx import sheet_rows
from hub.service.strict_json import parse

LONGEST_CELL: Final = 1 << 20
LONGEST_LINE: Final = 4 << 20
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS: Final = {";": '";"', "\t": r'"\t"', ",": '","', "|": '"|"'}
"""What programs part columns by, as TOML writes it; Excel saves `;` where the comma is the decimal sign."""


@dataclass(slots=True)
class Row:
    """`number` as a person counts: a spreadsheet's row, the header's included; a line of NDJSON. `wrong` says
    why it could not be read."""

    number: int
    cells: dict[str, Cell] = field(default_factory=dict)
    wrong: str | None = None


def rows_of(path: Path, mapping: BacklogMapping) -> Iterator[Row]:
    """Every row that is not empty. CommandRefused for a file that is not of its format, or whose header does
    not have the mapping's columns."""
    if mapping.layout.format == "ndjson":
        with path.open("rb") as lines:
            yield from _ndjson(path, lines, mapping)
        return
    if mapping.layout.format == "xlsx":
        with closing(sheet_rows(path, mapping.layout.sheet)) as sheet:
            yield from _table(path, ((number, cells, None) for number, cells in sheet), mapping)
        return
    _look(path, mapping)
    csv.field_size_limit(LONGEST_CELL)
    # A byte of another encoding becomes half a surrogate pair, which refuses its row alone.
    with path.open(encoding=mapping.layout.encoding, errors="surrogateescape", newline="") as text:
        yield from _table(path, _csv(path, text, mapping), mapping)


def _look(path: Path, mapping: BacklogMapping) -> None:
    with path.open("rb") as data:
        start = data.read(4)
    if start.startswith(b"PK\x03\x04"):
        raise CommandRefused(f'{path}: is a spreadsheet, not CSV. Set format = "xlsx" under [import].')
    if start.startswith(_UTF16) and not mapping.layout.encoding.startswith("utf-16"):
        raise CommandRefused(f'{path}: is written in UTF-16. Set encoding = "utf-16" under [import].')


Raw = tuple[int, Sequence[Cell], str | None]


def _csv(path: Path, text: IO[str], mapping: BacklogMapping) -> Iterator[Raw]:
    reader = csv.reader(text, delimiter=mapping.layout.delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CommandRefused(
                f"{path}: row {number} cannot be read as CSV ({error}), and where the next one begins is not "
                "known: what stands inside a text must never be taken for a row. Close its quotes, write a "
                f"quote inside a text twice, keep a cell under {csv.field_size_limit():,} characters, and "
                "run again; the rows before it are done."
            ) from error
        except UnicodeError as error:
            raise CommandRefused(
                f"{path}: row {number} is not written in {mapping.layout.encoding} ({error}). Set encoding "
                "under [import]."
            ) from error
        yield number, cells, None


def _table(path: Path, raw: Iterator[Raw], mapping: BacklogMapping) -> Iterator[Row]:
    header = _header(path, raw, mapping)
    ragged = mapping.layout.format == "csv"
    wanted = [(place, name) for place, name in enumerate(header) if name in set(mapping.column_names())]
    for number, cells, wrong in raw:
        if wrong is None and all(
            cell is None or cell == "" or (isinstance(cell, str) and not cell.strip()) for cell in cells
        ):
            continue
        if wrong is None and ragged and len(cells) != len(header):
            wrong = f"has {len(cells)} fields and the header {len(header)}. Quote what holds the delimiter."
        if wrong is not None:
            yield Row(number, wrong=wrong)
            continue
        yield Row(number, {name: cells[place] for place, name in wanted if place < len(cells)})


def _header(path: Path, raw: Iterator[Raw], mapping: BacklogMapping) -> list[str]:
    """The columns' names, in their places; those that the mapping wants are there, and once."""
    first = next((each for each in raw if each[0] >= mapping.layout.header_row), None)
    if first is None:
        raise CommandRefused(f"{path}: has no row {mapping.layout.header_row} with the columns' names.")
    if first[2] is not None:
        raise CommandRefused(f"{path}: row {first[0]}, which should hold the columns' names, {first[2]}")
    names = [" ".join(cell.split()) if isinstance(cell, str) else "" for cell in first[1]]
    wanted = mapping.column_names()
    if missing := [name for name in wanted if name not in names]:
        raise CommandRefused(f"{path}: {_missing(missing, first[0], names, first[1], mapping)}")
    if doubled := [name for name in wanted if names.count(name) > 1]:
        what = "the column" if len(doubled) == 1 else "each of the columns"
        raise CommandRefused(f"{path}: {what} {_listed(doubled)} is there twice. Rename one of them.")
    return names


def _missing(
    missing: list[str], number: int, names: list[str], cells: Sequence[Cell], mapping: BacklogMapping
) -> str:
    there = _listed([name for name in names if name]) or "none"
    if mapping.layout.format == "csv" and (line := _other_delimiter(cells, mapping.layout.delimiter)):
        return (
            f"the whole of row {number} is one column, {there}: this file parts its columns by something "
            f"else. Add to the mapping, under [import]: delimiter = {line}"
        )
    what = "is no column" if len(missing) == 1 else "are no columns"
    return (
        f"there {what} {_listed(missing)} in row {number}. There are: {there}. Correct [columns], or the "
        "delimiter or header_row under [import]."
    )


def _other_delimiter(cells: Sequence[Cell], used: str) -> str | None:
    """As TOML writes it: what most likely parts a header that was read as a single column."""
    if len(cells) != 1 or not isinstance(cells[0], str):
        return None
    header = cells[0]
    likeliest = max((each for each in _DELIMITERS if each != used), key=header.count)
    return _DELIMITERS[likeliest] if likeliest in header else None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _ndjson(path: Path, lines: IO[bytes], mapping: BacklogMapping) -> Iterator[Row]:
    names, number = mapping.column_names(), 0
    while line := lines.readline(LONGEST_LINE):
        number += 1
        if number == 1:
            line = line.removeprefix(_BOM)
            if line.lstrip().startswith(b"["):
                raise CommandRefused(f"{path}: is one JSON list; NDJSON has an object a line. "
                                     "`jq -c '.[]'` makes one of the other.")  # fmt: skip
        if not line.endswith(b"\n") and len(line) >= LONGEST_LINE - len(_BOM):
            _skip_rest(lines)
            yield Row(number, wrong=f"is longer than {LONGEST_LINE:,} bytes. Shorten it.")
        elif line.strip():
            yield _object(number, line, names)


def _skip_rest(lines: IO[bytes]) -> None:
    for rest in iter(lambda: lines.readline(LONGEST_LINE), b""):
        if rest.endswith(b"\n"):
            return


def _object(number: int, line: bytes, names: Sequence[str]) -> Row:
    try:
        document = parse(line)
    except NotJson as wrong:
        return Row(number, wrong=f"cannot be read. {wrong.detail.replace('The body', 'The line', 1)}")
    if not isinstance(document, dict):
        return Row(number, wrong="is no JSON object. Write one object a line.")
    return Row(number, {name: _cell(_inside(document, name)) for name in names})


def _inside(document: dict[str, Any], name: str) -> Any:
    """The member, or the one inside it that a dotted name means."""
    if name in document:
        return document[name]
    found: Any = document
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _cell(value: Any) -> Cell:
    if isinstance(value, list):
        return [_cell(each) for each in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Number(repr(value))
    found: Cell = value
    return found
