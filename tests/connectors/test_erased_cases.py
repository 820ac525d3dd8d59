"""A case is erased in the hub: an agency's connector keeps nothing of it, its system's copies go, and only
then the hub has the receipt."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.connectors.agency_system import AgencySystem
from tests.connectors.office import Office, mailbox_config
from tests.connectors.processes import ConnectorProcess, eventually
from tests.connectors.test_webhook_kind import Receiving

WORDS = (b"Sudah seminggu gelap", b"Lampu jalan di Jalan Pelita mati")
TYPES = 'event_types = ["forwarding.sent", "reporter.erased"]'
REFUSING = [500] * 10_000
TABLES = """
CREATE TABLE masuk (peristiwa TEXT, kasus TEXT, penerusan TEXT, isi TEXT);
CREATE TABLE balasan (id INTEGER PRIMARY KEY, penerusan TEXT, isi TEXT);
"""
IN_TABLES = """
[database]
url_env = "MINISTRY_URL"
[deliver.table]
statements = ["INSERT INTO masuk VALUES (:event_id, :case_id, :forwarding_id, :description)"]
already_written = "SELECT 1 FROM masuk WHERE peristiwa = :event_id"
"""
BY_CASE = """
[deliver.erased]
statements = ["UPDATE masuk SET isi = '' WHERE kasus = :case_id"]
"""
BY_LEG = BY_CASE.replace("kasus = :case_id", "penerusan = :forwarding_id")


@pytest.fixture
def database(connector: ConnectorProcess) -> Iterator[sqlite3.Connection]:
    """The ministry's own."""
    path = connector.folder / "ministry.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as opened:
        opened.executescript(TABLES)
        yield opened


def holds_words(connector: ConnectorProcess) -> bool:
    return any(word in connector.on_disk() for word in WORDS)


def receipted(office: Office, case_id: str) -> Any:
    return eventually(lambda: office.receipt(case_id, office.ministry), "the hub has the receipt")


def test_what_waits_is_gone_at_once_and_the_receipt_follows_the_call(
    office: Office, connector: ConnectorProcess, system: AgencySystem
) -> None:
    """The system is broken all the while, and the connector is killed between deletion and receipt."""
    system.answers = [*REFUSING]
    mailbox_config(office, connector, f'[deliver]\n{TYPES}\n[deliver.http]\nurl = "{system.url}"')
    case_id = str(office.forward("1")["case_id"])
    connector.start()
    eventually(lambda: len(system.answers) < len(REFUSING), "it was tried")
    assert holds_words(connector), "the words wait in the spool"
    office.erase(case_id)
    eventually(lambda: not holds_words(connector), "no file of the spool holds them")
    for _ in range(3):
        connector.restart()
        left = len(system.answers)
        eventually(lambda most=left: len(system.answers) < most, "it is tried again")
        assert not holds_words(connector)
    assert office.receipt(case_id, office.ministry) is None, "its system has not taken the event yet"
    system.answers = []
    receipted(office, case_id)
    assert system.types(case_id) == ["reporter.erased"], "the words were never handed over after all"
    assert [event for event in system.got if "Pelita" in str(event)] == []
    eventually(lambda: office.settled(office.ministry), "it goes on")


def test_a_hub_that_is_away_gets_the_receipt_when_it_is_back(
    office: Office, connector: ConnectorProcess, system: AgencySystem
) -> None:
    mailbox_config(office, connector, f'[deliver]\n{TYPES}\n[deliver.http]\nurl = "{system.url}"')
    case_id = str(office.forward("1")["case_id"])
    connector.start()
    eventually(lambda: system.types(case_id) == ["forwarding.sent"], "it has the case")
    system.answers = [*REFUSING]
    office.erase(case_id)
    eventually(lambda: len(system.answers) < len(REFUSING), "the erasure is known")
    office.hub.kill()
    system.answers = []
    eventually(lambda: any("the hub is away" in event for event in connector.events()), "it says so")
    connector.restart()
    office.hub.start()
    receipted(office, case_id)
    assert set(system.types(case_id)) == {"forwarding.sent", "reporter.erased"}


