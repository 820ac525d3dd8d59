"""What every engine must do: the same suite on SQLite, InnoDB, MyISAM and PostgreSQL, all real."""

from __future__ import annotations

import json
from typing import Any

from tests.connectors.apps import NAME, NIK, PHONE, App
from tests.connectors.processes import WRITE_BACK, ConnectorProcess, HubProcess, eventually, sql_config

ROW = "INSERT INTO pengaduan (id_pengaduan, tgl_pengaduan, nik, isi_laporan) VALUES ({}, '2026-02-02', '1', 'a b')"
NO_RESCAN = 'table = "pengaduan"\nkey = "id_pengaduan"\nevery_s = 0.1\nrescan_every_s = 0'


def complaints(hub: HubProcess) -> dict[str, Any]:
    cases = [json.loads(body) for (body,) in hub.rows("SELECT body FROM cases ORDER BY rowid")]
    return {case["complaint"]["source"]["reference"]: case["complaint"] for case in cases}


def test_a_row_becomes_a_complaint_and_the_answer_a_row(
    app: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    app.report("Jalan Pelita berlubang di depan SDN 3 Sampit.")
    sql_config(app, hub, connector, WRITE_BACK)
    connector.start()
    eventually(lambda: hub.answer_all(), "the complaint reaches the ministry")
    written = eventually(
        lambda: app.run("SELECT id_pengaduan, tanggapan, id_petugas FROM tanggapan"),
        "the answer is in the app",
    )
    assert [tuple(row) for row in written] == [(1, "Sudah kami tangani pada 1.", 1)]
    eventually(lambda: app.run("SELECT status FROM pengaduan")[0][0] == "selesai", "the status is in the app")
    (complaint,) = complaints(hub).values()
    assert complaint["submitted_at"] == "2026-02-02T00:00:00+07:00"
    assert complaint["reporter"] == {"anonymous": False, "name": NAME}
    assert connector.stop() < 5


def test_nik_and_phone_never_leave(app: App, hub: HubProcess, connector: ConnectorProcess) -> None:
    app.report("Sampah menumpuk di Pasar Keramat.")
    sql_config(app, hub, connector)
    connector.start()
    eventually(lambda: complaints(hub), "the complaint arrives")
    assert all(NIK not in body and PHONE not in body for (body,) in hub.rows("SELECT body FROM cases"))
    assert NIK not in connector.log.read_text()
    assert NAME not in connector.log.read_text()


def test_a_refused_row_blocks_no_other_and_is_listed(
    app: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    app.report("")
    app.report("Lampu jalan mati.", day="2999-01-01")
    app.report("Air keruh sejak seminggu.")
    sql_config(app, hub, connector)
    connector.start()
    eventually(lambda: complaints(hub), "the third row arrives")
    assert list(complaints(hub)) == ["3"]
    shown = connector.run("check").stdout
    assert "1 (refused): /title:" in shown
    assert "2 (refused): /submitted_at:" in shown


def test_a_changed_row_is_sent_when_the_hub_does_not_have_it_yet(
    app: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    app.report("")
    app.report("Jembatan gantung rusak.")
    sql_config(app, hub, connector)
    connector.start()
    eventually(lambda: complaints(hub), "the good row arrives")
    app.run("UPDATE pengaduan SET isi_laporan = 'Parit tersumbat.' WHERE id_pengaduan = 1")
    eventually(lambda: len(complaints(hub)) == 2, "the mended row arrives by comparison")
    app.run("UPDATE pengaduan SET isi_laporan = 'Isi lain.' WHERE id_pengaduan = 2")
    eventually(
        lambda: any("changed after" in line["event"] for line in connector.logged()), "the change is seen"
    )
    assert complaints(hub)["2"]["description"] == "Jembatan gantung rusak."
    assert hub.rows("SELECT status FROM received WHERE reference = '2'") == [[201]]


def test_a_row_that_commits_late_is_found(app: App, hub: HubProcess, connector: ConnectorProcess) -> None:
    app.reports(5)
    app.run(ROW.format(90))
    sql_config(app, hub, connector, source=NO_RESCAN, reporter="")
    connector.start()
    eventually(lambda: len(complaints(hub)) == 6, "the first rows arrive")
    app.run(ROW.format(50))
    eventually(lambda: "50" in complaints(hub), "the late row arrives")


def test_a_missing_date_takes_the_first_sight_or_holds(
    app: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    if app.engine in ("innodb", "myisam"):
        app.run(
            "INSERT INTO pengaduan (tgl_pengaduan, nik, isi_laporan) VALUES ('0000-00-00', '1', 'Tanpa.')"
        )
    else:
        app.report("Tanpa tanggal.", day=None)
    sql_config(app, hub, connector, submitted_at='submitted_at = "tgl_pengaduan"')
    connector.start()
    eventually(
        lambda: any(line["event"].startswith("row held") for line in connector.logged()), "the row is held"
    )
    connector.kill()
    sql_config(app, hub, connector)
    connector.start()
    (complaint,) = eventually(
        lambda: list(complaints(hub).values()), "the new mapping gives it another chance"
    )
    assert complaint["extensions"]["kab-kotim"]["submitted_at_unknown"] is True


def test_check_shows_what_would_happen_and_changes_nothing(
    app: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    app.report("Jalan rusak.", category="jalan")
    app.report("", category="jalan")
    app.report("Tidak jelas.", category="aneh")
    sql_config(app, hub, connector, WRITE_BACK, category="")
    text = connector.config.read_text().replace(
        "[routing]", '[category]\ncolumn = "kategori"\ncodes = { jalan = "road" }\n[routing]'
    )
    connector.config.write_text(text)
    before = app.run("SELECT * FROM pengaduan")
    ended = connector.run("check")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert '"description": "Jalan rusak."' in ended.stdout
    assert "refused: title" in ended.stdout
    assert "aneh (1)" in ended.stdout
    assert ended.stdout.count("understood by the database") == 4
    assert app.run("SELECT * FROM pengaduan") == before
    assert app.run("SELECT * FROM tanggapan") == []
    assert hub.count("SELECT count(*) FROM cases") == 0
    assert not connector.spool.exists()
