"""Kementerian Pekerjaan Umum's own case system: takes events over HTTP from its connector, and POSTs what its
officers did to the connector's /replies."""

from __future__ import annotations

import asyncio
import hmac
import os
import sqlite3
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from deploy.demo.api import Event, session, short_type
from deploy.demo.layout import HOST, PU, Layout
from deploy.demo.office import officers, open_office
from deploy.demo.program import layout, run, texts

LETTERS = {
    "forwarding.sent": ("penerusan", "forwarding"),
    "consultation.requested": ("konsultasi", "consultation"),
}
"""Type of an event -> (which sort of letter it is, the member that says what is asked)."""


class System:
    """Its database, its door and its way out."""

    def __init__(self, database: sqlite3.Connection, replies_url: str, token: str) -> None:
        self._database, self._replies_url, self._token = database, replies_url, token

    async def take(self, request: web.Request) -> web.Response:
        """POST /peristiwa: a CloudEvent; the same event again does nothing."""
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self._token}"):
            return web.Response(status=401)
        event = orjson.loads(await request.read())
        kind = short_type(event)
        if kind == "complaint.reopened":
            self._reopen(event)
        elif kind == "thread.message_posted":
            self._promise(event["data"])
        elif kind in LETTERS:
            self._keep(event, *LETTERS[kind])
        return web.Response(status=204)

    def _keep(self, event: Event, sort: str, part: str) -> None:
        """A forwarding, or a question before one."""
        data: dict[str, Any] = event["data"]
        asked, complaint = data[part], data["complaint"]
        self._database.execute(
            "INSERT OR IGNORE INTO surat_masuk (id_peristiwa, id_penerusan, id_kasus, nomor, jenis, "
            "pertanyaan, peran, kategori, judul, isi) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (event["id"], asked["id"], data["case_id"], data["tracking_number"], sort, asked.get("question"),
             asked.get("role", "-"), complaint["category"], complaint["title"], complaint["description"]),
        )  # fmt: skip

    def _promise(self, data: dict[str, Any]) -> None:
        """Asked in a room, once: what is done now is told to the reporters themselves."""
        if data["agency"] == PU.id:
            return
        self._database.execute(
            "INSERT INTO surat_balasan (id_surat, aksi, id_penerusan, id_kasus, isi, id_utas, lingkup) "
            "SELECT 0, 'message', '', '', ?, ?, 'reporter' "
            "WHERE NOT EXISTS (SELECT 1 FROM surat_balasan WHERE id_utas = ?)",
            (texts("answers")["to_reporter"], data["thread_id"], data["thread_id"]),
        )

    def _reopen(self, event: Event) -> None:
        """The letter that this ministry answered as the lead comes to its table once more."""
        self._database.execute(
            "INSERT OR IGNORE INTO surat_masuk (id_peristiwa, id_penerusan, id_kasus, nomor, jenis, "
            "pertanyaan, peran, kategori, judul, isi) "
            "SELECT ?, id_penerusan, id_kasus, nomor, 'dibuka_lagi', ?, peran, kategori, judul, isi "
            "FROM surat_masuk WHERE id_kasus = ? AND jenis = 'penerusan' AND peran = 'lead' "
            "AND langkah = 'selesai' ORDER BY id DESC LIMIT 1",
            (event["id"], event["data"].get("reason"), event["data"]["case_id"]),
        )

    async def send_replies(self, http: aiohttp.ClientSession) -> None:
        """Every reply that the connector has not taken yet, in order."""
        rows = self._database.execute("SELECT * FROM surat_balasan WHERE dikirim = 0 ORDER BY id").fetchall()
        for row in rows:
            body = {
                "id": f"balasan-{row['id']}",
                "action": row["aksi"],
                "forwarding_id": row["id_penerusan"],
                "case_id": row["id_kasus"],
                "text": row["isi"],
                "reason": row["alasan"],
                "suggested_agency": row["saran"],
                "verdict": row["pendapat"],
                "thread_id": row["id_utas"],
                "scope": row["lingkup"],
            }
            if row["aksi"] == "verdict":
                body["consultation_id"] = body.pop("forwarding_id")
            if not await self._post(http, body):
                return
            self._database.execute("UPDATE surat_balasan SET dikirim = 1 WHERE id = ?", (row["id"],))

    async def _post(self, http: aiohttp.ClientSession, body: dict[str, Any]) -> bool:
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with http.post(self._replies_url, json=body, headers=headers) as response:
                return response.status == 202
        except (TimeoutError, aiohttp.ClientError) as error:
            print(f"the connector is away, trying again: {error}", flush=True)
            return False


def main() -> None:
    run(serve(layout()))


async def serve(run_layout: Layout) -> None:
    database = open_office(run_layout, PU.id)
    system = System(database, f"http://{HOST}:{run_layout.port + 3}/replies", os.environ["SISTEM_TOKEN"])
    application = web.Application()
    application.router.add_post("/peristiwa", system.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, run_layout.port + 2).start()
    try:
        async with session() as http:
            await officers(database, PU.id, run_layout.fast, lambda: system.send_replies(http))
    finally:
        await asyncio.shield(runner.cleanup())


if __name__ == "__main__":
    main()
