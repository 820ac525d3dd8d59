"""What must hold when the connector is killed (-9) at any moment and the hub is away: everything once."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.connectors.apps import App, mysql_app
from tests.connectors.processes import WRITE_BACK, ConnectorProcess, HubProcess, eventually, sql_config

EXAMPLE = Path(__file__).resolve().parents[2] / "connectors" / "examples" / "pengaduan-mariadb.toml"
EXAMPLE_AGENCY = "kab-kotawaringin-timur"


def configure_example(app: App, hub: HubProcess, connector: ConnectorProcess, photos: Path) -> None:
    """The shipped example; only addresses and paths differ, and the pauses are shorter."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in {
        "/var/lib/simpul-connector/pengaduan.spool": str(connector.spool),
        'url = "https://simpul.example.go.id"': f'url = "{hub.url}"\nbackoff_cap_s = 0.3\nwait_s = 1',
        "/var/www/pengaduan/foto": str(photos),
        'key = "id_pengaduan"': 'key = "id_pengaduan"\nevery_s = 0.1',
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    connector.configure(text, client=EXAMPLE_AGENCY, PENGADUAN_DATABASE_URL=app.url)


@pytest.mark.mariadb
@pytest.mark.timeout(180)
def test_a_dump_of_1000_rows_arrives_once_and_is_answered_once(
    mariadb: str, hub: HubProcess, connector: ConnectorProcess, tmp_path: Path
) -> None:
    """MyISAM, zero dates, photos; five kills and the hub away while complaints travel, three for answers."""
    photos = tmp_path / "foto"
    photos.mkdir()
    (photos / "jalan1.jpg").write_bytes(b"\xff\xd8\xff\xe0 gambar")
    with mysql_app(mariadb, "myisam", dump=True) as app:
        rows = [(f"Laporan {n}: parit tersumbat di RT {n % 30}.", "6202051507880003") for n in range(994)]
        app.many(
            "INSERT INTO pengaduan (tgl_pengaduan, isi_laporan, nik, foto) VALUES ('2026-02-02', ?, ?, '')",
            rows,
        )
        configure_example(app, hub, connector, photos)
        _kill_while_sending(hub, connector)
        count = "SELECT count(*) FROM cases"
        eventually(lambda: hub.count(count) == 999, "all but the empty report arrive", 60)
        eventually(
            lambda: hub.count(f"{count} WHERE CAST(body AS TEXT) LIKE '%\"to\":%'") == 999,
            "all are forwarded",
            60,
        )
        assert hub.count("SELECT count(DISTINCT reference) FROM cases") == 999
        assert hub.count("SELECT count(*) FROM received WHERE status = 201") == 999
        assert hub.count("SELECT count(*) FROM received WHERE status NOT IN (200, 201)") == 0
        assert hub.count(f"{count} WHERE CAST(body AS TEXT) LIKE '%jalan1.jpg%'") == 1

        assert hub.answer_all(limit=120) == 120
        for _ in range(3):
            connector.kill()
            connector.start()
            time.sleep(random.uniform(0.6, 1.1))
        written = "SELECT id_pengaduan, count(*) FROM tanggapan WHERE id_tanggapan > 1 GROUP BY 1"
        eventually(lambda: len(app.run(written)) == 120, "all answers are in the app", 60)
        eventually(
            lambda: app.run("SELECT count(*) FROM pengaduan WHERE status = 'selesai'")[0][0] == 120,
            "and statuses",
        )
        assert {count for _, count in app.run(written)} == {1}
        assert app.run("SELECT count(*) FROM tanggapan")[0][0] == 121


def _kill_while_sending(hub: HubProcess, connector: ConnectorProcess) -> None:
    connector.start()
    for number in range(5):
        seen = hub.count("SELECT count(*) FROM cases") if hub.process else 0
        if number == 2:
            hub.kill()
            time.sleep(1.5)
            hub.start()
        elif seen < 999:
            time.sleep(random.uniform(0.4, 1.0))
        connector.kill()
        connector.start()


@pytest.mark.timeout(120)
def test_an_answer_is_written_once_however_often_the_connector_is_killed(
    app: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    app.reports(40)
    sql_config(app, hub, connector, WRITE_BACK)
    connector.start()
    eventually(lambda: hub.answer_all() or hub.count("SELECT count(*) FROM cases") == 40, "complaints arrive")
    answered = 0
    for _ in range(4):
        answered += hub.answer_all()
        time.sleep(random.uniform(0.4, 0.9))
        connector.kill()
        connector.start()
    eventually(lambda: not hub.answer_all() and _answered(hub) == 40, "all are answered")
    eventually(
        lambda: app.run("SELECT count(*) FROM pengaduan WHERE status = 'selesai'")[0][0] == 40, "statuses"
    )
    rows = app.run("SELECT id_pengaduan, count(*) FROM tanggapan GROUP BY id_pengaduan")
    assert len(rows) == 40
    assert {row[1] for row in rows} == {1}


def _answered(hub: HubProcess) -> int:
    return hub.count(
        'SELECT count(*) FROM cases WHERE CAST(body AS TEXT) LIKE \'%"status":"answered","version%\''
    )


def test_parts_that_are_away_are_named_once_and_waited_for(
    myisam: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    myisam.reports(3)
    sql_config(myisam, hub, connector)
    hub.kill()
    connector.start()
    eventually(lambda: "the hub is away; waiting for it, nothing is lost" in _events(connector), "it says so")
    time.sleep(1.0)
    hub.start()
    eventually(lambda: hub.count("SELECT count(*) FROM cases") == 3, "it catches up")
    eventually(lambda: "the hub is back; catching up" in _events(connector), "and says that too")
    assert _events(connector).count("the hub is away; waiting for it, nothing is lost") == 1
    assert _events(connector).count("the hub is back; catching up") == 1


def test_a_database_that_is_away_is_waited_for(
    sqlite: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    sqlite.reports(2)
    path = Path(sqlite.url.removeprefix("sqlite:///"))
    hidden = path.with_suffix(".away")
    path.rename(hidden)
    sql_config(sqlite, hub, connector)
    connector.start()
    eventually(
        lambda: "the database is away; waiting for it, nothing is lost" in _events(connector), "it says so"
    )
    hidden.rename(path)
    eventually(lambda: hub.count("SELECT count(*) FROM cases") == 2, "it catches up")


def test_one_connector_a_spool_and_a_killed_one_leaves_no_lock(
    sqlite: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, hub, connector)
    connector.start()
    eventually(lambda: _events(connector), "it started")
    second = connector.run("run")
    assert second.returncode == 1
    assert "another connector works with" in second.stderr
    connector.kill()
    connector.start()
    sqlite.reports(1)
    eventually(lambda: hub.count("SELECT count(*) FROM cases") == 1, "the next one works")


def _events(connector: ConnectorProcess) -> list[str]:
    return [line["event"] for line in connector.logged()]
