"""Work passes from one agency to another: the app's row says who has it, the one stops answering, the other
gets it like a forwarding."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from schemas.registry import Registry
from tests.connectors.agency_system import AgencySystem
from tests.connectors.apps import App
from tests.connectors.office import Office, mailbox_config, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.caller import Caller

STATUS = "UPDATE pengaduan SET status = :status WHERE id_pengaduan = :key"
WHERE = STATUS.replace(":status", ":status, posisi = :handler_name")
SHOWN = "SELECT status, posisi FROM pengaduan"
TABLES = """
CREATE TABLE masuk (peristiwa, jenis, penerusan, konsultasi, judul, isi, tanya);
CREATE TABLE balasan (id INTEGER PRIMARY KEY, aksi TEXT, penerusan TEXT, kasus TEXT, isi TEXT);
"""
IN_TABLES = '''
[database]
url_env = "MINISTRY_URL"
[deliver]
event_types = ["forwarding.sent", "consultation.requested"]
[deliver.table]
statements = ["""INSERT INTO masuk VALUES (:event_id, :type, :forwarding_id, :consultation_id, :title,
                                           :description, :question)"""]
already_written = "SELECT 1 FROM masuk WHERE peristiwa = :event_id"
[answers.table]
every_s = 0.1
query = """SELECT id, aksi AS action, penerusan AS forwarding_id, kasus AS case_id, isi AS text
           FROM balasan WHERE id > :cursor ORDER BY id LIMIT :limit"""
'''


@pytest.fixture
def successor(office: Office) -> Caller:
    return office.hub.agency(f"baru-{office.source.agency}", "ministry")


@pytest.fixture
def database(connector: ConnectorProcess) -> Iterator[sqlite3.Connection]:
    """The system of the agency that the connector is for."""
    path = connector.folder / "ministry.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as opened:
        opened.executescript(TABLES)
        yield opened


def named(caller: Caller) -> str:
    return str(caller.call("GET", f"/v1/agencies/{caller.agency}")[1]["name"])


def test_the_row_names_the_agency_that_has_it_now(
    app: App, office: Office, connector: ConnectorProcess, successor: Caller
) -> None:
    app.run("ALTER TABLE pengaduan ADD COLUMN posisi VARCHAR(80)")
    app.report("Jalan Pelita berlubang.")
    head, status = write_back(office.ministry).split("[write_back.status]")
    sql_config(app, office, connector, f"{head}[write_back.status]{status.replace(STATUS, WHERE)}")
    connector.start()
    (_, leg) = eventually(office.legs, "it is forwarded")[0]
    assert office.ministry.call("POST", f"/v1/forwardings/{leg['id']}/acceptance", {})[0] == 200
    eventually(lambda: tuple(app.run(SHOWN)[0]) == ("proses", named(office.ministry)), "it is the ministry's")
    eventually(office.settled, "every event took effect")
    connector.kill()
    assert office.hand_over(office.ministry, successor)["counts"]["forwardings"] == 1
    connector.start()
    eventually(lambda: tuple(app.run(SHOWN)[0]) == ("proses", named(successor)), "it is its successor's")
    body = {"text": "Sudah ditambal."}
    assert successor.call("POST", f"/v1/forwardings/{leg['id']}/answer", body)[0] == 200
    eventually(lambda: app.run(SHOWN)[0][0] == "selesai", "the case goes on as before")


def test_who_gave_it_away_stops_answering(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection, successor: Caller
) -> None:
    mailbox_config(office, connector, IN_TABLES)
    leg = office.forward("1")
    connector.start()
    eventually(lambda: database.execute("SELECT 1 FROM masuk").fetchall(), "its system has the forwarding")
    office.hub.kill()
    given = "INSERT INTO balasan VALUES (?, ?, ?, ?, ?)"
    database.execute(given, (1, "answer", leg["id"], None, "Sudah kami perbaiki."))
    eventually(lambda: pending(connector) == 1, "a reply waits for the hub")
    connector.kill()
    office.hub.start()
    office.hand_over(office.ministry, successor)
    connector.start()
    reason = f"this work was handed over to {successor.agency} before the reply was sent"
    eventually(lambda: reason in refused(connector), "the reply is refused in plain words")
    database.execute(given, (2, "progress", leg["id"], None, "Sedang dikerjakan."))
    database.execute(given, (3, "answer", None, leg["case_id"], "Sudah kami perbaiki."))
    eventually(lambda: refused(connector).count(reason) == 3, "so are later ones, by the case too")
    assert connector.run("check").stdout.count(reason) == 3
    assert [each["status"] for _, each in office.legs()] == ["sent"]
    assert b"Sudah kami perbaiki" not in connector.on_disk()


def pending(connector: ConnectorProcess) -> int:
    return len(answers(connector, "pending"))


def refused(connector: ConnectorProcess) -> str:
    return "\n".join(str(row[0]) for row in answers(connector, "refused"))


def answers(connector: ConnectorProcess, state: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{connector.spool}?mode=ro", uri=True, timeout=10)) as spool:
        return spool.execute("SELECT reason FROM answers WHERE state = ?", (state,)).fetchall()


def test_who_received_it_gets_rows_and_answers_with_them(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection, successor: Caller
) -> None:
    leg = office.forward("1")
    assert office.ministry.call("POST", f"/v1/forwardings/{leg['id']}/acceptance", {})[0] == 200
    path = f"/v1/cases/{office.submit('2')['id']}"
    assert office.source.call("POST", f"{path}/verification", {"decision": "accept"})[0] == 200
    question = {"agency": office.ministry.agency, "question": "Apakah lampu ini urusan Bapak?"}
    status, asked = office.source.call("POST", f"{path}/consultations", question)
    assert status == 201, asked
    office.hand_over(office.ministry, successor)
    mailbox_config(office, connector, IN_TABLES, successor)
    connector.start()
    rows = "SELECT jenis, penerusan, konsultasi, judul, tanya FROM masuk ORDER BY jenis DESC"
    title = "Lampu jalan di Jalan Pelita mati"
    wanted = [
        ("forwarding.sent", leg["id"], None, title, None),
        ("consultation.requested", None, asked["id"], title, question["question"]),
    ]
    eventually(lambda: database.execute(rows).fetchall() == wanted, "both are in its system")
    connector.restart()
    database.execute("INSERT INTO balasan VALUES (1, 'answer', ?, NULL, 'Selesai.')", (leg["id"],))
    eventually(lambda: [each["status"] for _, each in office.legs()] == ["answered"], "it answers")
    assert database.execute(rows).fetchall() == wanted, "once each"


def test_by_a_call_it_is_an_event_as_the_schema_has_it(
    office: Office, connector: ConnectorProcess, system: AgencySystem, successor: Caller
) -> None:
    leg = office.forward("1")
    office.hand_over(office.ministry, successor)
    types = json.dumps(["forwarding.sent", "agency.handed_over"])
    deliver = f'[deliver]\nevent_types = {types}\n[deliver.http]\nurl = "{system.url}"'
    mailbox_config(office, connector, deliver, successor)
    connector.start()
    eventually(lambda: len(system.got) >= 3, "the forwarding, the handover of the case, and the sum")
    made, *handed = system.got
    assert [event["type"] for event in handed] == ["id.simpul.agency.handed_over.v1"] * 2
    assert made["type"] == "id.simpul.forwarding.sent.v1"
    assert (made["subject"], made["data"]["forwarding"]["id"]) == (leg["case_id"], leg["id"])
    assert made["data"]["forwarding"]["to"] == successor.agency
    assert Registry.load().validate("forwarding.sent", made["data"]) == []
