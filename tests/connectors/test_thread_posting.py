"""A ministry with nothing but tables, or one HTTP endpoint, takes part in a thread."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.agency_system import AgencySystem
from tests.connectors.faulty_proxy import Fault, FaultyProxy
from tests.connectors.office import Office, mailbox_config
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.caller import DIRECT
from tests.parts.local_server import free_port

TABLES = """
CREATE TABLE rapat (peristiwa TEXT, jenis TEXT, utas TEXT, kasus TEXT, status TEXT, isi TEXT, dari TEXT);
CREATE TABLE urusan (kasus TEXT, status TEXT);
CREATE TABLE pesan (id INTEGER PRIMARY KEY, aksi TEXT, utas TEXT, kasus TEXT, isi TEXT, lingkup TEXT);
"""
IN_TABLES = '''
[database]
url_env = "MINISTRY_URL"
[deliver]
event_types = ["*"]
[deliver.table]
statements = ["""INSERT INTO rapat VALUES (:event_id, :type, :thread_id, :cases, :thread_status,
                 coalesce(:text, :thread_subject), :agency)""",
              "UPDATE urusan SET status = :status WHERE kasus = :case_id"]
already_written = "SELECT 1 FROM rapat WHERE peristiwa = :event_id"
[answers.table]
every_s = 0.1
query = """SELECT id, aksi AS action, utas AS thread_id, kasus AS case_id, isi AS text, lingkup AS scope,
                  'Budi Santoso, Bina Marga' AS officer
           FROM pesan WHERE id > :cursor ORDER BY id LIMIT :limit"""
'''


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The ministry's own."""
    with closing(sqlite3.connect(tmp_path / "ministry.db", isolation_level=None, timeout=10)) as opened:
        opened.executescript(TABLES)
        yield opened


def open_thread(office: Office, *cases: str) -> str:
    body = {"subject": "Lampu jalan", "cases": list(cases), "participants": [office.ministry.agency]}
    status, thread = office.source.call("POST", "/v1/threads", body)
    assert status == 201, thread
    return str(thread["id"])


def messages(office: Office, thread: str) -> list[dict[str, Any]]:
    return list(office.source.call("GET", f"/v1/threads/{thread}/messages")[1]["items"])


def texts(office: Office, thread: str) -> list[str]:
    return [each["text"] for each in messages(office, thread)]


def write(database: sqlite3.Connection, *rows: tuple[object, ...]) -> None:
    for row in rows:
        database.execute("INSERT INTO pesan VALUES (?, ?, ?, ?, ?, ?)", row)


def test_rows_become_messages_once_and_refused_ones_block_nobody(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection
) -> None:
    legs = [office.forward(str(number)) for number in range(2)]
    cases = [leg["case_id"] for leg in legs]
    thread, foreign = open_thread(office, *cases), "0197f0d3-5a10-7c44-8b21-6e0f3a9d5101"
    mailbox_config(office, connector, IN_TABLES)
    connector.start()
    write(
        database,
        (1, "message", thread, None, "Tiang diganti Senin.", "agencies"),
        (2, "message", thread, None, "Anggaran belum turun.", "internal"),
        (3, "message", foreign, None, "Halo?", "agencies"),
        (4, "message", thread, None, "Untuk siapa?", None),
        (5, "message", None, None, "Di mana?", "agencies"),
        (6, "message", thread, None, " ", "agencies"),
        (7, "message", thread, cases[1], "Petugas kami datang besok.", "reporter"),
    )
    eventually(lambda: len(texts(office, thread)) == 2, "what the regency may read arrives")
    for number in range(10, 20):
        write(database, (number, "message", thread, None, f"Pesan {number}.", "agencies"))
        if number % 4 == 1:
            connector.restart()
    told = ["Tiang diganti Senin.", "Petugas kami datang besok."]
    told += [f"Pesan {number}." for number in range(10, 20)]
    eventually(lambda: len(texts(office, thread)) >= len(told), "all arrive")
    status, ended = office.source.call("POST", f"/v1/threads/{thread}/conclusion", {"text": "Selesai."})
    assert status == 200, ended
    write(
        database,
        (20, "message", thread, None, "Terlambat.", "agencies"),
        (21, "accept", None, cases[0], None, None),
    )
    eventually(lambda: office.legs()[0][1]["status"] == "accepted", "who comes after a refusal goes on")
    eventually(lambda: office.settled(office.ministry), "every event took effect")
    found = messages(office, thread)
    assert [each["text"] for each in found] == told
    assert {each["author"]["officer"] for each in found} == {"Budi Santoso, Bina Marga"}
    assert [each.get("cases") for each in found if each["scope"] == "reporter"] == [[cases[1]]]
    said = connector.run("check").stdout
    for row, reason in (
        (3, "404"),
        (4, "scope: must be one of internal, agencies, reporter"),
        (5, "thread_id: is missing"),
        (6, "text: message needs a text"),
        (20, "409"),
    ):
        assert f"row-{row} (refused): {reason}" in said, said


