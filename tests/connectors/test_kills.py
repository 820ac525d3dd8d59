"""What must hold when the connector is killed (-9) at any moment and a part is away. The large run, with a
thousand rows and a ministry's webhook, is tests/e2e/test_mariadb_to_ministry.py."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually

ROWS, KILLS = 20, 2


@pytest.mark.timeout(120)
def test_an_answer_is_written_once_however_often_the_connector_is_killed(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    app.reports(ROWS)
    sql_config(app, office, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: len(office.legs()) >= ROWS // 2, "half of them are forwarded")
    for _ in range(KILLS):
        connector.restart()
        office.answer_all()
        time.sleep(random.uniform(0.3, 0.9))
    eventually(lambda: not office.answer_all() and _answered(office) == ROWS, "all are answered")
    written = "SELECT id_pengaduan, count(*) FROM tanggapan GROUP BY id_pengaduan"
    eventually(lambda: len(app.run(written)) == ROWS, "the answers are in the app")
    done = "SELECT count(*) FROM pengaduan WHERE status = 'selesai'"
    eventually(lambda: app.run(done)[0][0] == ROWS, "and the statuses")
    eventually(office.settled, "every event took effect")
    assert {row[1] for row in app.run(written)} == {1}
    assert sorted(office.accepted(), key=int) == [str(number) for number in range(1, ROWS + 1)]


def _answered(office: Office) -> int:
    return sum(case["status"] == "answered" for case in office.source.cases())


def test_a_hub_that_is_away_is_named_once_and_waited_for(
    myisam: App, office: Office, connector: ConnectorProcess
) -> None:
    myisam.reports(3)
    sql_config(myisam, office, connector)
    office.hub.kill()
    connector.start()
    away, back = "the hub is away; waiting for it, nothing is lost", "the hub is back; catching up"
    eventually(lambda: away in connector.events(), "it says so")
    office.hub.start()
    eventually(lambda: len(office.complaints()) == 3, "it catches up")
    eventually(lambda: back in connector.events(), "and says that too")
    assert (connector.events().count(away), connector.events().count(back)) == (1, 1)


def test_a_database_that_is_away_is_waited_for(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.reports(2)
    path = Path(sqlite.url.removeprefix("sqlite:///"))
    hidden = path.with_suffix(".away")
    path.rename(hidden)
    sql_config(sqlite, office, connector)
    connector.start()
    away = "the database is away; waiting for it, nothing is lost"
    eventually(lambda: away in connector.events(), "it says so")
    hidden.rename(path)
    eventually(lambda: len(office.complaints()) == 2, "it catches up")


def test_one_connector_a_spool_and_a_killed_one_leaves_no_lock(
    sqlite: App, office: Office, command: ConnectorProcess
) -> None:
    sql_config(sqlite, office, command)
    command.start()
    eventually(command.events, "it started")
    second = command.run("run")
    assert second.returncode == 1
    assert "another connector works with" in second.stderr
    command.restart()
    sqlite.reports(1)
    eventually(lambda: len(office.complaints()) == 1, "the next one works")
