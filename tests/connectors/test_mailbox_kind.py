"""Kind `mailbox`: events become rows or HTTP calls, rows become replies, each once, after a restore too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.connectors.agency_system import AgencySystem
from tests.connectors.office import Office, mailbox_config
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.hub import HubProcess

TABLES = """
CREATE TABLE masuk (peristiwa TEXT, penerusan TEXT, judul TEXT, isi TEXT);
CREATE TABLE balasan (id INTEGER PRIMARY KEY, aksi TEXT, penerusan TEXT, isi TEXT, alasan TEXT);
"""
IN_TABLES = '''
[database]
url_env = "MINISTRY_URL"
[deliver.table]
statements = ["INSERT INTO masuk VALUES (:event_id, :forwarding_id, :title, :description)"]
already_written = "SELECT 1 FROM masuk WHERE peristiwa = :event_id"
[answers.table]
every_s = 0.1
query = """SELECT id, aksi AS action, penerusan AS forwarding_id, isi AS text, alasan AS reason
           FROM balasan WHERE id > :cursor ORDER BY id LIMIT :limit"""
'''


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The ministry's own."""
    with closing(sqlite3.connect(tmp_path / "ministry.db", isolation_level=None, timeout=10)) as opened:
        opened.executescript(TABLES)
        yield opened


def test_a_mailbox_becomes_rows_and_rows_become_replies(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection
) -> None:
    mailbox_config(office, connector, IN_TABLES)
    legs = [office.forward(str(number)) for number in range(4)]
    connector.start()
    arrived = "SELECT count(*) FROM masuk"
    eventually(lambda: database.execute(arrived).fetchone()[0] == 4, "forwardings become rows")
    wanted = {(leg["id"], "Lampu jalan di Jalan Pelita mati") for leg in legs}
    assert set(database.execute("SELECT penerusan, judul FROM masuk")) == wanted
    rows: list[tuple[object, ...]] = [
        (1, "accept", legs[0]["id"], None, None),
        (2, "progress", legs[0]["id"], "Sedang dicek.", None),
    ]
    rows += [(3, "jawab", legs[0]["id"], "?", None), (4, "return", legs[1]["id"], None, "not_ours")]
    rows += [(9, "answer", legs[2]["id"], "Selesai.", None), (7, "answer", legs[0]["id"], "Selesai.", None)]
    for row in rows:
        database.execute("INSERT INTO balasan VALUES (?, ?, ?, ?, ?)", row)
        if row[0] == 9:
            connector.restart()
    ended = ["answered", "returned", "answered", "sent"]
    eventually(lambda: [leg["status"] for _, leg in office.legs()] == ended, f"the hub has {ended}")
    assert database.execute(arrived).fetchone()[0] == 4
    assert "row-3 (refused): action: must be one of" in connector.run("check").stdout
    eventually(lambda: office.settled(office.ministry), "it acknowledges")


CONSULTED = '''
[database]
url_env = "MINISTRY_URL"
[deliver]
event_types = ["consultation.requested"]
[deliver.table]
statements = ["INSERT INTO masuk VALUES (:event_id, :consultation_id, :title, :question)"]
already_written = "SELECT 1 FROM masuk WHERE peristiwa = :event_id"
[answers.table]
every_s = 0.1
query = """SELECT id, aksi AS action, penerusan AS consultation_id, isi AS text, alasan AS verdict,
                  'kemen-lain' AS suggested_agency
           FROM balasan WHERE id > :cursor ORDER BY id LIMIT :limit"""
'''


def test_a_consultation_becomes_a_row_and_its_verdict_is_a_row(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection
) -> None:
    other = office.hub.agency(f"lain-{office.ministry.agency}", "ministry")
    mailbox_config(office, connector, CONSULTED.replace("kemen-lain", other.agency))
    path = f"/v1/cases/{office.submit('1')['id']}"
    assert office.source.call("POST", f"{path}/verification", {"decision": "accept"})[0] == 200
    for agency in (other.agency, office.ministry.agency):
        question = {"agency": agency, "question": "Apakah lampu di jalan nasional urusan Bapak?"}
        status, asked = office.source.call("POST", f"{path}/consultations", question)
        assert status == 201, asked
    connector.start()
    arrived = "SELECT penerusan, isi FROM masuk"
    eventually(lambda: database.execute(arrived).fetchall(), "the question becomes a row")
    assert database.execute(arrived).fetchall() == [(asked["id"], question["question"])]
    for number, verdict in enumerate(["bukan", "not_ours", "ours"]):
        row = (number + 1, "verdict", asked["id"], "Lampu jalan nasional ada di balai.", verdict)
        database.execute("INSERT INTO balasan VALUES (?, ?, ?, ?, ?)", row)
    kind = "id.simpul.consultation.answered.v1"
    given = eventually(
        lambda: [item["event"] for item in office.source.events() if item["event"]["type"] == kind],
        "the verdict is in the hub",
    )
    connector.restart()
    eventually(lambda: "row-1 (refused): verdict: must be one of" in connector.run("check").stdout, "listed")
    ((verdict,),) = [[event["data"]["consultation"] for event in given]]
    assert (verdict["verdict"], verdict["suggested_agency"]) == ("not_ours", other.agency)
    assert verdict["text"] == "Lampu jalan nasional ada di balai."


