"""Spreadsheets that are broken, locked, or made to harm: one sentence, and nothing is left open."""

from __future__ import annotations

import gc
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import CommandRefused
from hub.service.backlog import xlsx
from hub.service.backlog.xlsx import sheet_rows
from tests.backlog import sheetwork as sheet
from tests.backlog.filework import GOOD, HEAD, cells, read
from tests.backlog.sheetwork import make_sheet, repack


def test_xlsx_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lama.xlsx"
    path.write_bytes(b"no,isi\n")
    with pytest.raises(CommandRefused, match="save it again"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(CommandRefused, match="cannot be read as XLSX"):
        read(path)
    make_sheet(path, {1: HEAD, 2: GOOD}, prefix=b'<!DOCTYPE x [<!ENTITY a "b">]>')
    with pytest.raises(CommandRefused, match="entities"):
        read(path)
    cut = make_sheet(path, {1: HEAD, 2: GOOD}).read_bytes()
    path.write_bytes(cut[: len(cut) // 2])
    with pytest.raises(CommandRefused, match="save it again"):
        read(path)


def test_a_file_with_a_password(tmp_path: Path) -> None:
    """Office Open XML under a password is a compound file, as an old .xls is."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2048))
    with pytest.raises(CommandRefused, match="without a password") as refused:
        cells(path)
    assert "\n" not in str(refused.value)


BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
PARTS = ["[Content_Types].xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml",
         "xl/worksheets/sheet1.xml"]  # fmt: skip


@pytest.mark.parametrize("declared", [BOMB, OUTSIDE])
@pytest.mark.parametrize("part", PARTS)
def test_no_part_declares_entities(tmp_path: Path, part: str, declared: bytes) -> None:
    path = repack(make_sheet(tmp_path / "a.xlsx", {1: HEAD, 2: GOOD}), part, declared.__add__)
    with pytest.raises(CommandRefused, match="entities"):
        cells(path)


@pytest.mark.parametrize(
    ("bound", "part"), [("LARGEST_SHEET", PARTS[-1]), ("LARGEST_PART", "xl/sharedStrings.xml")]
)
def test_what_would_unpack_to_too_much_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, part: str
) -> None:
    monkeypatch.setattr(xlsx, bound, 100_000)
    path = make_sheet(tmp_path / "a.xlsx", {1: HEAD, 2: GOOD})
    assert cells(path)
    repack(path, part, lambda data: data + b" " * 100_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(CommandRefused, match=f"{part}.*100,000 are read"):
        cells(path)


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/styles.xml"])
def test_many_small_elements_are_counted_before_they_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Each costs some hundred bytes of memory, and unpacks from next to none."""
    monkeypatch.setattr(xlsx, "MOST_TAGS", 10_000)
    path = make_sheet(tmp_path / "a.xlsx", {1: HEAD, 2: GOOD})
    assert cells(path)
    repack(path, part, lambda data: data.replace(b"</s", b"<si/>" * 10_001 + b"</s"))
    assert path.stat().st_size < 10_000
    with pytest.raises(CommandRefused, match=f"{part}.*10,000 are read.*CSV"):
        cells(path)


def test_a_directory_that_lies_about_a_size_bounds_it_all_the_same(tmp_path: Path) -> None:
    path = make_sheet(tmp_path / "a.xlsx", {1: HEAD, 2: GOOD})
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"xl/worksheets/sheet1.xml") - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    data[entry + 24 : entry + 28] = struct.pack("<I", 200)
    path.write_bytes(data)
    with pytest.raises(CommandRefused, match="cannot be read as XLSX"):
        cells(path)


def test_a_row_beyond_the_last(tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="beyond row 1,048,576"):
        cells(make_sheet(tmp_path / "a.xlsx", {1: HEAD, 4_000_000_000: GOOD}))


def test_what_is_broken_in_the_middle_says_where_and_repeats_nothing(tmp_path: Path) -> None:
    path = make_sheet(tmp_path / "a.xlsx", {1: HEAD, 2: GOOD, 3: [sheet.number("6202014107890001a")]})
    with pytest.raises(CommandRefused, match=r"after row 2 \(ValueError\)") as refused:
        cells(path)
    assert "6202014107890001" not in str(refused.value)


@given(st.data())
def test_no_damage_breaks_the_reading(data: st.DataObject) -> None:
    """One sentence, whatever was changed in whichever part, or in the zip itself."""
    with TemporaryDirectory() as folder:
        path = make_sheet(Path(folder) / "a.xlsx", {1: HEAD, 2: GOOD, 3: [sheet.formula("A1", None)]})

        def damaged(content: bytes) -> bytes:
            start = data.draw(st.integers(0, len(content) - 1))
            length = data.draw(st.integers(0, 40))
            return content[:start] + data.draw(st.binary(max_size=20)) + content[start + length :]

        if part := data.draw(st.sampled_from(["", *PARTS, "xl/_rels/workbook.xml.rels"])):
            repack(path, part, damaged)
        else:
            path.write_bytes(damaged(path.read_bytes()))
        try:
            cells(path)
        except CommandRefused as refused:
            assert len(str(refused).splitlines()) == 1


def test_the_file_is_closed_at_the_end(tmp_path: Path) -> None:
    """Read to its end, left in the middle, refused; with the formulas' second reading and without."""

    def is_open() -> bool:
        return any(
            link.resolve() == path for link in Path("/proc/self/fd").iterdir() if os.path.lexists(link)
        )

    path = make_sheet(
        tmp_path / "a.xlsx",
        {
            1: HEAD,
            2: [sheet.formula("A1", None)],
            **dict.fromkeys(range(3, 99), GOOD),
            99: [sheet.number("x")],
        },
    )
    gc.disable()
    try:
        rows = sheet_rows(path, None)
        assert [next(rows)[0] for _ in range(3)] == [1, 2, 3] and is_open()
        rows.close()  # type: ignore[attr-defined]
        assert not is_open()
        kept = sheet_rows(path, None)
        with pytest.raises(CommandRefused):
            list(kept)
        assert not is_open()
        with pytest.raises(CommandRefused):
            list(sheet_rows(path, "Lain"))
        assert not is_open()
        make_sheet(path, {1: HEAD, 2: [sheet.formula("A1", None)]})
        assert cells(path) and not is_open()
    finally:
        gc.enable()


def test_the_library_is_loaded_for_a_spreadsheet_only() -> None:
    """It takes a tenth of a second and more; `simpul import` of a CSV does without it too."""
    code = (
        "import sys, hub.cli.importing; sys.exit(any(m in sys.modules for m in ('openpyxl', 'defusedxml')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
