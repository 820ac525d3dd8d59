"""One report that the hub knows, in a real app and a real spool, and the writer between them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

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
from connectors.written import Written
from tests.connectors.apps import App

ANSWERED, REOPENED = "complaint.answered", "complaint.reopened"
INSERT = """INSERT INTO tanggapan (id_pengaduan, tgl_tanggapan, tanggapan, id_petugas)
            VALUES (:key, :answered_on, :answer, 1)"""
STATUS = "UPDATE pengaduan SET status = :status WHERE id_pengaduan = :key"
WORDS = {"in_progress": "proses", "answered": "selesai", "rejected": "ditolak"}


@dataclass
class Desk:
    """One report that the hub knows, in a real app and a real spool, and the writer between them."""

    app: App
    spool: Spool
    inbox: Inbox
    applier: Applier
    writer: AppWriter
    database: Database

    closed: bool = False

    def close(self) -> None:
        if not self.closed:
            self.database.close()
            self.spool.close()
        self.closed = True

    def arrives(self, name: str, status: str, sequence: int, text: str = "") -> dict[str, Any]:
        """An event of the hub; it waits in the spool."""
        data: dict[str, Any] = {"case_id": "case-1", "status": status}
        if text:
            data["answer"] = {"agency": "kemenpu", "text": text}
        event = {"id": str(uuid.uuid4()), "type": f"id.simpul.{name}.v1", "subject": "case-1", "data": data}
        event |= {"time": "2026-03-11T08:00:00+07:00", "sequence": f"{sequence:010d}"}
        assert self.inbox.take(event, wanted=True)
        return event

    def set_aside_first(self) -> None:
        """As after twelve refusals by the app's database."""
        (first,) = self.inbox.ready(1e12, 1)
        self.inbox.fail(first.number, "the database refused it")

    async def settle(self) -> None:
        while await self.applier.step():
            pass

    def status(self) -> str:
        return str(self.app.run("SELECT status FROM pengaduan")[0][0])

    def answers(self) -> list[str]:
        return [str(row[0]) for row in self.app.run("SELECT tanggapan FROM tanggapan ORDER BY id_tanggapan")]


def open_desk(app: App, folder: Path, *updates: str, report: bool = True) -> Desk:
    """`updates` follow the answer's INSERT. Without `report` the app has its one report already."""
    if report:
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
    writer = AppWriter(settings, database, hub, outbox, Written(spool), "kab-uji", ZoneInfo("Asia/Jakarta"))
    return Desk(app, spool, inbox, Applier(spool, inbox, writer.handle, lambda: 0.0, 1.0), writer, database)
