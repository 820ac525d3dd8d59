"""Suara Banua: a provincial app whose developers call the hub's API themselves, with an OAuth client of their
own: complaints and photos out, answers in through the mailbox. No connector."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import sqlite3
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from deploy.demo.api import Away, Event, HubApi, follow, session, short_type
from deploy.demo.coordinator import CONSULTED, JOINT, Coordinator
from deploy.demo.coordinator import FAST_PAUSE_S as FAST_DESK_PAUSE_S
from deploy.demo.coordinator import PAUSE_S as DESK_PAUSE_S
from deploy.demo.layout import KALSEL, Layout
from deploy.demo.pictures import picture
from deploy.demo.program import client, fill, layout, open_database, run, texts

SCHEMA = """
CREATE TABLE IF NOT EXISTS laporan (id INTEGER PRIMARY KEY AUTOINCREMENT,
    dokumen TEXT NOT NULL, foto TEXT NOT NULL, id_kasus TEXT,
    status TEXT NOT NULL DEFAULT 'baru', jawaban TEXT);
CREATE TABLE IF NOT EXISTS posisi (posisi INTEGER NOT NULL);
"""
REPORTERS = [
    {"name": "Ahmad Fauzan", "phone": "0813-5550-0141", "anonymous": False},
    {"name": "Galuh Permatasari", "email": "galuh.permata@surel.example", "anonymous": False},
    {"name": "Hendra Saputra", "phone": "0852-5550-0143", "anonymous": False},
    {"name": "Mariatul Kiptiah", "anonymous": False},
]
STATUSES = (
    "complaint.verified",
    "forwarding.sent",
    "forwarding.accepted",
    "complaint.answered",
    "complaint.closed",
)
PAUSE_S, FAST_PAUSE_S, FAST_FIRST = 6.0, 0.9, 25


class App:
    """The app's own table and what it tells the hub about it."""

    def __init__(self, database: sqlite3.Connection, api: HubApi, desk: Coordinator) -> None:
        self._database, self._api, self._desk = database, api, desk

    def report(self) -> None:
        """A citizen files a complaint: kept here first, whole, so that each attempt sends the same."""
        number = int(self._database.execute("SELECT count(*) FROM laporan").fetchone()[0])
        catalogue = texts("suara-banua")
        entry = catalogue[number % len(catalogue)]
        document = json.dumps(complaint(entry, number), ensure_ascii=False)
        self._database.execute(
            "INSERT INTO laporan (dokumen, foto) VALUES (?, ?)", (document, entry.get("photo", ""))
        )

    async def send(self) -> None:
        """Whatever the hub has not acknowledged yet. The reference makes a repeat harmless."""
        waiting = self._database.execute(
            "SELECT id, dokumen, foto FROM laporan WHERE id_kasus IS NULL ORDER BY id"
        )
        for number, document, photo in waiting.fetchall():
            if photo:
                await self._api.upload(picture(photo), "image/png")
            case = await self._api.post("/v1/complaints", json.loads(document))
            self._database.execute("UPDATE laporan SET id_kasus = ? WHERE id = ?", (case["id"], number))
            print(f"laporan {number} terkirim sebagai {case['tracking_number']}", flush=True)

    async def handle(self, event: Event) -> None:
        """Answers and statuses for the citizen, the rest for the coordinator's desk."""
        data, kind = event["data"], short_type(event)
        if kind in STATUSES and not data.get("withheld"):
            self._database.execute(
                "UPDATE laporan SET status = ? WHERE id_kasus = ?", (data["status"], data["case_id"])
            )
        if kind == "complaint.answered" and not data.get("withheld"):
            self._answer(data["case_id"], data["answer"].get("text", ""))
        if kind == "complaint.closed" and data.get("text"):
            self._answer(data["case_id"], data["text"])
        await self._desk.handle(event)

    def _answer(self, case_id: str, text: str) -> None:
        self._database.execute("UPDATE laporan SET jawaban = ? WHERE id_kasus = ?", (text, case_id))

    def position(self) -> int:
        return int(self._database.execute("SELECT max(posisi) FROM posisi").fetchone()[0] or 0)

    def keep(self, position: int) -> None:
        self._database.execute("DELETE FROM posisi")
        self._database.execute("INSERT INTO posisi VALUES (?)", (position,))


def complaint(entry: dict[str, Any], number: int) -> dict[str, Any]:
    """The shared schema's complaint of one entry of the catalogue."""
    photo = entry.get("photo")
    document: dict[str, Any] = {
        "source": {"agency": KALSEL.id, "reference": f"SB-{number + 1:05d}"},
        "classification": entry.get("classification", "complaint"),
        "title": entry["title"],
        "description": fill(entry["text"], number),
        "category": entry["category"],
        "submitted_at": datetime.now(ZoneInfo(KALSEL.time_zone)).isoformat(timespec="seconds"),
        "channel": "mobile",
        "location": {"region": entry["region"], "address": entry["address"]},
        "reporter": {**REPORTERS[number % len(REPORTERS)], "anonymous": entry.get("anonymous", False)},
        "confidential": entry.get("confidential", False),
    }
    if photo:
        content = picture(photo)
        sha256 = hashlib.sha256(content).hexdigest()
        document["attachments"] = [
            {"sha256": sha256, "media_type": "image/png", "name": photo, "size": len(content)}
        ]
    return document


def main() -> None:
    run(serve(layout()))


async def serve(run_layout: Layout) -> None:
    """Citizens, the sender and the mailbox, until stopped."""
    async with session() as http:
        api = HubApi(http, run_layout.hub_urls, *client())
        pause_s = FAST_DESK_PAUSE_S if run_layout.fast else DESK_PAUSE_S
        desk = Coordinator(api, True, _nothing, pause_s, run_layout.waste_to, JOINT, CONSULTED)
        app = App(open_database(run_layout.banua_database, SCHEMA), api, desk)
        async with asyncio.TaskGroup() as group:
            group.create_task(citizens(app, run_layout.fast))
            group.create_task(follow(api, app.position(), app.handle, app.keep))


async def citizens(app: App, fast: bool) -> None:
    for written in itertools.count():
        app.report()
        try:
            await app.send()
        except Away as away:
            print(f"kept for later, the hub is away: {away}", flush=True)
        await asyncio.sleep(FAST_PAUSE_S if fast and written < FAST_FIRST else PAUSE_S)


async def _nothing(case_id: str, text: str) -> None:
    """The answer comes back through the mailbox, with complaint.closed."""


if __name__ == "__main__":
    main()
