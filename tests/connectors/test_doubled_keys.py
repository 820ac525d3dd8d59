"""A key that stands in more than one row: no report is taken for another's, and none is lost quietly."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.connectors.apps import App, mysql_app
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.hub import ROOT

FAST = "every_s = 0.1\nrescan_every_s = 1\nrescan_pause_s = 0.05"
BY_NUMBER = f'table = "aduan"\nkey = "nomor"\ncursor = "id"\n{FAST}'
BY_QUERY = (
    f'key = "nomor"\ncursor = "id"\n{FAST}\n'
    'query = """SELECT id, nomor, tgl, isi FROM aduan WHERE id > :cursor ORDER BY id LIMIT :limit"""'
)
REFUSED = "row refused; the others go on"
CHANGED = "row changed after the hub had it; the hub keeps what it was told"


def make(app: App, *numbers: int) -> None:
    serial = {"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT", "postgres": "SERIAL PRIMARY KEY"}
    kind = serial.get(app.engine, "INTEGER PRIMARY KEY AUTO_INCREMENT")
    app.run(f"CREATE TABLE aduan (id {kind}, nomor INTEGER, tgl VARCHAR(20), isi VARCHAR(200))")
    add(app, *numbers)


def add(app: App, *numbers: int) -> None:
    """Each in other words than all before it."""
    for number in numbers:
        words = f"Laporan {number}, baris ke-{app.run('SELECT count(*) FROM aduan')[0][0] + 1}."
        app.run("INSERT INTO aduan (nomor, tgl, isi) VALUES (?, '2026-01-05', ?)", (number, words))


def configure(app: App, office: Office, connector: ConnectorProcess, extra: str = "", **lines: str) -> None:
    lines = {
        "source": BY_NUMBER,
        "submitted_at": 'submitted_at = "tgl"',
        "title": 'title = "isi"',
        "reporter": "",
    } | lines
    sql_config(app, office, connector, extra, **lines)
    text = connector.config.read_text().replace('description = "isi_laporan"', 'description = "isi"')
    connector.config.write_text(text)


def wrong(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("  WRONG")]


def refusals(connector: ConnectorProcess) -> list[Any]:
    return [line["reference"] for line in connector.logged() if line["event"] == REFUSED]


@pytest.mark.parametrize("source", [BY_NUMBER, BY_QUERY], ids=["table", "query"])
def test_rows_of_one_key_stay_and_are_named_while_the_others_go(
    app: App, office: Office, connector: ConnectorProcess, source: str
) -> None:
    make(app, 1, 2, 1, 2, 3)
    configure(app, office, connector, source=source)
    checked = connector.run("check")
    (line,) = wrong(checked.stdout)
    assert "[source] key = nomor: 2 keys stand in more than one row (1, 2)" in line
    assert "primary key" in line
    assert "of the 5 rows looked at, 1 can be sent" in checked.stdout
    assert (checked.returncode, "1 thing to mend" in checked.stdout) == (1, True)
    connector.start()
    eventually(lambda: list(office.complaints()) == ["3"], "the good row arrives")
    add(app, 4)
    eventually(lambda: list(office.complaints()) == ["3", "4"], "later rows go on")
    eventually(lambda: len(refusals(connector)) == 2, "both keys are named")
    assert [line["level"] for line in connector.logged() if line["event"] == REFUSED] == ["warning"] * 2
    connector.restart()
    add(app, 5)
    eventually(lambda: "5" in office.complaints(), "it is at work again")
    assert sorted(refusals(connector)) == ["1", "2"], "told once"
    assert CHANGED not in connector.events()
    said = connector.run("check").stdout
    assert "1 (refused): its key stands in more than one row" in said
    app.run("UPDATE aduan SET nomor = 6 WHERE id = 3")
    eventually(lambda: {"1", "6"} <= set(office.complaints()), "what is mended is sent")
    assert office.complaints()["1"]["description"] == "Laporan 1, baris ke-1."


def test_a_number_that_begins_anew_is_no_change_of_the_report_that_the_hub_has(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    """Last year's 1 was sent; this year's 1 is another citizen's."""
    make(app, 1, 2)
    configure(app, office, connector, source=BY_NUMBER.replace("rescan_every_s = 1", "rescan_every_s = 0"))
    connector.start()
    eventually(lambda: len(office.complaints()) == 2, "last year's are there")
    add(app, 1, 3)
    eventually(lambda: "3" in office.complaints(), "the others go on")
    assert refusals(connector) == ["1 (another row)"]
    assert CHANGED not in connector.events()
    assert office.complaints()["1"]["description"] == "Laporan 1, baris ke-1."
    checked = connector.run("check")
    assert "1 (another row) (refused): the hub has a row with this key" in checked.stdout
    assert len(wrong(checked.stdout)) == 1
    connector.kill()
    app.run("UPDATE aduan SET nomor = 4 WHERE id = 3")
    connector.start()
    eventually(lambda: "4" in office.complaints(), "with a number of its own it is sent")
    eventually(lambda: "another row" not in connector.run("check").stdout, "and listed no more")
    assert wrong(connector.run("check").stdout) == []


