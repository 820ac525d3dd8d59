"""Keys that are texts: each row keeps its own, blanks and all, and two rows never share a reference."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from connectors.checker import Checker
from connectors.doubled_keys import DoubledKeys
from connectors.intake import Intake
from connectors.mapping import ComplaintMapping
from connectors.outbox import Outbox
from connectors.rules import read_rules
from connectors.source import Source
from connectors.spool import Spool, open_spool
from tests.connectors.apps import App
from tests.connectors.desk import ANSWERED, open_desk
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually

MAP = {"title": "isi", "description": "isi", "submitted_at": "tgl", "category": {"value": "road"}}


def open_intake(spool: Spool) -> Intake:
    def now() -> datetime:
        return datetime(2026, 3, 11, tzinfo=UTC)

    mapping = ComplaintMapping("kab-uji", ZoneInfo("Asia/Jakarta"), read_rules(MAP))
    source = Source(key="id", table="pengaduan")
    checker, doubled = Checker(now), DoubledKeys(source)
    return Intake(spool, Outbox(spool), mapping, checker, source, lambda _: [], now, b"m", doubled)


def take(intake: Intake, *rows: dict[str, Any]) -> None:
    intake.take(intake.meet(list(rows), "id"))


def row(key: Any, text: str = "Jalan Pelita berlubang.") -> dict[str, Any]:
    return {"id": key, "isi": text, "tgl": "2026-03-10"}


@pytest.mark.parametrize("pages", [[["LP7", "LP7 "]], [["LP7"], ["LP7 "]]], ids=["one page", "two pages"])
def test_a_second_key_that_differs_by_blanks_is_refused_in_words(
    tmp_path: Path, pages: list[list[str]]
) -> None:
    intake = open_intake(open_spool(tmp_path / "spool"))
    with capture_logs() as logged:
        for _ in range(2):
            for page in pages:
                take(intake, *(row(key, f"Laporan {key!r}.") for key in page))
    waiting = intake.outbox.waiting(10)
    assert [(entry.reference, entry.source_key) for entry in waiting] == [("LP7", "LP7")]
    assert b"Laporan 'LP7'." in (waiting[0].content or b"")
    ((name, state, reason),) = intake.outbox.troubles()
    assert (name, state) == ("'LP7 '", "refused")
    assert "differs from that of another row ('LP7') by blanks or control characters only" in reason
    assert len([line for line in logged if line["event"].startswith("row refused")]) == 1
    intake.spool.close()


def test_a_key_keeps_its_blanks_for_writing_back(tmp_path: Path) -> None:
    intake = open_intake(open_spool(tmp_path / "spool"))
    take(intake, row(" LP 7 ", "Satu."), row(b"LP8\x00", "Dua."), row(9, "Tiga."))
    keys = {entry.reference: entry.source_key for entry in intake.outbox.waiting(10)}
    assert keys == {"LP 7": " LP 7 ", "LP8": "LP8\x00", "9": "9"}
    intake.spool.close()


def test_a_key_that_an_older_connector_cut_is_mended_when_its_row_is_read(tmp_path: Path) -> None:
    intake = open_intake(open_spool(tmp_path / "spool"))
    take(intake, row("LP7 "))
    intake.outbox.acknowledge("LP7", "case-1", routed=False)
    intake.spool.connection.execute("UPDATE complaints SET source_key = 'LP7'")
    take(intake, row("LP7 "))
    assert intake.outbox.find(["LP7"])["LP7"].source_key == "LP7 "
    assert intake.outbox.troubles() == []
    intake.spool.close()


def test_the_answer_reaches_the_row_whose_key_ends_with_a_blank(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.run("DROP TABLE pengaduan")
    sqlite.run(
        "CREATE TABLE pengaduan (id_pengaduan TEXT PRIMARY KEY, tgl_pengaduan TEXT, nik TEXT, "
        "isi_laporan TEXT, status TEXT DEFAULT '0')"
    )
    sqlite.run("INSERT INTO pengaduan VALUES ('LP 7 ', '2026-02-02', '1', 'Jembatan gantung rusak.', '0')")
    sqlite.run("INSERT INTO pengaduan VALUES ('LP 7  ', '2026-02-02', '1', 'Parit tersumbat.', '0')")
    sql_config(sqlite, office, connector, write_back(office.ministry), reporter="")
    said = connector.run("check").stdout
    assert "blanks or control characters only (1 row: 'LP 7  ')" in said
    connector.start()
    eventually(lambda: office.answer_all(), "it reaches the ministry")
    done = "SELECT id_pengaduan FROM pengaduan WHERE status = 'selesai'"
    eventually(lambda: sqlite.run(done) == [("LP 7 ",)], "its status is in the app")
    eventually(lambda: sqlite.run("SELECT id_pengaduan FROM tanggapan") == [("LP 7 ",)], "and its answer")
    assert sorted(office.complaints()) == ["LP 7"]


async def test_an_update_that_finds_no_row_is_named_with_the_key_and_not_counted(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMPUL_CLIENT_ID", "x")
    monkeypatch.setenv("SIMPUL_CLIENT_SECRET", "y")
    desk = open_desk(app, tmp_path)
    app.run("UPDATE pengaduan SET status = 'proses'")
    with capture_logs() as logged:
        desk.arrives("forwarding.accepted", "in_progress", 4)  # the app's word is there already
        await desk.settle()
    assert logged == []
    app.run("DELETE FROM pengaduan")
    with capture_logs() as logged:
        desk.arrives(ANSWERED, "answered", 5, "Sudah ditambal.")
        await desk.settle()
    (line,) = logged
    assert (line["log_level"], line["note"]) == (
        "warning",
        "an UPDATE found no row with the key '1'; was it deleted?",
    )
    assert desk.spool.moved["status"] == 1
    desk.close()
