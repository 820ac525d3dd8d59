"""A spreadsheet's sheet (XLSX), row by row as openpyxl reads it; formulas give the value that was saved with
them. Rows pass; the workbook's shared strings are kept in memory, at about twice their size in the file
unpacked and a hundred bytes for each element: hence the bounds."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from hub.errors import CommandRefused
from hub.service.backlog.cells import Cell, SheetNumber, Unreadable

LARGEST_SHEET: Final = 1 << 30
"""Bytes of a sheet unpacked; of what was read, about a hundred bytes a row stay in memory."""
LARGEST_PART: Final = 1 << 28
"""Bytes of any other part unpacked; the shared strings are one."""
MOST_TAGS: Final = 4_000_000
"""XML tags of any other part, four of which hold a text: a million texts that differ. An element takes about
a hundred bytes of memory, of however few it was unpacked."""
LAST_ROW: Final = 1 << 20
_CHUNK: Final = 1 << 20
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LAST_SECOND: Final = datetime.max.replace(microsecond=0)
_AGAIN: Final = (
    "Open it in the spreadsheet program and save it again as .xlsx, without a password; or export the sheet "
    "as CSV."
)
_ERROR: Final = Unreadable(
    "is an error of the spreadsheet, such as #REF!, or a date beyond the calendar. Correct the cell."
)
_UNSAVED: Final = Unreadable(
    "is a formula without its result. Open the file in the spreadsheet program and save it, or paste the "
    "column as values."
)
_NO_DAY: Final = Unreadable("is a time or a duration without a day. Give the cell its date too.")
SheetRow = tuple[int, list[Cell]]


def sheet_rows(path: Path, name: str | None) -> Generator[SheetRow, None, None]:
    """(row's number, its cells from column A on) of the sheet `name`, or of the first; empty rows are left
    out. The file is closed when the iterator is. CommandRefused for what is no such file, or a part of it
    too large."""
    with closing(_read(path, name)) as rows:
        for number, cells, formulas in rows:
            found = [
                _UNSAVED if place in formulas and _is_bare(cell) else _cell(cell)
                for place, cell in enumerate(cells, 1)
            ]
            if any(cell is not None for cell in found):
                yield number, found


def _read(path: Path, name: str | None) -> Generator[tuple[int, Sequence[Any], frozenset[int]], None, None]:
    """(row's number, openpyxl's cells, the columns of its formulas if a cell in it is bare)."""
    number = 0
    try:
        _check_sizes(path)
        with ExitStack() as stack:
            book = _open(path, stack)
            sheet = _sheet(path, book.wb, name)
            formulas = _Formulas(path, stack, sheet.title, book.shared_strings)
            for number, cells in _numbered(path, sheet):
                bare = any(map(_is_bare, cells))
                yield number, cells, formulas.of_row(number) if bare else frozenset()
    except CommandRefused:
        raise
    except Exception as error:  # openpyxl declares none: whatever a broken part breaks in it comes out
        raise _refusal(path, number, error) from error


def _check_sizes(path: Path) -> None:
    """A zip bomb is refused by the zip's directory; no part is unpacked beyond the size that stands there."""
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            is_sheet = part.filename.startswith("xl/worksheets/")
            most = LARGEST_SHEET if is_sheet else LARGEST_PART
            if part.file_size > most:
                raise CommandRefused(
                    f"{path}: its part {part.filename!r} would be {part.file_size:,} bytes unpacked, and "
                    f"{most:,} are read. Export the sheet as CSV, or split it."
                )
            if not is_sheet and part.filename.endswith((".xml", ".rels")):
                _check_elements(path, archive, part)


def _check_elements(path: Path, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Counted by their tags, a chunk at a time, before anything builds them."""
    tags = 0
    with archive.open(part) as unpacked:
        while chunk := unpacked.read(_CHUNK):
            tags += chunk.count(b"<")
            if tags > MOST_TAGS:
                raise CommandRefused(
                    f"{path}: its part {part.filename!r} holds too many texts: no more than "
                    f"{MOST_TAGS:,} are read of their XML tags. Export the sheet as CSV, or split it."
                )


def _open(path: Path, stack: ExitStack, strings: list[str] | None = None) -> Any:
    """openpyxl's reader, having read all but the rows: for the saved values, or, with the shared strings that
    are known already, for the formulas."""
    from openpyxl.reader.excel import ExcelReader  # type: ignore[import-untyped]  # slow; few commands need it

    # They are of styles and charts, which nobody here reads, and one repeats what stands in the cell.
    warnings.filterwarnings("ignore", module=r"openpyxl\.")
    file = stack.enter_context(path.open("rb"))
    reader = ExcelReader(file, read_only=True, data_only=strings is None, keep_links=False)
    if strings is not None:
        reader.read_strings, reader.shared_strings = (lambda: None), strings
    reader.read()
    stack.callback(reader.wb.close)
    return reader


def _sheet(path: Path, book: Any, name: str | None) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if name is not None and name not in sheets:
        raise CommandRefused(f"{path}: there is no sheet {name!r}. There are: {', '.join(sheets)}.")
    if not sheets:
        raise CommandRefused(f"{path}: holds no sheet.")
    return sheets[next(iter(sheets)) if name is None else name]


def _numbered(path: Path, sheet: Any) -> Generator[tuple[int, Sequence[Any]], None, None]:
    sheet.reset_dimensions()  # some programs write wrong ones, by which columns would be cut off
    with closing(sheet.iter_rows()) as rows:
        for number, cells in enumerate(rows, 1):
            if number > LAST_ROW:
                raise CommandRefused(f"{path}: has a row beyond row {LAST_ROW:,}. {_AGAIN}")
            yield number, cells


class _Formulas:
    """Where formulas stand. openpyxl gives results or formulas, so the sheet is read a second time, from the
    first row that has a bare cell: one that is there, and is empty or a formula without its result."""

    def __init__(self, path: Path, stack: ExitStack, title: str, strings: list[str]) -> None:
        self._path, self._stack, self._title, self._strings = path, stack, title, strings
        self._rows: Iterator[tuple[int, Sequence[Any]]] | None = None

    def of_row(self, number: int) -> frozenset[int]:
        """The columns; rows are asked for in their order."""
        if self._rows is None:
            book = _open(self._path, self._stack, self._strings).wb
            self._rows = self._stack.enter_context(closing(_numbered(self._path, book[self._title])))
        cells = next(cells for place, cells in self._rows if place == number)
        return frozenset(place for place, cell in enumerate(cells, 1) if cell.data_type == "f")


def _is_bare(cell: Any) -> bool:
    """Written in the file without a value; a cell that is not written has no row. A text may be empty."""
    return cell.value is None and cell.data_type in ("n", "b", "d") and hasattr(cell, "row")


def _refusal(path: Path, number: int, error: Exception) -> CommandRefused:
    """Without the error's words, which may repeat what stands in a cell."""
    from defusedxml import DefusedXmlException  # type: ignore[import-untyped]

    cause = error.__cause__ or error
    if isinstance(cause, DefusedXmlException):
        return CommandRefused(
            f"{path}: declares XML entities, which no spreadsheet program does. Save it anew."
        )
    where = f" after row {number:,}" if number else ""
    return CommandRefused(f"{path}: cannot be read as XLSX{where} ({type(cause).__name__}). {_AGAIN}")


def _cell(cell: Any) -> Cell:
    value = cell.value
    if cell.data_type == "e":
        return _ERROR
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _unescaped(value)
    if isinstance(value, (int, float)):
        return SheetNumber(repr(value))
    if isinstance(value, datetime):
        return _to_the_second(value)
    return datetime.combine(value, time()) if isinstance(value, date) else _NO_DAY


def _to_the_second(value: datetime) -> datetime:
    """That is all that a spreadsheet means: it counts in fractions of a day."""
    whole = value.replace(microsecond=0)
    late = value.microsecond >= 500_000 and whole < _LAST_SECOND
    return whole + timedelta(seconds=1) if late else whole


def _unescaped(text: str) -> str:
    """`_x000D_` stands for a character that XML cannot hold (ECMA-376 part 1, 22.9.2.19)."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