def test_the_same_words_under_the_same_number_are_found_by_the_comparison(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    make(app, 1)
    configure(app, office, connector, source=BY_NUMBER + "\npage = 2\nwindow = 1")
    connector.start()
    eventually(lambda: office.complaints(), "the first is there")
    app.run("INSERT INTO aduan (nomor, tgl, isi) SELECT nomor, tgl, isi FROM aduan")
    eventually(lambda: refusals(connector) == ["1 (another row)"], "it is not lost quietly")


def test_a_join_that_multiplies_rows_is_named(app: App, office: Office, connector: ConnectorProcess) -> None:
    app.reports(5)
    app.run("INSERT INTO masyarakat VALUES ('6202051507880004', 'Orang Lain', 'x', 'x', '0')")
    configured = 'table = "pengaduan"\nkey = "id_pengaduan"\njoin = "LEFT JOIN masyarakat ON 1=1"\n' + FAST
    sql_config(app, office, connector, source=configured)
    checked = connector.run("check")
    (line,) = wrong(checked.stdout)
    assert "[source] join: 5 keys stand in more than one row (1, 2, 3, 4, 5)" in line
    assert "mend the join" in line
    assert "can be sent;" not in checked.stdout
    connector.start()
    eventually(lambda: len(refusals(connector)) == 5, "each is named")
    assert office.complaints() == {}


def test_a_row_whose_cursor_rises_with_each_change_is_the_same_row(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    make(app, 1, 2)
    app.run("ALTER TABLE aduan ADD COLUMN diubah INTEGER")
    app.run("UPDATE aduan SET diubah = id")
    source = BY_NUMBER.replace('cursor = "id"', 'cursor = "diubah"')
    configure(app, office, connector, source=source)
    connector.start()
    eventually(lambda: len(office.complaints()) == 2, "both arrive")
    app.run("UPDATE aduan SET isi = 'Isi lain.', diubah = 9 WHERE id = 1")
    eventually(lambda: CHANGED in connector.events(), "it is a change")
    assert refusals(connector) == []
    checked = connector.run("check")
    assert (checked.returncode, wrong(checked.stdout)) == (0, [])


def test_a_query_of_which_it_cannot_be_asked_is_said(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    """A comment behind the query, a semicolon: what cannot be put into another query still runs."""
    make(sqlite, 1, 2)
    source = BY_QUERY.replace(':limit"""', ':limit; -- urut"""')
    configure(sqlite, office, connector, source=source)
    checked = connector.run("check")
    assert "whether a key stands twice could not be asked" in checked.stdout
    assert checked.returncode == 0
    connector.start()
    eventually(lambda: len(office.complaints()) == 2, "both arrive")


def test_an_answer_to_a_report_whose_number_stands_twice_reaches_nobody_elses(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    """[write_back] picks rows by the key alone."""
    make(sqlite, 1, 2)
    sqlite.run("ALTER TABLE aduan ADD COLUMN status TEXT NOT NULL DEFAULT '0'")
    writing = write_back(office.ministry).replace("UPDATE pengaduan", "UPDATE aduan")
    writing = writing.replace("status WHERE id_pengaduan = :key", "status WHERE nomor = :key")
    configure(sqlite, office, connector, writing)
    connector.start()
    eventually(lambda: len(office.legs()) == 2, "both reach the ministry")
    eventually(lambda: sqlite.run("SELECT status FROM aduan") == [("proses",)] * 2, "the app hears of it")
    add(sqlite, 1)
    eventually(lambda: refusals(connector) == ["1 (another row)"], "it is not mixed up")
    office.answer_all()
    done = "SELECT id FROM aduan WHERE status = 'selesai'"
    eventually(lambda: sqlite.run(done) == [(2,)], "the other's answer is there")
    eventually(lambda: "[source] key: more than one row" in connector.run("check").stdout, "it waits")
    assert sqlite.run("SELECT status FROM aduan WHERE id = 3") == [("0",)]
    assert sqlite.run("SELECT id_pengaduan FROM tanggapan") == [(2,)]
    assert "not in effect; mend what is said" in connector.run("check").stdout
    connector.kill()
    sqlite.run("UPDATE aduan SET nomor = 3 WHERE id = 3")
    connector.start()
    eventually(lambda: "3" in office.complaints(), "what is mended is sent")
    connector.restart()
    eventually(lambda: len(sqlite.run(done)) == 2, "and the answer reaches its report")
    assert sqlite.run("SELECT id_pengaduan FROM tanggapan ORDER BY 1") == [(1,), (2,)]


def test_what_a_join_gives_twice_still_gets_its_answer(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    """In the table by itself the key is one row's."""
    sqlite.reports(1)
    joined = 'table = "pengaduan"\nkey = "id_pengaduan"\njoin = "LEFT JOIN lampiran ON lampiran.laporan = '
    source = joined + f'pengaduan.id_pengaduan"\n{FAST}'
    sqlite.run("CREATE TABLE lampiran (laporan INTEGER, berkas TEXT)")
    sql_config(sqlite, office, connector, write_back(office.ministry), source=source, reporter="")
    connector.start()
    eventually(lambda: office.legs(), "it reaches the ministry")
    sqlite.run("INSERT INTO lampiran VALUES (1, 'a.jpg'), (1, 'b.jpg')")
    eventually(lambda: refusals(connector) == ["1 (another row)"], "the rows are named")
    office.answer_all()
    eventually(lambda: sqlite.run("SELECT id_pengaduan FROM tanggapan") == [(1,)], "the answer is there")


@pytest.mark.mariadb
def test_the_key_of_two_columns_as_the_readme_writes_it(
    mariadb: str, office: Office, connector: ConnectorProcess
) -> None:
    """Last year's numbers keep their references, this year's get a year, and answers find their rows."""
    readme = (ROOT / "connectors" / "README.md").read_text(encoding="utf-8")
    (source, status) = re.findall(
        r'\[source\][^\n]*\n(key = "nomor_tahun".*?)\n\[write_back.status\]\n(.*?)```', readme, re.DOTALL
    )[0]
    source, status = (text.replace("4711", "2") for text in (source, status))
    with mysql_app(mariadb, "innodb") as app:
        make(app, 1, 2)
        app.run("ALTER TABLE aduan ADD COLUMN status VARCHAR(10) DEFAULT '0'")
        configure(app, office, connector)
        connector.start()
        eventually(lambda: len(office.complaints()) == 2, "last year's are there")
        connector.kill()
        add(app, 1)
        routing = write_back(office.ministry).partition("[write_back.answer]")[0]
        values = 'values = { forwarded = "proses" }'
        extra = f"{routing}[write_back.status]\n{status}\n{values}\n"
        configure(app, office, connector, extra, source=f"{source}\n{FAST}")
        checked = connector.run("check")
        assert wrong(checked.stdout) == [], checked.stdout
        connector.start()
        eventually(lambda: list(office.complaints()) == ["1", "2", "2026-1"], "each once")
        written = "SELECT id FROM aduan WHERE status = 'proses' ORDER BY id"
        eventually(lambda: app.run(written), "what is written back")
        assert [tuple(row) for row in app.run(written)] == [(3,)]
        assert len(office.accepted()) == 3
