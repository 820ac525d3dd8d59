"""What stands in real exports as CSV and NDJSON: other encodings, quoted line breaks, cut rows."""

from __future__ import annotations

import gc
import json
import tomllib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.errors import CommandRefused
from hub.service.backlog.cells import CellRefused, day_of, moment_of
from hub.service.backlog.files import rows_of
from hub.service.backlog.mapping import read_mapping
from tests.backlog import sheetwork as sheet
from tests.backlog.filework import GOOD, HEAD, TOML, read
from tests.backlog.sheetwork import make_sheet


def csv_file(folder: Path, *lines: str, encoding: str = "utf-8", end: str = "\r\n") -> Path:
    path = folder / "lama.csv"
    path.write_bytes(end.join([",".join(HEAD), *lines, ""]).encode(encoding))
    return path


# --- CSV ------------------------------------------------------------------------------------------


def test_csv_with_a_bom_line_breaks_and_quotes(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'A1,"Jalan\nrusak, ""parah"".",2019-03-04,,', encoding="utf-8-sig")
    assert read(path)[2]["description"] == 'Jalan\nrusak, "parah".'
    assert read(path)[2]["submitted_at"] == "2019-03-03T17:00:00Z"


def test_csv_with_semicolons_and_cp1252(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "A1,Warga menyebut “kafé”.,2019-03-04,,".replace(",", ";"), encoding="cp1252")
    path.write_bytes(path.read_bytes().replace(b"no,isi,tgl,nik,hp", b"no;isi;tgl;nik;hp"))
    found = read(path, 'delimiter = ";"\nencoding = "cp1252"')
    assert found[2]["description"] == "Warga menyebut “kafé”."


def test_csv_in_another_encoding_refuses_its_row_alone(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "A1,kafé,2019-03-04,,", "A2,kafe,2019-03-04,,", encoding="latin-1")
    found = read(path)
    assert "encoding" in found[2]["description"] and found[3]["description"] == "kafe"


def test_csv_rows_with_too_few_and_too_many_fields(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, "A1,Jalan rusak.,2019-03-04", "", ",,,,", ",".join(GOOD), "A3,Jalan, rusak,2019-03-04,,"
    )
    found = read(path)
    assert found.keys() == {2, 5, 6}
    assert found[2].startswith("has 3 fields and the header 5") and found[6].startswith("has 6 fields")
    assert found[5]["reporter"]["phone"] == "081250000431"


def test_csv_with_nul_bytes(tmp_path: Path) -> None:
    found = read(csv_file(tmp_path, "A1,Jalan\x00 rusak.,2019-03-04,,"))
    assert found[2]["description"] == "Jalan rusak."


@pytest.mark.parametrize(
    "bad",
    [
        'A2,"Jalan" rusak,2019-03-04,,',
        'A2,"' + "x" * (2 << 20) + '\nPALSU,dari warga,2020-03-05,,\n",2019-03-04,,',
        'A2,"Jalan rusak,2019-03-04,,',
    ],
)
def test_what_stands_inside_a_text_is_never_taken_for_a_row(tmp_path: Path, bad: str) -> None:
    """After a row that cannot be read nobody knows where the next one begins."""
    with pytest.raises(CommandRefused, match=r"row 3 cannot be read as CSV .* Close its quotes"):
        read(csv_file(tmp_path, ",".join(GOOD), bad, ",".join(GOOD)))


@pytest.mark.parametrize(
    ("read_cell", "cell"),
    [(moment_of, "0001-01-01"), (moment_of, "01/01/0001"), (day_of, "9999-12-31T23:00:00Z")],
)
def test_the_ends_of_the_calendar_are_a_refusal(read_cell: Callable[..., Any], cell: str) -> None:
    """Old programs put them where there is no date."""
    with pytest.raises(CellRefused, match="no date that the calendar knows"):
        read_cell(cell, ZoneInfo("Asia/Jakarta"), ("%d/%m/%Y",))


def test_csv_that_is_none(tmp_path: Path) -> None:
    files = {
        b"PK\x03\x04rest": 'format = "xlsx"',
        "no,isi".encode("utf-16"): 'encoding = "utf-16"',
        b"": "no row 1",
        b"no;isi;tgl;nik;hp\n": 'delimiter = ";"',
        b"no,isi,tgl\n": "no columns 'nik', 'hp' in row 1",
        b"judul laporan 2019\n": "no columns 'no', 'isi', 'tgl', 'nik', 'hp' in row 1",
        b"no,isi,tgl,nik,nik,hp\n": "twice",
    }
    for data, words in files.items():
        path = tmp_path / "x.csv"
        path.write_bytes(data)
        with pytest.raises(CommandRefused, match=words):
            read(path)