def test_after_a_restore_of_the_hub_nothing_is_lost_and_nothing_is_handed_over_twice(
    own_hub: HubProcess, connector: ConnectorProcess, system: AgencySystem
) -> None:
    office = Office.open(own_hub)
    mailbox_config(office, connector, f'[deliver.http]\nurl = "{system.url}"')
    office.forward("1")
    connector.start()
    eventually(lambda: len(system.got) == 1, "the first event")
    backup = str(connector.folder / "backup.tar.gz")
    own_hub.desk("backup", backup)
    office.forward("2")
    eventually(lambda: len(system.got) == 2, "the second, which the backup does not hold")
    own_hub.stop()
    own_hub.desk("restore", backup)
    own_hub.start()
    office.forward("3")
    eventually(lambda: len(system.got) == 3, "the third, at the position that the second had")
    eventually(lambda: office.settled(office.ministry), "it caught up")
    references = [event["data"]["complaint"]["source"]["reference"] for event in system.got]
    assert references == ["1", "2", "3"]
    assert any("restored from a backup" in event for event in connector.events())


def test_an_answer_by_case_goes_to_the_newest_forwarding_that_is_open(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection
) -> None:
    """The ministry assisted, answered, and was asked a second time in the same case."""
    lead = office.hub.agency(f"lead-{office.ministry.agency}", "agency")
    path = f"/v1/cases/{office.submit('1')['id']}"
    assert office.source.call("POST", f"{path}/verification", {"decision": "accept"})[0] == 200
    support = {"agency": office.ministry.agency, "role": "support"}
    first = {"to": [{"agency": lead.agency, "role": "lead"}, support]}
    status, sent = office.source.call("POST", f"{path}/forwardings", first)
    assert status == 201, sent
    office.answer(sent["items"][1], "Rambu sudah dipasang.")
    status, again = office.source.call("POST", f"{path}/forwardings", {"to": [support]})
    assert status == 201, again
    mailbox_config(office, connector, IN_TABLES.replace("penerusan AS forwarding_id", "penerusan AS case_id"))
    connector.start()
    case_id = sent["items"][0]["case_id"]
    database.execute("INSERT INTO balasan VALUES (1, 'answer', ?, 'Rambu kedua juga.', NULL)", (case_id,))
    second = again["items"][0]["id"]
    eventually(
        lambda: ("answered", second) in [(leg["status"], leg["id"]) for _, leg in office.legs()],
        "the second forwarding is answered",
        within_s=10,
    )


def test_a_row_that_cannot_be_a_reply_is_listed_and_the_others_go_on(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection
) -> None:
    """Ids are texts here, as some systems have them."""
    database.executescript(
        "DROP TABLE balasan; CREATE TABLE balasan (id TEXT PRIMARY KEY, aksi, penerusan, isi, alasan)"
    )
    mailbox_config(office, connector, IN_TABLES + "start_after = ''\n")
    legs = [office.forward(str(number))["id"] for number in range(4)]
    rows = [
        ("a\n1", legs[0]),
        ("b 2", legs[1]),
        ("c-é", legs[2]),
        ("d" * 300, legs[0]),
        ("e", "../webhook/secret#"),
        ("f", legs[3]),
        ("f ", legs[0]),
        ("g 7 ", legs[0]),
    ]
    for name, leg in rows:
        database.execute("INSERT INTO balasan VALUES (?, 'accept', ?, NULL, NULL)", (name, leg))
    connector.start()
    eventually(
        lambda: [leg["status"] for _, leg in office.legs()] == ["accepted"] * 4, "the good ones take effect"
    )
    connector.kill()
    said = connector.run("check").stdout
    assert "row-a\\n1 (refused): id: holds a line break" in said
    assert "(refused): id: has 300 characters; 240 are the most" in said
    assert "row-e (refused): forwarding_id: is no UUID" in said
    assert "row-f  (refused): id: is that of another row but for blanks" in said
