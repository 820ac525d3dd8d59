"""A hub that fails (500) at everything about one case, before whole connectors: the others are served."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.connectors.agency_system import AgencySystem
from tests.connectors.apps import App
from tests.connectors.faulty_proxy import Fault, FaultyProxy
from tests.connectors.office import Office, mailbox_config, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually

REPLIES = "CREATE TABLE balasan (id INTEGER PRIMARY KEY, aksi TEXT, disposisi TEXT)"
IN_TABLES = '''
[database]
url_env = "MINISTRY_URL"
[answers.table]
every_s = 0.1
query = """SELECT id, aksi AS action, disposisi AS forwarding_id FROM balasan
           WHERE id > :cursor ORDER BY id LIMIT :limit"""
'''


def test_a_forwarding_that_the_hub_fails_at_holds_up_no_other_reply(
    office: Office, proxy: FaultyProxy, connector: ConnectorProcess, system: AgencySystem
) -> None:
    failing, other = (office.forward(str(number)) for number in (1, 2))
    with closing(sqlite3.connect(connector.folder / "ministry.db")) as opened, opened:
        opened.execute(REPLIES)
        rows = [(1, "accept", failing["id"]), (2, "accept", other["id"])]
        opened.executemany("INSERT INTO balasan VALUES (?, ?, ?)", rows)
    mailbox_config(office, connector, f'[deliver.http]\nurl = "{system.url}"\n{IN_TABLES}')
    proxy.faults = [Fault(f"/v1/forwardings/{failing['id']}", 500, lasting=True)]
    connector.start()
    eventually(lambda: accepted(office) == {other["id"]}, "the other is accepted")
    said = connector.run("check").stdout
    assert "row-1 (pending): the hub answers 500" in said
    assert [line["reply"] for line in connector.logged() if "fails at" in line["event"]] == ["row-1"]
    assert not any("away" in event for event in connector.events())
    proxy.faults.clear()
    eventually(lambda: accepted(office) == {failing["id"], other["id"]}, "and this one, once the hub can")
    assert "row-1" not in connector.run("check").stdout


def accepted(office: Office) -> set[str]:
    return {leg["id"] for _, leg in office.legs() if leg["status"] == "accepted"}


def test_a_case_that_the_hub_does_not_show_holds_up_no_other_event(
    sqlite: App, office: Office, proxy: FaultyProxy, connector: ConnectorProcess
) -> None:
    sqlite.run("ALTER TABLE pengaduan ADD COLUMN posisi TEXT")
    sqlite.reports(3)
    where = 'SET status = :status, posisi = :handler_name WHERE id_pengaduan = :key"\nvalues'
    plain = 'SET status = :status WHERE id_pengaduan = :key"\nvalues'
    sql_config(sqlite, office, connector, write_back(office.ministry).replace(plain, where))
    connector.start()
    eventually(lambda: len(office.legs()) == 3 and at_work(sqlite) == [1, 2, 3], "all are forwarded")
    (case_id,) = [leg["case_id"] for name, leg in office.legs() if name == "1"]
    proxy.faults = [Fault(f"/v1/cases/{case_id}", 500, lasting=True)]
    assert office.answer_all() == 3
    eventually(lambda: at_work(sqlite) == [1], "the answers to the others are in the app")
    assert not any("away" in event for event in connector.events())
    proxy.faults.clear()
    eventually(lambda: at_work(sqlite) == [], "and this one, once the hub can")
    assert sqlite.run("SELECT count(*) FROM tanggapan") == [(3,)]


def at_work(app: App) -> list[int]:
    return [
        row[0] for row in app.run("SELECT id_pengaduan FROM pengaduan WHERE status = 'proses' ORDER BY 1")
    ]
