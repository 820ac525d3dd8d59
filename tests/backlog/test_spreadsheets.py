"""What stands in real spreadsheets: dates of two epochs, rounded numbers, formulas, errors, titles above
the header."""

from __future__ import annotations

import warnings
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.styles import Border, Side

from hub.errors import CommandRefused
from hub.service.backlog.cells import SheetNumber, Unreadable
from tests.backlog import sheetwork as sheet
from tests.backlog.filework import GOOD, HEAD, cells, read
from tests.backlog.sheetwork import make_sheet, repack


def test_xlsx_dates_texts_and_numbers(tmp_path: Path) -> None:
    one, two = "Jalan rusak.", sheet.number("6202014107890000")
    path = make_sheet(
        tmp_path / "lama.xlsx",
        {
            1: HEAD,
            2: [
                "A1",
                "Jalan\nrusak_x0041_.",
                sheet.date(43528.385416666664),
                "6202014107890001",
                "081250000431",
            ],
            3: [sheet.number("431"), sheet.inline(one), sheet.date(43528)],
            5: ["A3", one, sheet.number("43528"), two, sheet.number("81250000431")],
            6: ["A4", sheet.formula("A1", one, "str"), sheet.formula("TODAY()", None), sheet.error()],
            7: [None, "  "],
            9: ["A5", one, "04/03/2019", sheet.number("6.20201410789E+15"), sheet.number("6281250000431")],
            10: ["A6", one, sheet.number("43528", "2"), None, '<c r="@" t="b"><v>1</v></c>'],
        },
    )
    found = read(path, 'dates = ["%d/%m/%Y"]')
    assert found.keys() == {2, 3, 5, 6, 9, 10}
    assert found[2]["submitted_at"] == "2019-03-04T02:15:00Z"
    assert found[2]["description"] == "Jalan\nrusakA."
    assert found[2]["reporter"] == {
        "anonymous": False,
        "national_id": "6202014107890001",
        "phone": "081250000431",
    }
    assert found[3]["source"]["reference"] == "431" and found[3]["description"] == "Jalan rusak."
    assert found[3]["submitted_at"] == "2019-03-03T17:00:00Z"
    assert "number and no date" in found[5]["submitted_at"]
    assert "more digits" in found[5]["reporter.national_id"] and "leading zero" in found[5]["reporter.phone"]
    assert found[6].keys() == {"submitted_at", "reporter.national_id"}
    assert "without its result" in found[6]["submitted_at"] and "#REF!" in found[6]["reporter.national_id"]
    assert found[9].keys() == {"reporter.national_id"}
    assert "no date" in found[10]["submitted_at"]


def test_xlsx_with_a_merged_title_above_the_header(tmp_path: Path) -> None:
    path = make_sheet(tmp_path / "lama.xlsx", {1: ["Rekap aduan 2019"], 3: HEAD, 4: GOOD},
                      more='<mergeCells count="1"><mergeCell ref="A1:E1"/></mergeCells>')  # fmt: skip
    assert read(path, "header_row = 3")[4]["source"]["reference"] == "A1"
    with pytest.raises(CommandRefused, match="header_row"):
        read(path)
    assert read(path, 'header_row = 3\nsheet = "Aduan"').keys() == {4}
    with pytest.raises(CommandRefused, match="There are: Aduan"):
        read(path, 'sheet = "Lain"')


def test_xlsx_from_an_old_mac(tmp_path: Path) -> None:
    path = make_sheet(
        tmp_path / "lama.xlsx", {1: HEAD, 2: ["A1", "x", sheet.date(43528 - 1462)]}, date1904=True
    )
    assert read(path)[2]["submitted_at"] == "2019-03-03T17:00:00Z"


def test_what_a_program_writes(tmp_path: Path) -> None:
    """Bordered empty cells are no formulas; rows and columns that are left out stay empty."""
    book = Workbook()
    page = book.active
    page.append(["a", 431, 0.1, True, date(2019, 3, 4), datetime(2019, 3, 4, 9, 15), None, "=B1+1"])
    page["G1"].border = page["A4"].border = Border(top=Side("thin"))
    page["C6"], page["D6"], page["E6"] = "=C1", "x", "#N/A"
    page["F6"] = timedelta(hours=30)
    book.save(tmp_path / "a.xlsx")
    found = cells(tmp_path / "a.xlsx")
    assert found.keys() == {1, 6}
    assert found[1][:7] == ["a", "431", "0.1", True, datetime(2019, 3, 4), datetime(2019, 3, 4, 9, 15), None]
    assert isinstance(found[1][1], SheetNumber) and isinstance(found[1][2], SheetNumber)
    wrong = [found[1][7], *(found[6][place] for place in (2, 4, 5))]
    assert all(isinstance(cell, Unreadable) for cell in wrong)
    words = ["formula", "formula", "error", "duration"]
    assert all(word in cell for word, cell in zip(words, wrong, strict=True))
    assert (found[6][0], found[6][3]) == (None, "x") and not isinstance(found[6][3], Unreadable)


