"""After a restore of the hub nobody retypes a complaint: what it lacks is read and sent again."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from connectors.ministry import GIVE_AGAIN
from connectors.reconciling import PAGE_BYTES, within_bytes
from connectors.written import LACKS as LACKS_ANSWERS
from tests.connectors.apps import App
from tests.connectors.office import Office, mailbox_config, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.connectors.test_handed_over import IN_TABLES, TABLES
from tests.parts.hub import HubProcess

LACKS = "the hub lacks complaints that it had; reading and sending them again"


def restore_after_two(own_hub: HubProcess, app: App, office: Office, connector: ConnectorProcess) -> None:
    """The backup holds report 1; 2 and 3 are acknowledged after it."""
    app.reports(1)
    connector.start()
    eventually(lambda: len(office.complaints()) == 1, "the first arrives")
    backup = str(connector.folder / "backup.tar.gz")
    own_hub.desk("backup", backup)
    app.reports(2)
    eventually(lambda: len(office.complaints()) == 3, "two that the backup does not hold")
    own_hub.stop()
    own_hub.desk("restore", backup)


@pytest.mark.parametrize("rescan", ["rescan_every_s = 900", "rescan_every_s = 0"])
def test_a_running_connector_sends_again_what_a_restored_hub_lacks(
    rescan: str, own_hub: HubProcess, sqlite: App, connector: ConnectorProcess
) -> None:
    office = Office.open(own_hub)
    source = f'table = "pengaduan"\nkey = "id_pengaduan"\nwindow = 1\nevery_s = 0.1\n{rescan}'
    source += '\njoin = "LEFT JOIN masyarakat ON masyarakat.nik = pengaduan.nik"'
    sql_config(sqlite, office, connector, write_back(office.ministry), source=source)
    restore_after_two(own_hub, sqlite, office, connector)
    own_hub.start()
    assert sorted(office.complaints()) == ["1"]
    eventually(lambda: sorted(office.complaints()) == ["1", "2", "3"], "they arrive again")
    eventually(lambda: len(office.legs()) == 3, "and are forwarded again")
    assert [line["count"] for line in connector.logged() if line["event"] == LACKS] == [2]
    assert sorted(office.accepted()) == ["1", "2", "3"]


def test_a_connector_that_was_down_meanwhile_compares_at_its_start(
    own_hub: HubProcess, sqlite: App, connector: ConnectorProcess
) -> None:
    office = Office.open(own_hub)
    sql_config(sqlite, office, connector)
    restore_after_two(own_hub, sqlite, office, connector)
    connector.kill()
    sqlite.run("DELETE FROM pengaduan WHERE id_pengaduan = 3")
    own_hub.start()
    connector.start()
    eventually(lambda: sorted(office.complaints()) == ["1", "2"], "what the app still has arrives again")
    gone = "complaints that the hub lost have no row here any more; see check"
    eventually(lambda: gone in connector.events(), "what is lost on both sides is named")
    assert "3 (held): the hub had it and lost it" in connector.run("check").stdout


def test_a_ministry_hears_that_its_replies_may_be_lost(
    own_hub: HubProcess, connector: ConnectorProcess
) -> None:
    office = Office.open(own_hub)
    mailbox_config(office, connector, IN_TABLES)
    with closing(sqlite3.connect(connector.folder / "ministry.db", isolation_level=None)) as database:
        database.executescript(TABLES)
        leg = office.forward("1")
        connector.start()
        eventually(lambda: database.execute("SELECT 1 FROM masuk").fetchall(), "its system has it")
        backup = str(connector.folder / "backup.tar.gz")
        own_hub.desk("backup", backup)
        reply = (7, "answer", leg["id"], None, "Sudah kami perbaiki.")
        database.execute("INSERT INTO balasan VALUES (?, ?, ?, ?, ?)", reply)
        eventually(lambda: office.legs()[0][1]["status"] == "answered", "the hub has the answer")
    own_hub.stop()
    own_hub.desk("restore", backup)
    own_hub.start()
    eventually(lambda: GIVE_AGAIN in connector.events(), "it says so")
    (line,) = [line for line in connector.logged() if line["event"] == GIVE_AGAIN]
    assert line["last"] == "row-7"


def test_an_answer_in_the_app_that_the_restored_hub_lacks_is_named_once(
    own_hub: HubProcess, sqlite: App, connector: ConnectorProcess
) -> None:
    office = Office.open(own_hub)
    sql_config(sqlite, office, connector, write_back(office.ministry))
    sqlite.reports(2)
    connector.start()
    eventually(lambda: len(office.legs()) == 2, "both are forwarded")
    legs = dict(office.legs())
    office.answer(legs["1"], "Sudah diaspal.")
    written = "SELECT count(*) FROM tanggapan"
    eventually(lambda: sqlite.run(written) == [(1,)], "the first answer is in the app")
    backup = str(connector.folder / "backup.tar.gz")
    own_hub.desk("backup", backup)
    office.answer(legs["2"], "Lampu sudah diganti.")
    eventually(lambda: sqlite.run(written) == [(2,)], "the second too, which the backup does not hold")
    eventually(office.settled, "and its event is settled")
    own_hub.stop()
    own_hub.desk("restore", backup)
    own_hub.start()
    eventually(lambda: LACKS_ANSWERS in connector.events(), "it says so")
    listed = "the restored hub lacks the answer to 1 report"
    eventually(lambda: listed in connector.run("check").stdout, "and so does check")
    office.answer(legs["2"], "Lampu sudah diganti.")
    eventually(office.settled, "it is given again")
    assert "the restored hub lacks" not in connector.run("check").stdout
    connector.restart()
    eventually(lambda: connector.events().count("connector started") == 2, "it runs again")
    (line,) = [line for line in connector.logged() if line["event"] == LACKS_ANSWERS]
    assert (line["count"], line["references"]) == (1, "2")
    assert sqlite.run(written) == [(2,)]


def test_a_page_of_long_references_stays_below_what_the_hub_takes() -> None:
    references = [f"{number:0128}" for number in range(10_000)]
    page = within_bytes(references)
    assert 0 < len(page) < len(references)
    assert sum(len(reference) + 3 for reference in page) < PAGE_BYTES
    assert within_bytes(references[:10]) == references[:10]
