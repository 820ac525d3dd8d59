"""Photos that are not what their names say, flags with a default, texts that are not quite text."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from mimetypes import guess_type
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.check_columns import names_statement
from connectors.database import Database
from connectors.dialects import open_dialect, read_address
from connectors.errors import ConfigRefused
from connectors.mapping import ComplaintMapping
from connectors.odd_texts import looks_misread
from connectors.rules import read_rules
from schemas.first_bytes import sniff
from schemas.media_types import ANYTHING, declaration, disagree
from tests.connectors.apps import NIK, App, mysql_app
from tests.connectors.office import Office, sql_config
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.hub import ROOT

PNG = b"\x89PNG\r\n\x1a\n sebuah foto"
PAGE = b"<!doctype html><title>404</title>"
FRONTS = (
    b"\xff\xd8\xff\xe0", PNG, b"GIF89a", b"RIFF....WEBP", b"%PDF-1.7", b"....ftypheic", b"....ftypisom",
    b"....ftypM4A ", b"PK\x03\x04", b"PK\x03\x04 word/", PAGE, b"\x00\x01\x02", b"",
)  # fmt: skip
NAMES = (
    "a.jpg", "a.jpeg", "a.png", "a.gif", "a.webp", "a.heic", "a.pdf", "a.mp4", "a.m4a", "a.zip", "a.docx",
    "a.txt", "a.svg", "a.json", "a.dat", "a",
)  # fmt: skip
DOUBLED = "Ã\x83", "â€œ", "ðŸ", "Ã©"


def mapped(rule: dict[str, Any], word: Any) -> dict[str, Any]:
    table = {"description": "isi", "confidential": rule}
    mapping = ComplaintMapping("kab", ZoneInfo("Asia/Jakarta"), read_rules(table))
    return mapping.map({"isi": "Jalan.", "rahasia": word}, "1", datetime.now(UTC)).document


@given(st.sampled_from(NAMES), st.sampled_from(FRONTS) | st.binary(max_size=40), st.binary(max_size=20))
def test_what_is_declared_is_what_the_hub_finds(name: str, front: bytes, rest: bytes) -> None:
    named, shown = guess_type(name)[0] or ANYTHING, sniff(front + rest)
    found = declaration(named, shown)
    if found is None:
        assert disagree(named, shown)
    else:
        assert not disagree(found, shown)


def test_a_png_that_is_called_jpg_arrives_and_a_page_that_is_called_jpg_is_named(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    folder = connector.folder / "foto"
    folder.mkdir()
    (folder / "layar.jpg").write_bytes(PNG)
    (folder / "halaman.jpg").write_bytes(PAGE)
    sqlite.report("Jembatan rusak.", photo="layar.jpg")
    sqlite.report("Lampu mati.", photo="halaman.jpg")
    sql_config(sqlite, office, connector, f'[photos]\ncolumn = "foto"\nfolder = "{folder}"\n')
    said = connector.run("check").stdout
    assert "1 of the 2 rows looked at name a photo that cannot be sent" in said
    assert (
        "the first is halaman.jpg of 2: its name says image/jpeg, and its content is something else" in said
    )
    connector.start()
    eventually(lambda: len(office.complaints()) == 2, "both arrive")
    (photo,) = office.complaints()["1"]["attachments"]
    assert (photo["name"], photo["media_type"]) == ("layar.jpg", "image/png")
    assert "attachments" not in office.complaints()["2"]


@pytest.mark.parametrize(
    ("more", "word", "expected"),
    [
        ({"default": "tidak"}, None, False),
        ({"default": "ya"}, "", True),
        ({"default": "Ya"}, "0", False),
        ({"default": 1}, None, True),
        ({"default": True}, None, True),
        ({"codes": {"R": True, "B": "tidak"}, "default": "B"}, None, False),
        ({"codes": {"R": "ya", "B": "tidak"}, "default": "R"}, "", True),
        ({"codes": {"R": True, "B": False}, "default": "ya"}, None, True),
    ],
)
def test_the_default_of_a_flag_is_read_like_the_flag(
    more: dict[str, Any], word: str | None, expected: bool
) -> None:
    assert mapped({"column": "rahasia", **more}, word)["confidential"] is expected


@pytest.mark.mariadb
@pytest.mark.parametrize("codes", [{}, {"codes": {"1": "ya", "0": "tidak"}}], ids=["plain", "translated"])
async def test_a_bit_that_is_set_is_no_control_character_to_be_taken_out(
    mariadb: str, codes: dict[str, Any]
) -> None:
    """MySQL and MariaDB send BIT(1) as the byte that it is."""
    with mysql_app(mariadb, "innodb") as app:
        app.run("ALTER TABLE pengaduan ADD COLUMN rahasia BIT(1)")
        app.reports(3)
        app.run("UPDATE pengaduan SET rahasia = id_pengaduan - 1 WHERE id_pengaduan < 3")
        database = Database(open_dialect(read_address(app.url, "test"), 10, "utf8mb4"), "test")
        said = "SELECT rahasia FROM pengaduan ORDER BY id_pengaduan"
        rows = await database.read(lambda session: session.rows(said, {}))
        database.close()
    rule = {"column": "rahasia", **codes}
    assert [mapped(rule, row["rahasia"])["confidential"] for row in rows] == [False, True, False]


def test_the_one_value_of_a_flag_is_read_like_the_flag() -> None:
    assert mapped({"value": "ya"}, None)["confidential"] is True


@pytest.mark.parametrize("rule", [{"column": "rahasia", "default": "mungkin"}, {"value": "mungkin"}])
def test_a_default_that_is_no_flag_is_refused_with_its_key(rule: dict[str, Any]) -> None:
    with pytest.raises(ConfigRefused, match=r"map\.confidential\.(default|value): 'mungkin' .*ya/tidak"):
        read_rules({"confidential": rule})


def test_texts_that_are_no_utf8_are_named_by_column_and_row(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report("Jalan rusak.")
    sqlite.report("Lampu mati.")
    sqlite.report("Parit\x07 tersumbat\x07.")
    broken = (
        "UPDATE pengaduan SET isi_laporan = CAST(X'436166e92074757475702e' AS TEXT) WHERE id_pengaduan = 2"
    )
    sqlite.run(broken)
    sql_config(sqlite, office, connector)
    said = connector.run("check").stdout
    assert "isi_laporan holds bytes that are no UTF-8, which would go as U+FFFD (1 row: 2)" in said
    assert "2 control characters would be taken out of isi_laporan (1 row: 3)" in said
    assert "Caf" not in said
    connector.start()
    eventually(lambda: len(office.complaints()) == 3, "all arrive")
    lines = [line for line in connector.logged() if line.get("column") == "isi_laporan"]
    assert {line["rows"] for line in lines if "no UTF-8" in line["event"]} == {"2"}
    assert {line["rows"] for line in lines if "control characters" in line["event"]} == {"3"}


@pytest.mark.parametrize("text", DOUBLED)
def test_a_text_that_was_misread_is_suspected_aloud(
    text: str, sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report("Jalan rusak.")
    sqlite.report(f"Jalan {text} rusak.")
    sql_config(sqlite, office, connector)
    checked = connector.run("check")
    (line,) = [line for line in checked.stdout.splitlines() if "latin1" in line]
    assert line.startswith("  note   isi_laporan looks like UTF-8 that was read as latin1 (1 row: 2)")
    assert "CONVERT(CAST(CONVERT(isi_laporan USING latin1) AS BINARY) USING utf8mb4)" in line
    assert checked.returncode == 0


@pytest.mark.parametrize("text", ["Café", "São Paulo", "“kutipan” – 😀", "Ã tunggal", "10 €"])
def test_a_text_that_is_right_is_not_suspected(text: str) -> None:
    assert not looks_misread(text)


def test_columns_that_no_key_names_are_named(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.run("ALTER TABLE pengaduan ADD COLUMN rahasia TEXT")
    sqlite.report("Jalan rusak.")
    sql_config(sqlite, office, connector, '[write_back.status]\nstatement = "UPDATE pengaduan SET status = '
               ':status WHERE id_pengaduan = :key"\nvalues = { answered = "selesai" }\n')  # fmt: skip
    said = connector.run("check").stdout
    assert "pengaduan has columns that no key names: foto, kategori, rahasia; " in said
    assert "neither confidential nor reporter.anonymous is mapped, so every reporter's name goes" in said
    sql_config(sqlite, office, connector, 'confidential = "rahasia"\n')
    said = connector.run("check").stdout
    assert "no key names: foto, kategori, status; " in said
    assert "neither confidential" not in said


def test_columns_of_a_query_that_no_key_names_are_named(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report("Jalan rusak.")
    query = (
        'query = """SELECT p.id_pengaduan, p.isi_laporan, p.tgl_pengaduan, p.kategori AS rahasia '
        'FROM pengaduan p WHERE p.id_pengaduan > :cursor ORDER BY p.id_pengaduan LIMIT :limit"""\n'
        'key = "id_pengaduan"'
    )
    sql_config(sqlite, office, connector, source=query, reporter="")
    said = connector.run("check").stdout
    assert "source.query gives columns that no key names: rahasia; " in said
    assert "neither confidential" not in said


