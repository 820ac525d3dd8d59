"""Watches the run as the source agencies can: their mailboxes at the hub, and their apps' own tables."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from deploy.demo.api import Event, HubApi, follow, session
from deploy.demo.journeys import Journeys
from deploy.demo.layout import APPS, KALSEL, KOTIM, Layout
from deploy.demo.program import Position
from deploy.demo.scenes import message_scene, scene_of
from deploy.demo.screen import Screen
from deploy.demo.secrets_file import Secrets

LOOK_EVERY_S = 0.3


class Monitor:
    """Tells the screen each step of each complaint."""

    def __init__(self, layout: Layout, secrets: Secrets, screen: Screen, journeys: Journeys) -> None:
        self._layout, self._secrets, self._screen, self._journeys = layout, secrets, screen, journeys

    async def run(self) -> None:
        """Until cancelled."""
        async with session() as http, asyncio.TaskGroup() as group:
            for client, agency in (("coordinator-kotim", KOTIM.id), ("suara-banua", KALSEL.id)):
                api = HubApi(http, self._layout.hub_urls, *self._secrets.client(client))
                group.create_task(self._mailbox(api, agency))
            group.create_task(self._tables())

    async def _mailbox(self, api: HubApi, agency: str) -> None:
        position = Position(self._layout.folder / f"terminal-{agency}.position")

        async def handle(event: Event) -> None:
            if event["data"].get("withheld"):
                return
            if not self._journeys.knows(event):
                case = await api.get(f"/v1/cases/{event['subject']}")
                self._journeys.begin(event["subject"], case["complaint"], time.monotonic())
            step = self._journeys.take(event, time.monotonic())
            if step:
                self._screen.step(*step)
            journey = self._journeys.by_case.get(event["subject"])
            if journey and (scene := scene_of(event, journey)):
                self._screen.scene(*scene)

        await follow(api, position.read(), handle, position.keep, self._screen.say)

    async def _tables(self) -> None:
        """New answers in the apps' tables; what stood there before this run is not told again."""
        layout = self._layout
        known = set(tanggapan(layout.kotim_database)) | set(jawaban(layout.banua_database))
        shown = set(pesan(layout.kotim_database))
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for answer in [*tanggapan(layout.kotim_database), *jawaban(layout.banua_database)]:
                if answer not in known:
                    known.add(answer)
                    self._arrived(*answer)
            for message in pesan(layout.kotim_database):
                if message not in shown:
                    shown.add(message)
                    self._screen.scene(*message_scene(APPS[KOTIM.id], *message[1:]))

    def _arrived(self, app: str, reference: str, _row: int, from_hub: bool) -> None:
        where = "kembali di tabel tanggapan" if app == APPS[KOTIM.id] else "kembali di aplikasi"
        step = self._journeys.arrive(app, reference, where, time.monotonic())
        if step and from_hub and app == APPS[KOTIM.id]:
            self._screen.first_answer(step[0])
        if step:
            self._screen.step(*step)


Answer = tuple[str, str, int, bool]
"""App, its own number of the complaint, the row's number, whether it came through the hub."""


def tanggapan(path: Path) -> Iterator[Answer]:
    """Lapor Kotim's table of answers. Officer 1 is the connector; others answered in the app itself."""
    for row, number, officer in _rows(path, "SELECT id_tanggapan, id_pengaduan, id_petugas FROM tanggapan"):
        yield APPS[KOTIM.id], str(number), int(row), officer == 1


def pesan(path: Path) -> list[tuple[Any, ...]]:
    """(message, report, agency) of Lapor Kotim's table of messages to reporters."""
    return _rows(path, "SELECT id_pesan, id_pengaduan, instansi FROM pesan ORDER BY dikirim_pada")


def jawaban(path: Path) -> Iterator[Answer]:
    """The answers in Suara Banua's table."""
    query = "SELECT id, json_extract(dokumen, '$.source.reference') FROM laporan WHERE jawaban IS NOT NULL"
    for row, reference in _rows(path, query):
        yield APPS[KALSEL.id], str(reference), int(row), True


def _rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # the app is just making it
                return []
            raise