def test_formulas_are_found_in_whatever_row_they_stand(tmp_path: Path) -> None:
    """With their results, without, with an empty text as result, and shared."""
    empty, shared = sheet.number("", "2"), '<c r="@"><f t="shared" si="0"{}/></c>'
    path = make_sheet(
        tmp_path / "a.xlsx",
        {
            1: ["x", sheet.formula("A1", "7")],
            2: [empty, sheet.formula("A1", "7")],
            4: [sheet.formula("A1", None), empty, sheet.formula("A1", "", "str"), sheet.formula("A1", "7")],
            9: ['<c r="@"><f t="shared" ref="A9:A10" si="0">B9</f></c>', sheet.number("1")],
            10: [shared.replace("{}", ""), empty, sheet.error()],
        },
    )
    found = cells(path)
    unsaved = {(n, at) for n, row in found.items() for at, cell in enumerate(row) if "formula" in str(cell)}
    assert unsaved == {(4, 0), (9, 0), (10, 0)}
    assert (found[1], found[2]) == (["x", "7"], [None, "7"]) and found[4][1:] == [None, None, "7"]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("123456789012345", "123456789012345"),
        ("1.23456789012345E+14", "123456789012345"),
        ("431.0", "431"),
        ("1234567890123456", "more digits"),
        ("6202014107890001", "more digits"),
        ("6.20201410789E+15", "more digits"),
        ("1e400", "too large"),
    ],
)
def test_whole_numbers_are_exact_or_refused(tmp_path: Path, raw: str, told: str) -> None:
    found = read(make_sheet(tmp_path / "a.xlsx", {1: HEAD, 2: [sheet.number(raw), *GOOD[1:3]]}))[2]
    if told.isdigit():
        assert found["source"]["reference"] == told
    else:
        assert told in found["reference"] and (told == "too large" or "the format Text" in found["reference"])


@pytest.mark.parametrize(
    ("serial", "moment"),
    [
        (43528.38542, datetime(2019, 3, 4, 9, 15)),
        (43527.999999, datetime(2019, 3, 4)),
        (59, datetime(1900, 2, 28)),
        (61, datetime(1900, 3, 1)),
        (2958465.999999, datetime(9999, 12, 31, 23, 59, 59)),
    ],
)
def test_dates_are_to_the_second(tmp_path: Path, serial: float, moment: datetime) -> None:
    assert cells(make_sheet(tmp_path / "a.xlsx", {1: [sheet.date(serial)]})) == {1: [moment]}


def test_a_time_and_a_date_that_there_is_none_of(tmp_path: Path) -> None:
    path = make_sheet(tmp_path / "a.xlsx", {1: HEAD, 2: ["A1", "x", sheet.date(0.5)],
                                            3: ["A2", "x", sheet.date(1e9)]})  # fmt: skip
    with warnings.catch_warnings(record=True) as warned:
        found = read(path)
    assert "without a day" in found[2]["submitted_at"] and "Correct the cell" in found[3]["submitted_at"]
    assert not warned  # a warning would repeat what stands in the cell


def test_a_wrong_dimension_cuts_nothing_off(tmp_path: Path) -> None:
    path = make_sheet(tmp_path / "a.xlsx", {1: HEAD, 2: GOOD})
    repack(path, "xl/worksheets/sheet1.xml",
           lambda data: data.replace(b"<sheetData>", b'<dimension ref="A1"/><sheetData>'))  # fmt: skip
    assert cells(path) == {1: HEAD, 2: GOOD}


def test_line_breaks_that_xml_cannot_hold(tmp_path: Path) -> None:
    assert cells(
        make_sheet(tmp_path / "a.xlsx", {1: ["Jalan_x000D_\nrusak", sheet.inline("a_x0009_b")]})
    ) == {1: ["Jalan\r\nrusak", "a\tb"]}
