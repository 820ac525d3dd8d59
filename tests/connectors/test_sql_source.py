"""What every engine must do: the same suite on SQLite, InnoDB, MyISAM and PostgreSQL, all real."""

from __future__ import annotations

from functools import partial

import pytest

from connectors.database import Database
from connectors.dialects import open_dialect, read_address
from connectors.effects import Effect, apply_effect
from connectors.errors import ConnectorError, StatementRefused
from tests.connectors.apps import NAME, NIK, PHONE, App
from tests.connectors.faulty_proxy import FaultyProxy
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually

ROW = (
    "INSERT INTO pengaduan (id_pengaduan, tgl_pengaduan, nik, isi_laporan) VALUES({}, '2026-02-02', '1', 'a')"
)
NO_RESCAN = 'table = "pengaduan"\nkey = "id_pengaduan"\nevery_s = 0.1\nrescan_every_s = 0'


def test_a_row_becomes_a_complaint_and_the_answer_a_row_and_no_nik_leaves(
    app: App, office: Office, proxy: FaultyProxy, connector: ConnectorProcess
) -> None:
    app.report("Jalan Pelita berlubang di depan SDN 3 Sampit.")
    sql_config(app, office, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: office.answer_all(), "the complaint reaches the ministry")
    written = eventually(
        lambda: app.run("SELECT id_pengaduan, tanggapan, id_petugas FROM tanggapan"),
        "the answer is in the app",
    )
    assert [tuple(row) for row in written] == [(1, "Sudah kami tangani pada 1.", 1)]
    eventually(lambda: app.run("SELECT status FROM pengaduan")[0][0] == "selesai", "the status is in the app")
    (complaint,) = office.complaints().values()
    assert complaint["submitted_at"] == "2026-02-02T00:00:00+07:00"
    assert complaint["reporter"] == {"anonymous": False, "name": NAME}
    assert connector.stop() < 5
    assert any(NAME.encode() in body for _, _, body in proxy.passed)
    assert not any(word.encode() in body for _, _, body in proxy.passed for word in (NIK, PHONE))
    assert NIK not in connector.log.read_text()
    assert NAME not in connector.log.read_text()
    assert PHONE not in connector.log.read_text()


def test_a_changed_row_is_sent_when_the_hub_does_not_have_it_yet(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    app.report("")
    app.report("Jembatan gantung rusak.")
    sql_config(app, office, connector)
    connector.start()
    eventually(lambda: office.complaints(), "the good row arrives")
    app.run("UPDATE pengaduan SET isi_laporan = 'Parit tersumbat.' WHERE id_pengaduan = 1")
    eventually(lambda: len(office.complaints()) == 2, "the mended row arrives by comparison")
    app.run("UPDATE pengaduan SET isi_laporan = 'Isi lain.' WHERE id_pengaduan = 2")
    eventually(
        lambda: any("changed after" in line["event"] for line in connector.logged()), "the change is seen"
    )
    assert office.complaints()["2"]["description"] == "Jembatan gantung rusak."
    assert office.accepted() == ["2", "1"]


def test_a_row_that_commits_late_is_found(app: App, office: Office, connector: ConnectorProcess) -> None:
    app.reports(5)
    app.run(ROW.format(90))
    sql_config(app, office, connector, source=NO_RESCAN, reporter="")
    connector.start()
    eventually(lambda: len(office.complaints()) == 6, "the first rows arrive")
    app.run(ROW.format(50))
    eventually(lambda: "50" in office.complaints(), "the late row arrives")


def test_a_missing_date_takes_the_first_sight_or_holds(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    if app.engine in ("innodb", "myisam"):
        app.run(
            "INSERT INTO pengaduan (tgl_pengaduan, nik, isi_laporan) VALUES ('0000-00-00', '1', 'Tanpa.')"
        )
    else:
        app.report("Tanpa tanggal.", day=None)
    sql_config(app, office, connector, submitted_at='submitted_at = "tgl_pengaduan"')
    connector.start()
    eventually(
        lambda: any(line["event"].startswith("row held") for line in connector.logged()), "the row is held"
    )
    connector.kill()
    sql_config(app, office, connector)
    connector.start()
    (complaint,) = eventually(
        lambda: list(office.complaints().values()), "the new mapping gives it another chance"
    )
    assert complaint["extensions"][office.source.agency]["submitted_at_unknown"] is True


def test_check_shows_what_would_happen_and_changes_nothing(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    app.report("Jalan rusak.", category="jalan")
    app.report("", category="jalan")
    app.report("Tidak jelas.", category="aneh")
    sql_config(app, office, connector, write_back(office.ministry), category="")
    text = connector.config.read_text().replace(
        "[routing]", '[category]\ncolumn = "kategori"\ncodes = { jalan = "road" }\n[routing]'
    )
    connector.config.write_text(text)
    before = app.run("SELECT * FROM pengaduan")
    ended = connector.run("check")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert '"description": "Jalan rusak."' in ended.stdout
    assert "refused: isi_laporan is empty (1 row: 2)" in ended.stdout
    assert "aneh (1)" in ended.stdout
    assert ended.stdout.count("understood by the database") == 4
    assert app.run("SELECT * FROM pengaduan") == before
    assert app.run("SELECT * FROM tanggapan") == []
    assert office.source.cases() == []
    assert not connector.spool.exists()


async def test_a_guard_that_does_not_see_its_row_is_named_and_writes_once(app: App) -> None:
    address = read_address(app.url, "test")
    database = Database(open_dialect(address, 10, "utf8mb4"), "test")
    columns = "(id_pengaduan, tgl_tanggapan, tanggapan, id_petugas)"
    insert = f"INSERT INTO tanggapan {columns} VALUES (1, '2026-02-02', :t, 1)"
    blind = Effect(statements=[insert], already_written="SELECT 1 FROM tanggapan WHERE tanggapan = 'lain'")
    work = partial(apply_effect, effect=blind, parameters={"t": "100% selesai, Pak Lurah: 'baik'"})
    if app.engine == "myisam":
        assert "mend that query" in await database.write(work)
        assert len(app.run("SELECT * FROM tanggapan")) == 1
    else:
        with pytest.raises(StatementRefused, match="taken back"):
            await database.write(work)
        assert len(app.run("SELECT * FROM tanggapan")) == 0
    seeing = Effect(statements=[insert], already_written="SELECT 1 FROM tanggapan WHERE tanggapan = :t")
    for _ in range(2):
        await database.write(partial(apply_effect, effect=seeing, parameters={"t": "100% selesai: 'baik'"}))
    assert len(app.run("SELECT * FROM tanggapan WHERE id_petugas = 1")) == (
        2 if app.engine == "myisam" else 1
    )
    database.close()


async def test_a_reading_connection_cannot_write_and_a_wrong_statement_is_explained(app: App) -> None:
    database = Database(open_dialect(read_address(app.url, "test"), 10, "utf8mb4"), "test")
    with pytest.raises(ConnectorError):
        await database.read(lambda session: session.execute("DELETE FROM masyarakat", {}))
    assert len(app.run("SELECT * FROM masyarakat")) == 1
    with pytest.raises(StatementRefused, match="tidak_ada"):
        await database.read(lambda session: session.rows("SELECT tidak_ada FROM masyarakat", {}))
    assert len(await database.read(lambda session: session.rows("SELECT * FROM masyarakat", {}))) == 1
    database.close()
