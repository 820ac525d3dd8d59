"""An event that was set aside and takes effect later brings its answer, and never an older status."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.applying import Applier
from connectors.config import Hub
from connectors.database import Database
from connectors.dialects import open_dialect, read_address
from connectors.effects import Effect
from connectors.entries import Seen
from connectors.hub_client import HubClient
from connectors.inbox import Inbox
from connectors.outbox import Outbox
from connectors.spool import Spool, open_spool
from connectors.write_back import AppWriter, StatusBack, WriteBack
from tests.connectors.apps import App

INSERT = """INSERT INTO tanggapan (id_pengaduan, tgl_tanggapan, tanggapan, id_petugas)
            VALUES (:key, :answered_on, :answer, 1)"""
STATUS = "UPDATE pengaduan SET status = :status WHERE id_pengaduan = :key"
WORDS = {"in_progress": "proses", "answered": "selesai", "rejected": "ditolak"}
ANSWERED, REOPENED = "complaint.answered", "complaint.reopened"


@dataclass
class Desk:
    """One report that the hub knows, in a real app and a real spool, and the writer between them."""

    app: App
    spool: Spool
    inbox: Inbox
    applier: Applier

    def arrives(self, name: str, status: str, sequence: int, text: str = "") -> None:
        data: dict[str, Any] = {"case_id": "case-1", "status": status}
        if text:
            data["answer"] = {"agency": "kemenpu", "text": text}
        event = {"id": str(uuid.uuid4()), "type": f"id.simpul.{name}.v1", "subject": "case-1", "data": data}
        event |= {"time": "2026-03-11T08:00:00+07:00", "sequence": f"{sequence:010d}"}
        assert self.inbox.take(event, wanted=True)

    def set_aside_first(self) -> None:
        """As after twelve refusals by the app's database."""
        (first,) = self.inbox.ready(0, 1)
        self.inbox.fail(first.number, "the database refused it")

    async def settle(self) -> None:
        while await self.applier.step():
            pass

    def status(self) -> str:
        return str(self.app.run("SELECT status FROM pengaduan")[0][0])

    def answers(self) -> list[str]:
        return [str(row[0]) for row in self.app.run("SELECT tanggapan FROM tanggapan ORDER BY id_tanggapan")]


def open_desk(app: App, folder: Path, *updates: str) -> Desk:
    app.report("Jalan Pelita berlubang.")
    spool = open_spool(folder / "connector.spool")
    outbox, inbox = Outbox(spool), Inbox(spool)
    outbox.queue(Seen("1", "1", b"r", b"m", "2026-03-11T00:00:00+00:00"), b"{}", [], [])
    outbox.acknowledge("1", "case-1", routed=False)
    already = "SELECT 1 FROM tanggapan WHERE id_pengaduan = :key AND tanggapan = :answer"
    answer = Effect(statements=[INSERT, *updates], already_written=already)
    settings = WriteBack(answer=answer, status=StatusBack(statement=STATUS, values=WORDS))
    database = Database(open_dialect(read_address(app.url, "test"), 10, "utf8mb4"), "test")
    hub = HubClient(Hub(url="http://127.0.0.1:9"), "kab-uji")  # never asked: the spool knows the case
    writer = AppWriter(settings, database, hub, outbox, "kab-uji", ZoneInfo("Asia/Jakarta"))
    return Desk(app, spool, inbox, Applier(spool, inbox, writer.handle, lambda: 0.0, 1.0))


@pytest.fixture(
    params=[(), (STATUS,), (STATUS.replace(":status", "'selesai'"),)], ids=["row", "word", "fixed"]
)
def desk(
    request: pytest.FixtureRequest, sqlite: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """The answer is a row alone, or updates the status too, by the hub's word or by a fixed one."""
    monkeypatch.setenv("SIMPUL_CLIENT_ID", "x")
    monkeypatch.setenv("SIMPUL_CLIENT_SECRET", "y")
    made = open_desk(sqlite, tmp_path, *request.param)
    yield made
    made.spool.close()


async def test_a_revived_answer_becomes_its_row_once_and_leaves_the_newer_status(desk: Desk) -> None:
    desk.arrives(ANSWERED, "answered", 5, "Sudah ditambal.")
    desk.set_aside_first()
    desk.arrives(REOPENED, "in_progress", 6)
    await desk.settle()
    assert (desk.status(), desk.answers()) == ("proses", [])
    for _ in range(2):
        desk.inbox.revive()
        await desk.settle()
        assert (desk.status(), desk.answers()) == ("proses", ["Sudah ditambal."])


async def test_an_event_that_only_repeats_the_written_word_counts_as_the_newer_one(desk: Desk) -> None:
    desk.arrives("forwarding.accepted", "in_progress", 4)
    await desk.settle()
    desk.arrives("complaint.rejected", "rejected", 5)
    desk.set_aside_first()
    desk.arrives(REOPENED, "in_progress", 6)
    await desk.settle()
    desk.inbox.revive()
    await desk.settle()
    assert desk.status() == "proses"


async def test_a_status_without_a_word_of_the_app_keeps_no_older_one_from_being_written(desk: Desk) -> None:
    desk.arrives(ANSWERED, "answered", 5, "Sudah ditambal.")
    desk.set_aside_first()
    desk.arrives("complaint.closed", "closed", 6)
    await desk.settle()
    desk.inbox.revive()
    await desk.settle()
    assert (desk.status(), desk.answers()) == ("selesai", ["Sudah ditambal."])


async def test_after_a_restore_of_the_hub_its_events_count_anew(desk: Desk) -> None:
    desk.arrives(REOPENED, "in_progress", 9)
    await desk.settle()
    Outbox(desk.spool).forget_sequences()
    desk.arrives(ANSWERED, "answered", 7, "Sudah ditambal.")
    await desk.settle()
    assert desk.status() == "selesai"
