"""A message to the reporter, from a thread into the app's tables, and the answer back to the hub."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.caller import Caller

TABLE = (
    "CREATE TABLE pesan (id_pengaduan INTEGER, id_pesan VARCHAR(40), instansi VARCHAR(60), isi TEXT, "
    "dikirim VARCHAR(20), ditarik INTEGER NOT NULL DEFAULT 0)"
)
SHOWN = """
[write_back.message]
statements = ['''INSERT INTO pesan (id_pengaduan, id_pesan, instansi, isi, dikirim)
                 VALUES (:key, :message_id, :agency_name, :message, :posted_at)''']
already_written = "SELECT 1 FROM pesan WHERE id_pesan = :message_id AND id_pengaduan = :key"
"""
CHANGED = """
[write_back.message.edited]
statements = ["UPDATE pesan SET isi = :message WHERE id_pesan = :message_id AND id_pengaduan = :key"]
[write_back.message.withdrawn]
statements = ["UPDATE pesan SET ditarik = 1 WHERE id_pesan = :message_id AND id_pengaduan = :key"]
"""
REPLIES = """
[reporter_replies]
every_s = 0.1
query = '''SELECT id, id_pengaduan AS "key", isi AS text FROM balasan
           WHERE id > :cursor ORDER BY id LIMIT :limit'''
"""
PESAN = "SELECT id_pengaduan, instansi, isi FROM pesan WHERE ditarik = 0 ORDER BY dikirim, id_pengaduan, isi"


def rows(app: App) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in app.run(PESAN)]


def config(app: App, *parts: str) -> str:
    text = "".join(parts)
    return text if app.engine in ("sqlite", "postgres") else text.replace('"key"', "`key`")


def open_thread(by: Caller, *cases: str) -> str:
    status, thread = by.call("POST", "/v1/threads", {"subject": "Lampu jalan", "cases": list(cases)})
    assert status == 201, thread
    return str(thread["id"])


def post(by: Caller, thread: str, text: str, scope: str = "reporter", **more: Any) -> str:
    body = {"text": text, "scope": scope} | more
    status, message = by.call("POST", f"/v1/threads/{thread}/messages", body)
    assert status == 201, message
    return str(message["id"])


def change(by: Caller, method: str, message: str, body: Any = None) -> None:
    status, said = by.call(method, f"/v1/messages/{message}", body)
    assert status == 200, said


def cases_of(office: Office, count: int) -> list[str]:
    """By the app's own numbers, once the ministry has them."""
    legs = eventually(lambda: len(office.legs()) == count and office.legs(), "the ministry has them")
    found = dict.fromkeys((name, leg["case_id"]) for name, leg in legs)
    return [case for _, case in sorted(found)]


