"""The outbox's relay: reads rows in order, sends them signed, deletes what was taken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import psycopg
from aiohttp import web
from standardwebhooks import Webhook

AT_ONCE: Final = 16
ROWS: Final = 256
LOOK_EVERY_S: Final = 0.5
SECRET: Final = "whsec_" + "c2ltcHVs" * 4


class Relay:
    def __init__(self, connection: psycopg.AsyncConnection[Any], url: str) -> None:
        self._db = connection
        self._url = url
        self._woken = asyncio.Event()
        self._signer = Webhook(SECRET)
        self._turns = asyncio.Semaphore(AT_ONCE)

    def wake(self) -> None:
        self._woken.set()

    async def running(self, app: web.Application) -> AsyncIterator[None]:
        """For aiohttp's cleanup_ctx: sends while the application serves."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
            task = asyncio.create_task(self._run(session))
            yield
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, session: aiohttp.ClientSession) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_EVERY_S)
            self._woken.clear()
            while await self._send_some(session):
                pass

    async def _send_some(self, session: aiohttp.ClientSession) -> bool:
        query = "SELECT id, event_id::text, body FROM outbox ORDER BY id LIMIT %s"
        rows = await (await self._db.execute(query, (ROWS,), binary=True, prepare=True)).fetchall()
        if not rows:
            return False
        taken = await asyncio.gather(*(self._send(session, *row) for row in rows))
        done = [row[0] for row, was_taken in zip(rows, taken, strict=True) if was_taken]
        await self._db.execute("DELETE FROM outbox WHERE id = ANY(%s)", (done,), prepare=True)
        return bool(done)

    async def _send(self, session: aiohttp.ClientSession, _: int, event_id: str, body: bytes) -> bool:
        async with self._turns:
            now = datetime.now(UTC)
            headers = {
                "Content-Type": "application/cloudevents+json",
                "webhook-id": event_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": self._signer.sign(event_id, now, body.decode()),
            }
            async with session.post(self._url, data=body, headers=headers) as answer:
                return answer.status == 200