def test_by_webhook(office: Office, connector: ConnectorProcess, system: AgencySystem) -> None:
    receiving = Receiving(office, connector, system)
    receiving.start(receiving.secret, types='["forwarding.sent", "reporter.erased"]')
    case_id = str(office.forward("1")["case_id"])
    eventually(lambda: system.types(case_id) == ["forwarding.sent"], "it has the case")
    office.erase(case_id)
    receipted(office, case_id)
    assert system.types(case_id) == ["forwarding.sent", "reporter.erased"]
    assert not holds_words(connector)


@pytest.mark.parametrize("erased", [BY_CASE, BY_LEG], ids=["by case", "by forwarding"])
def test_a_statement_erases_the_rows_of_that_case_alone(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection, erased: str
) -> None:
    mailbox_config(office, connector, IN_TABLES + erased)
    gone, stays = (str(office.forward(name)["case_id"]) for name in ("1", "2"))
    connector.start()
    rows = "SELECT count(*) FROM masuk WHERE isi <> ''"
    eventually(lambda: database.execute(rows).fetchone() == (2,), "both are there")
    office.erase(gone)
    receipted(office, gone)
    kept = database.execute("SELECT kasus FROM masuk WHERE isi <> ''").fetchall()
    assert kept == [(stays,)]
    assert "will run when a case is erased" in connector.run("check").stdout


@pytest.mark.parametrize("by_call", [True, False], ids=["http", "table"])
def test_without_a_way_to_erase_a_person_confirms(
    office: Office,
    connector: ConnectorProcess,
    database: sqlite3.Connection,
    system: AgencySystem,
    by_call: bool,
) -> None:
    mailbox_config(office, connector, f'[deliver.http]\nurl = "{system.url}"' if by_call else IN_TABLES)
    case_id = str(office.forward("1")["case_id"])
    connector.start()
    eventually(lambda: office.settled(office.ministry), "it has the case")
    early = connector.run("receipt", case_id)
    assert (early.returncode, "has not heard that case" in early.stderr) == (1, True)
    office.erase(case_id)
    eventually(lambda: office.settled(office.ministry), "the erasure was taken")
    assert office.receipt(case_id, office.ministry) is None
    (told,) = [line for line in connector.logged() if "left" in line]
    assert "own system: erase it there" in told["left"]
    assert (told["level"], told["then"]) == (
        "warning",
        f"simpul-connector receipt {connector.config} {case_id}",
    )
    assert f"case {case_id} was erased in the hub" in connector.run("check").stdout
    said = connector.run("receipt", case_id)
    assert (said.returncode, said.stderr) == (0, "")
    assert office.receipt(case_id, office.ministry), said.stdout
    assert f"case {case_id} was erased" not in connector.run("check").stdout
    assert connector.run("receipt", case_id).returncode == 0, "again is harmless"


def test_of_a_case_that_was_never_handed_over_the_receipt_needs_nobody(
    office: Office, connector: ConnectorProcess, database: sqlite3.Connection
) -> None:
    mailbox_config(office, connector, '[deliver]\nevent_types = ["complaint.closed"]' + IN_TABLES)
    case_id = str(office.forward("1")["case_id"])
    connector.start()
    office.erase(case_id)
    receipted(office, case_id)


def test_an_erasure_told_again_by_a_restored_hub_is_confirmed_again(
    own_hub: Any, connector: ConnectorProcess, system: AgencySystem
) -> None:
    office = Office.open(own_hub)
    mailbox_config(office, connector, f'[deliver]\n{TYPES}\n[deliver.http]\nurl = "{system.url}"')
    case_id = str(office.forward("1")["case_id"])
    office.erase(case_id)
    backup = str(connector.folder / "backup.tar.gz")
    own_hub.desk("backup", backup)
    connector.start()
    receipted(office, case_id)
    own_hub.stop()
    own_hub.desk("restore", backup)
    own_hub.start()
    assert office.receipt(case_id, office.ministry) is None, "the backup is older than the receipt"
    receipted(office, case_id)
