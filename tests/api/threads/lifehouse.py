"""A hub with every role, and agencies that hear of it in every way: mailbox, stream and webhook. Its clock
goes on only when it is turned."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from hub.api.server import make_runner
from hub.app import build
from hub.app_core import open_core
from hub.domain.agency import Agency
from hub.service.clock_role import ClockRole
from hub.service.requests import RegisterAgency
from hub.settings import Settings
from tests.api.checking import Checker, Reply
from tests.api.conftest import AGENCIES, PUBLIC, Caller, House
from tests.delivery.receiver import Receiver
from tests.domain.threads.roomrights import words_in
from tests.stream.reading import Event, Reader, following

APP, RIVER, ROADS, UNIT = "kab-kotim", "bbws", "kementerian-pupr", "dinas-pupr-kotim"
BESIDE, STRANGER = "balai-lain", "orang-luar"
PLAYERS = (APP, RIVER, ROADS, UNIT)
EVERYONE = (*PLAYERS, BESIDE, STRANGER)
"""BESIDE handles a case and takes part in no thread; STRANGER has nothing to do with any of it."""
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
WITHIN_S = 20.0


@dataclass
class StoodClock:
    moment: datetime = field(default_factory=lambda: datetime.now(UTC).replace(hour=2, minute=0))
    """Nine in the morning of Jakarta: no office closes while a life is lived."""

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return time.monotonic()


def furnish(folder: Path, database_url: str | None = None) -> None:
    """A data folder with its agencies."""
    settings = Settings(data_dir=folder, public_url=PUBLIC, database_url=database_url)
    with open_core(settings, migrates=database_url is not None) as core:
        for agency in (*AGENCIES, Agency(BESIDE, "Balai yang tidak diajak", "agency")):
            core.operate(RegisterAgency(agency))


@dataclass
class Ear:
    """What one agency was told, by stream and by webhook. The stream is read where it is read."""

    receiver: Receiver
    stack: AsyncExitStack
    streamed: list[Event] = field(default_factory=list)
    reader: Reader | None = None
    last_id: str = ""
    since: int = 0
    """The mailbox's position before the webhook."""

    async def open(self, caller: Caller) -> None:
        await self.close()
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        self.reader = await self.stack.enter_async_context(following(caller, "/v1/stream?after=0", headers))

    async def read_to(self, position: int) -> None:
        assert self.reader is not None
        while int(self.last_id or 0) < position:
            (event,) = await self.reader.some(1)
            self.streamed.append(event)
            self.last_id = event.id

    async def close(self) -> None:
        await self.stack.aclose()
        self.reader = None


@dataclass
class Lifehouse:
    house: House
    clock: StoodClock
    clients: dict[str, tuple[str, str]] = field(default_factory=dict)
    ears: dict[str, Ear] = field(default_factory=dict)

    async def sign_in(self) -> None:
        """Everyone, with a fresh token; the same clients for ever."""
        for agency in EVERYONE:
            name, secret = self.clients.get(agency) or self.house.client(agency)
            self.clients[agency] = name, secret
            basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
            reply = await self.house.nobody.send(
                "POST",
                "/oauth/token",
                data={"grant_type": "client_credentials"},
                headers={"Authorization": f"Basic {basic}"},
            )
            assert reply.status == 200, reply.text
            self.house.callers[agency] = Caller(self.house, reply.json["access_token"], agency)
            if agency in self.ears:
                await self.ears[agency].open(self.house.callers[agency])

    def by(self, agency: str) -> Caller:
        return self.house.callers[agency]

    async def listen(self) -> None:
        for agency in EVERYONE:
            receiver = Receiver()
            await receiver.start()
            self.ears[agency] = Ear(receiver, AsyncExitStack())
            entries = await self.mailbox(agency, 0)
            self.ears[agency].since = entries[-1]["position"] if entries else 0
            reply = await self.by(agency).put("/v1/webhook", {"url": receiver.url, "event_types": ["*"]})
            assert reply.status == 200, reply.text
            await self.ears[agency].open(self.by(agency))

    async def turn(self, **span: float) -> None:
        """The clock notices at once what has come; tokens have ended meanwhile, and streams are resumed."""
        self.clock.moment += timedelta(**span)
        hub = self.house.server.hub
        role = ClockRole(hub.readers, hub.writer, self.clock)
        while await role.once():
            pass
        await self.sign_in()

    async def mailbox(self, agency: str, after: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            reply = await self.by(agency).get(f"/v1/mailbox?after={after}&limit=200")
            assert reply.status == 200, reply.text
            page = reply.json
            if not page["items"]:
                return found
            found += page["items"]
            after = page["next"]

    async def all_delivered(self, agency: str, count: int) -> list[dict[str, Any]]:
        """Every webhook call that was answered, once there are as many as the mailbox has entries."""
        until = time.monotonic() + WITHIN_S
        receiver = self.ears[agency].receiver
        while len({each["id"] for each in receiver.accepted()}) < count and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return receiver.accepted()

    async def hang_up(self) -> None:
        for ear in self.ears.values():
            await ear.close()
            await ear.receiver.stop()


@asynccontextmanager
async def lifehouse(
    folder: Path, clock: StoodClock, database_url: str | None = None
) -> AsyncIterator[Lifehouse]:
    settings = Settings(
        data_dir=folder,
        public_url=PUBLIC,
        log_level="warning",
        database_url=database_url,
        webhook_allowed_networks=LOOPBACK,
    )
    with open_core(settings, clock) as core:
        server = build(core, frozenset({"api", "clock", "delivery"}))
        runner = make_runner(server.web, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        await server.start()
        async with aiohttp.ClientSession(auto_decompress=False) as http:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            made = Lifehouse(House(core, server, url, http, Checker.made()), clock)
            try:
                await made.sign_in()
                yield made
            finally:
                await made.hang_up()
                server.hub.mailboxes.close()
                await runner.cleanup()
                await server.stop()


def said(reply: Reply) -> set[str]:
    return words_in(reply.body)