def test_for_the_names_of_columns_no_row_is_read() -> None:
    """Nothing of a column that no key names is read: the question for the names gives no row."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE pengaduan (id, rahasia)")
        database.execute("INSERT INTO pengaduan VALUES (1, 'ya')")
        cursor = database.execute(names_statement("pengaduan"))
        assert [column[0] for column in cursor.description] == ["id", "rahasia"]
        assert cursor.fetchall() == []


@pytest.mark.mariadb
def test_the_remedy_of_a_misread_text_gives_the_text_back(
    myisam: App, office: Office, connector: ConnectorProcess
) -> None:
    """As connectors/README.md writes it, and as `check` says it."""
    right = "Jalan “Café” rusak \N{PILE OF POO} – parah."
    myisam.run("ALTER TABLE pengaduan CONVERT TO CHARACTER SET utf8mb4")
    myisam.run(
        "INSERT INTO pengaduan (tgl_pengaduan, nik, isi_laporan) "
        "VALUES ('2026-02-02', ?, CONVERT(BINARY CONVERT(? USING utf8mb4) USING latin1))",
        (NIK, right),
    )
    sql_config(myisam, office, connector)
    assert "CONVERT(CAST(CONVERT(isi_laporan USING latin1) AS BINARY)" in connector.run("check").stdout
    readme = (ROOT / "connectors" / "README.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"\[source\] +# MySQL and MariaDB.*?\n(.*?)```", readme, re.DOTALL)
    sql_config(myisam, office, connector, source=source, reporter='reporter.name = "nama"')
    said = connector.run("check").stdout
    assert "latin1" not in said
    assert right in said
