"""The reporter's reply, and "not fixed yet", from the app's rows to the hub, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.connectors.apps import App
from tests.connectors.conftest import open_app
from tests.connectors.faulty_proxy import Fault, FaultyProxy
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually

ROWS = """
[reporter_replies]
every_s = 0.1
query = '''SELECT id, id_pengaduan AS "key", isi AS text, jenis AS action FROM balasan
           WHERE id > :cursor ORDER BY id LIMIT :limit'''
"""
COLUMN = """
[reporter_replies]
every_s = 0.1
each = "content"
query = '''SELECT id_pengaduan AS id, id_pengaduan AS "key", balasan AS text,
                  CASE belum_tuntas WHEN 1 THEN 'reopen' ELSE 'reply' END AS action
           FROM pengaduan WHERE id_pengaduan > :cursor ORDER BY id_pengaduan LIMIT :limit'''
"""
CHANGE = "UPDATE pengaduan SET balasan = ?, belum_tuntas = ? WHERE id_pengaduan = 1"


def quoted(query: str, app: App) -> str:
    """MySQL reads "key" as a text unless told otherwise; its own quotes are backticks."""
    return query if app.engine in ("sqlite", "postgres") else query.replace('"key"', "`key`")


def say(app: App, number: int, text: str | None, kind: str = "reply", key: int = 1) -> None:
    statement = "INSERT INTO balasan (id, id_pengaduan, isi, jenis) VALUES (?, ?, ?, ?)"
    app.run(statement, (number, key, text, kind))


def heard(office: Office) -> list[tuple[str, str]]:
    """(type, words) of what reporters said, in the hub's order."""
    events: list[dict[str, Any]] = [item["event"] for item in office.source.events()]
    kinds = {"id.simpul.complaint.replied.v1": "text", "id.simpul.complaint.reopened.v1": "reason"}
    return [
        (event["type"].split(".")[3], event["data"][kinds[event["type"]]])
        for event in events
        if event["type"] in kinds
    ]


def test_rows_become_replies_and_reopenings_once_though_the_connector_is_killed(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    app.run("CREATE TABLE balasan (id INTEGER PRIMARY KEY, id_pengaduan INTEGER, isi TEXT, jenis VARCHAR(9))")
    app.report("Lampu jalan mati di Gang Meranti.")
    say(app, 1, "Tiangnya nomor 14, di depan mushala.")
    say(app, 2, "Ini tentang laporan yang belum ada.", key=99)
    sql_config(app, office, connector, write_back(office.ministry) + quoted(ROWS, app))
    connector.start()
    eventually(lambda: heard(office) == [("replied", "Tiangnya nomor 14, di depan mushala.")], "the reply")
    eventually(lambda: office.answer_all("Lampu sudah diganti."), "it is answered")
    say(app, 3, "Masih gelap, hanya tiangnya yang dicat.", "reopen")
    eventually(lambda: len(heard(office)) == 2, "not fixed yet")
    connector.restart()
    say(app, 5, "Malam ini masih gelap juga.", "reopen")  # it is open already: words for whoever handles it
    say(app, 4, None)
    say(app, 6, "?", "tutup")
    eventually(lambda: len(heard(office)) == 3, "words about a case that is open again")
    connector.restart()
    eventually(lambda: office.settled(), "everything took effect")
    assert heard(office)[1:] == [
        ("reopened", "Masih gelap, hanya tiangnya yang dicat."),
        ("replied", "Malam ini masih gelap juga."),
    ]
    assert [leg["status"] for _, leg in office.legs()] == ["in_progress"]
    said = connector.run("check").stdout
    assert "reporter_replies.query works and gives 6 rows" in said
    assert "row-6 (refused): action: must be reply or reopen" in said
    assert "app-2" not in said, "it waits for its complaint"


def test_an_answer_of_the_hub_that_was_lost_makes_no_second_reply(
    sqlite: App, office: Office, proxy: FaultyProxy, connector: ConnectorProcess
) -> None:
    sqlite.run("CREATE TABLE balasan (id INTEGER PRIMARY KEY, id_pengaduan INTEGER, isi TEXT, jenis TEXT)")
    sqlite.report("Parit tersumbat.")
    sql_config(sqlite, office, connector, ROWS)
    connector.start()
    eventually(lambda: office.complaints(), "the complaint arrives")
    proxy.faults.append(Fault("/v1/cases", cut=True, holding=b"Sudah tiga hari"))
    say(sqlite, 1, "Sudah tiga hari.")
    eventually(lambda: heard(office), "the hub has it, and the connector does not know")
    connector.restart()
    eventually(lambda: "1 reply sent, 0 waiting" in " ".join(connector.events()), "it knows now")
    assert heard(office) == [("replied", "Sudah tiga hari.")]


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("innodb", marks=pytest.mark.mariadb)])
def test_a_column_of_the_report_counts_each_time_that_its_words_change(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, office: Office, connector: ConnectorProcess
) -> None:
    with open_app(engine, request, tmp_path) as app:
        app.run("ALTER TABLE pengaduan ADD COLUMN balasan TEXT")
        app.run("ALTER TABLE pengaduan ADD COLUMN belum_tuntas INTEGER")
        app.report("Air PDAM keruh.")
        sql_config(app, office, connector, write_back(office.ministry) + quoted(COLUMN, app))
        connector.start()
        eventually(lambda: office.answer_all(), "it is answered")
        app.run(CHANGE, ("Terima kasih, sudah jernih.", 0))
        eventually(lambda: len(heard(office)) == 1, "thanks")
        app.run(CHANGE, ("", 1))
        eventually(lambda: len(heard(office)) == 2, "not fixed after all")
        connector.kill()
        reopened = ("reopened", "Pelapor menyatakan laporannya belum tuntas.")
        assert heard(office) == [("replied", "Terima kasih, sudah jernih."), reopened]