def test_every_event_of_a_thread_becomes_a_row_and_touches_no_status(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection
) -> None:
    case = office.forward("1")["case_id"]
    database.execute("INSERT INTO urusan VALUES (?, 'baru')", (case,))
    database.execute("INSERT INTO urusan VALUES (NULL, 'lain')")
    mailbox_config(office, connector, IN_TABLES)
    connector.start()
    eventually(lambda: database.execute("SELECT 1 FROM urusan WHERE status = 'forwarded'").fetchall(), "sent")
    thread = open_thread(office, case)
    source, path = office.source, f"/v1/threads/{thread}"
    status, message = source.call("POST", f"{path}/messages", {"text": "Siapa?", "scope": "agencies"})
    assert status == 201, message
    assert source.call("PATCH", f"/v1/messages/{message['id']}", {"text": "Siapa mau?"})[0] == 200
    words = "SELECT isi FROM rapat WHERE jenis LIKE 'thread.message_%' ORDER BY rowid"
    said = [("Siapa?",), ("Siapa mau?",)]
    eventually(lambda: database.execute(words).fetchall() == said, "its words are rows")  # withheld later
    assert source.call("DELETE", f"/v1/messages/{message['id']}")[0] == 200
    body = {"agency": office.ministry.agency, "text": "Ganti tiang", "due_on": _in_days(10)}
    status, made = source.call("POST", f"{path}/commitments", body)
    assert status == 201, made
    later = {"due_on": _in_days(11), "reason": "Libur."}
    assert source.call("PATCH", f"/v1/commitments/{made['id']}", later)[0] == 200
    assert source.call("POST", f"/v1/commitments/{made['id']}/fulfilment", {"text": "Sudah."})[0] == 200
    assert source.call("POST", f"{path}/conclusion", {"text": "Tuntas."})[0] == 200
    assert source.call("POST", f"{path}/reopening", {})[0] == 200
    rows = "SELECT jenis, isi, status FROM rapat WHERE utas = ? AND kasus = ? ORDER BY rowid"
    eventually(lambda: len(database.execute(rows, (thread, case)).fetchall()) == 9, "all are rows")
    eventually(lambda: office.settled(office.ministry), "and nothing is left")
    found = [(kind.removeprefix("thread."), *rest) for kind, *rest in database.execute(rows, (thread, case))]
    assert [kind for kind, _, _ in found] == [
        "opened", "message_posted", "message_edited", "message_withdrawn", "commitment_made",
        "commitment_changed", "commitment_fulfilled", "concluded", "reopened",
    ]  # fmt: skip
    assert found[0] == ("opened", "Lampu jalan", "open")
    assert [text for kind, text, _ in found if kind.startswith("commitment")] == ["Ganti tiang"] * 3
    assert found[7] == ("concluded", "Tuntas.", "concluded")
    assert sorted(database.execute("SELECT status FROM urusan")) == [("forwarded",), ("lain",)]


def test_an_endpoint_takes_messages_and_a_lost_answer_makes_no_second_one(
    office: Office, proxy: FaultyProxy, connector: ConnectorProcess, system: AgencySystem
) -> None:
    case, port = office.forward("1")["case_id"], free_port()
    rest = f"""
[deliver]
event_types = ["thread.message_posted"]
[deliver.http]
url = "{system.url}"
[answers.http]
listen = "127.0.0.1:{port}"
token_env = "REPLY_TOKEN"
"""
    mailbox_config(office, connector, rest, REPLY_TOKEN="rahasia")
    thread = open_thread(office, case)
    connector.start()
    proxy.faults.append(Fault("/v1/threads", cut=True, holding=b"Tiang diganti"))
    body = {"id": 1, "action": "message", "thread_id": thread, "scope": "agencies"}
    reply = body | {"text": "Tiang diganti Senin."}
    eventually(lambda: _tell(port, reply) == 202, "it is taken")
    eventually(lambda: texts(office, thread), "the hub has it, and the connector may not know")
    connector.restart()
    eventually(lambda: _tell(port, reply | {"text": "Lain."}) == 202, "the same id does nothing")
    assert _tell(port, body | {"id": 2, "text": "Ke semua.", "scope": "semua"}) == 422
    eventually(lambda: _tell(port, body | {"id": 3, "text": "Terima kasih."}) == 202, "the next")
    eventually(lambda: len(texts(office, thread)) == 2, "it arrives")
    assert texts(office, thread) == ["Tiang diganti Senin.", "Terima kasih."]
    eventually(lambda: len(system.types(thread)) == 2, "both come back as events")


def _in_days(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()


def _tell(port: int, body: dict[str, Any]) -> int:
    headers = {"Authorization": "Bearer rahasia", "Content-Type": "application/json"}
    sent = urllib.request.Request(f"http://127.0.0.1:{port}/replies", json.dumps(body).encode(), headers)
    try:
        with DIRECT.open(sent, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0  # it is not listening yet


def test_a_client_that_may_not_write_in_threads_loses_its_messages_alone(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection
) -> None:
    leg = office.forward("1")
    thread = open_thread(office, leg["case_id"])
    mailbox_config(office, connector, IN_TABLES)
    scopes = ("cases:read", "mailbox:read", "cases:handle")
    options = [part for scope in scopes for part in ("--scope", scope)]
    connector.sign_in_as(office.hub.caller(office.hub.client(office.ministry.agency, *options)))
    write(
        database,
        (1, "message", thread, None, "Tiang diganti Senin.", "agencies"),
        (2, "accept", None, leg["case_id"], None, None),
    )
    connector.start()
    eventually(lambda: office.legs()[0][1]["status"] == "accepted", "the acceptance goes on")
    said = connector.run("check").stdout
    assert "row-1 (refused): 403" in said
    assert "under a new id" in said