# --- NDJSON ---------------------------------------------------------------------------------------


def lines(folder: Path, *documents: Any) -> Path:
    path = folder / "lama.ndjson"
    path.write_bytes(b"\n".join(d if isinstance(d, bytes) else json.dumps(d).encode() for d in documents))
    return path


def test_ndjson_numbers_and_bad_lines(tmp_path: Path) -> None:
    good = dict(zip(HEAD, GOOD, strict=True))
    found = read(
        lines(
            tmp_path,
            b"\xef\xbb\xbf" + json.dumps(good).encode(),
            b'{"no": "A2", ',
            b"",
            b"[1]",
            good | {"no": 431},
            good | {"nik": 6202014107890001},
            good | {"nik": 6.202014107890001e15},
            b'{"no": 1, "no": 2}',
            good | {"isi": ["a"]},
            b'{"no": "A10", "isi": "\xe9", "tgl": "2019-03-04"}',
        )
    )
    assert found[1]["reporter"]["national_id"] == "6202014107890001"
    assert found[2].startswith("cannot be read. The line is not JSON")
    assert 3 not in found and found[4] == "is no JSON object. Write one object a line."
    assert found[5]["source"]["reference"] == "431"
    assert found[6]["reporter"]["national_id"] == "6202014107890001"
    assert found[7]["reporter"]["national_id"] == "6202014107890001"  # below 2**53 a float holds it exactly
    assert "UTF-8" in found[10]
    assert "twice" in found[8] and "list or an object" in found[9]["description"]


def test_ndjson_beyond_what_a_float_holds_and_members_inside(tmp_path: Path) -> None:
    large = b'{"no": 9.9e15, "isi": "x", "tgl": "2019-03-04"}'
    path = lines(tmp_path, large, {"no": "A", "isi": "x", "tgl": "2019-03-04", "hp": None, "nik": ""})
    found = read(path)
    assert "more digits" in found[1]["reference"] and found[2]["reporter"] == {"anonymous": False}
    inside = lines(tmp_path, {"no": "A", "teks": {"isi": "Jalan rusak."}, "tgl": "2019-03-04"})
    mapping = read_mapping(tomllib.loads(TOML.format(more="").replace('"isi"', '"teks.isi"')), ".ndjson")
    (row,) = rows_of(inside, mapping)
    assert row.cells["teks.isi"] == "Jalan rusak."


def test_a_json_list_and_an_endless_line(tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="jq -c"):
        read(lines(tmp_path, [{"no": "A"}]))
    good = json.dumps(dict(zip(HEAD, GOOD, strict=True))).encode()
    found = read(lines(tmp_path, b'{"no": "' + b"x" * (9 << 20) + b'"}', good))
    assert found[1].startswith("is longer than") and found[2]["source"]["reference"] == "A1"


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".xlsx"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str) -> None:
    """A spreadsheet's shared strings are kept; its texts stand in the rows here."""

    def most(count: int) -> int:
        """The most bytes that were held at once. What only awaits the collector does not count: when that
        comes depends on everything else in this process."""
        path = tmp_path / f"{count}{suffix}"
        rows = [[f"A{n}", f"Jalan rusak nomor {n} " + "x" * 5000, "2019-03-04", "", ""] for n in range(count)]
        if suffix == ".csv":
            path.write_text("\n".join(",".join(each) for each in [HEAD, *rows]))
        elif suffix == ".ndjson":
            path.write_text("\n".join(json.dumps(dict(zip(HEAD, each, strict=True))) for each in rows))
        else:
            make_sheet(path, {1: HEAD} | {n: [*map(sheet.inline, each)] for n, each in enumerate(rows, 2)})
        mapping = read_mapping(tomllib.loads(TOML.format(more="")), suffix)
        del rows
        tracemalloc.start()
        held = []
        for number, _ in enumerate(rows_of(path, mapping), 1):
            if number % 50 == 0:
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert number == count
        return max(held)

    most(50)  # the library for spreadsheets is loaded by the first one
    gc.collect()
    gc.freeze()  # else each look goes through all that this process holds
    assert most(600) < 1.2 * most(200) + 200_000