def test_a_reporter_reads_a_message_in_the_app_and_answers_there(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    app.run(TABLE)
    app.run("CREATE TABLE balasan (id INTEGER PRIMARY KEY, id_pengaduan INTEGER, isi TEXT)")
    app.report("Lampu jalan mati di Gang Meranti.")
    app.report("Lampu jalan mati di Jalan Pelita.")
    sql_config(app, office, connector, config(app, write_back(office.ministry), SHOWN, CHANGED, REPLIES))
    connector.start()
    first, second = cases_of(office, 2)
    eventually(office.settled, "what the forwarding says is in the app")
    status = app.run("SELECT status FROM pengaduan")
    thread = open_thread(office.ministry, first, second)
    post(office.ministry, thread, "Anggarannya belum turun.", "internal")
    post(office.ministry, thread, "Siapa yang memegang kunci panel?", "agencies")
    message = post(office.ministry, thread, "Nomor tiangnya berapa?", cases=[second])
    name = office.ministry.agency.title()
    eventually(lambda: rows(app) == [(2, name, "Nomor tiangnya berapa?")], "one report has it")
    app.run("INSERT INTO balasan VALUES (1, 2, ?)", ("Nomor 14, di depan mushala.",))
    kind = "id.simpul.complaint.replied.v1"
    heard = eventually(
        lambda: [item["event"] for item in office.ministry.events() if item["event"]["type"] == kind],
        "the answer is in the hub",
    )
    assert [(one["subject"], one["data"]["text"]) for one in heard] == [
        (second, "Nomor 14, di depan mushala.")
    ]
    post(office.ministry, thread, "Petugas datang besok.")
    eventually(lambda: len(rows(app)) == 3, "both reports have it")
    change(office.ministry, "PATCH", message, {"text": "Nomor tiang lampunya berapa?"})
    connector.restart()
    eventually(lambda: (2, name, "Nomor tiang lampunya berapa?") in rows(app), "it is changed in the app")
    change(office.ministry, "DELETE", message)
    both = [(1, name, "Petugas datang besok."), (2, name, "Petugas datang besok.")]
    eventually(lambda: rows(app) == both, "it is taken back in the app")
    eventually(office.settled, "every event took effect")
    assert app.run("SELECT status FROM pengaduan") == status
    assert len(app.run("SELECT 1 FROM pesan")) == 3
    assert app.run("SELECT 1 FROM tanggapan") == []


@pytest.mark.timeout(120)
def test_a_message_is_shown_once_however_often_the_connector_is_killed(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    app.run(TABLE)
    app.reports(4)
    sql_config(app, office, connector, write_back(office.ministry) + SHOWN)
    connector.start()
    thread = open_thread(office.ministry, *cases_of(office, 4))
    words = [f"Pemberitahuan {number}." for number in range(9)]
    for number, text in enumerate(words):
        post(office.ministry, thread, text)
        if number % 3 == 1:
            time.sleep(random.uniform(0.0, 0.3))
            connector.restart()
    eventually(lambda: {row[2] for row in rows(app)} >= set(words), "all are shown")
    eventually(office.settled, "every event took effect")
    assert sorted((row[0], row[2]) for row in rows(app)) == [
        (key, text) for key in range(1, 5) for text in words
    ]


WIDESPREAD = """
[write_back.message]
statements = ['''INSERT INTO tanggapan (id_pengaduan, tgl_tanggapan, tanggapan, id_petugas)
                 VALUES (:key, :posted_on, CONCAT(:agency_name, ': ', :message), 1)''']
already_written = '''SELECT 1 FROM tanggapan WHERE id_pengaduan = :key
                     AND tanggapan = CONCAT(:agency_name, ': ', :message)'''
"""


def test_the_widespread_schema_shows_it_among_the_answers_and_check_names_what_is_left_out(
    myisam: App, office: Office, connector: ConnectorProcess
) -> None:
    myisam.report("Lampu jalan mati di Gang Meranti.")
    sql_config(myisam, office, connector, write_back(office.ministry) + WIDESPREAD)
    checked = connector.run("check")
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("understood by the database: INSERT INTO tanggapan") == 2
    assert "note   [write_back.message.edited] is not there" in checked.stdout
    assert "note   [write_back.message.withdrawn] is not there" in checked.stdout
    connector.start()
    (case,) = cases_of(office, 1)
    thread = open_thread(office.ministry, case)
    message = post(office.ministry, thread, "Petugas datang besok.")
    shown = [(1, f"{office.ministry.agency.title()}: Petugas datang besok.")]
    written = "SELECT id_pengaduan, tanggapan FROM tanggapan ORDER BY id_tanggapan"
    eventually(lambda: [tuple(row) for row in myisam.run(written)] == shown, "it is shown")
    change(office.ministry, "PATCH", message, {"text": "Petugas datang lusa."})
    change(office.ministry, "DELETE", message)
    again = post(office.ministry, thread, "Petugas datang besok.")
    assert again != message
    eventually(lambda: len(myisam.run(written)) == 2, "the same words a second time are a second row")
    eventually(office.settled, "every event took effect")
    assert [tuple(row) for row in myisam.run(written)] == shown * 2
    told = "shown to reporters"
    eventually(lambda: any(told in event for event in connector.events()), "the first is told at once")


def test_check_says_that_messages_do_not_reach_an_app_without_the_block(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector, write_back(office.ministry))
    said = connector.run("check").stdout
    assert "note   [write_back.message] is not there; agencies' messages to reporters" in said
    sql_config(sqlite, office, connector, write_back(office.ministry) + SHOWN)
    assert "WRONG  [write_back.message]: SQLite says: no such table: pesan" in connector.run("check").stdout
