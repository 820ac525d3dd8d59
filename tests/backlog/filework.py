"""What the tests of a backlog's files share: a mapping, a good row, and what is read of a file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hub.service.backlog.files import Row, rows_of
from hub.service.backlog.mapping import read_mapping
from hub.service.backlog.rows import OldCase, RowReader
from hub.service.backlog.xlsx import sheet_rows

HEAD = ["no", "isi", "tgl", "nik", "hp"]
TOML = """
[import]
agency = "pemkab-kotim"
{more}
[columns]
reference = "no"
description = "isi"
submitted_at = "tgl"
reporter.national_id = "nik"
reporter.phone = "hp"
[defaults]
title = "Laporan lama"
category = "other"
"""
GOOD = ["A1", "Jalan rusak.", "2019-03-04 09:15", "6202014107890001", "081250000431"]


def read(path: Path, more: str = "") -> dict[int, Any]:
    """Row -> the complaint that it becomes, what is wrong with its members, or why it cannot be read."""
    mapping = read_mapping(tomllib.loads(TOML.format(more=more)), path.suffix)
    reader = RowReader(mapping)

    def made(row: Row) -> Any:
        if row.wrong is not None:
            return row.wrong
        old = reader.read(row.cells)
        return old.document if isinstance(old, OldCase) else dict(old)

    return {row.number: made(row) for row in rows_of(path, mapping)}


def cells(path: Path) -> dict[int, list[Any]]:
    """A spreadsheet's rows by number."""
    return dict(sheet_rows(path, None))
