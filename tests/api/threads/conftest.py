"""A flood across a district border: two offices, a river authority, and who else there is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.cli.database import fold
from hub.store.rebuilding import check_rebuild
from tests.api.checking import Reply
from tests.api.conftest import Caller, House, forwarded, running
from tests.api.deadlines.conftest import Shifted, Turned

APP, RIVER, ROADS, STRANGER = "kab-kotim", "bbws", "kementerian-pupr", "orang-luar"


@pytest.fixture
async def turned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Turned]:
    clock = Shifted()
    monkeypatch.setattr("hub.app_core.SystemClock", lambda: clock)
    async with running(folder) as house:
        yield Turned(house, clock)
        core = house.server.core
        assert check_rebuild(core.store, fold(core.sealer))[1] is None


@dataclass
class Flood:
    """Two cases: the first is forwarded to the ministry, the second to the river authority."""

    house: House
    cases: list[str]

    async def caller(self, agency: str) -> Caller:
        return await self.house.caller(agency)

    async def open(self, **changes: Any) -> dict[str, Any]:
        app = await self.caller(APP)
        body = {"subject": "Banjir di perbatasan Sampit", "cases": self.cases, "participants": [RIVER, ROADS]}
        reply = await app.post("/v1/threads", body | changes)
        assert reply.status == 201, reply.text
        return reply.json

    async def post(self, by: str, thread_id: str, text: str, scope: str = "agencies", **more: Any) -> Reply:
        caller = await self.caller(by)
        return await caller.post(f"/v1/threads/{thread_id}/messages", {"text": text, "scope": scope} | more)

    async def read(self, by: str, thread_id: str) -> list[dict[str, Any]]:
        reply = await (await self.caller(by)).get(f"/v1/threads/{thread_id}/messages")
        assert reply.status == 200, reply.text
        return reply.json["items"]


@pytest.fixture
async def flood(turned: Turned) -> Flood:
    app = await turned.caller(APP)
    first, _ = await forwarded(app)
    second = (await app.submit())["id"]
    assert (await app.post(f"/v1/cases/{second}/verification", {"decision": "accept"})).status == 200
    sent = await app.post(f"/v1/cases/{second}/forwardings", {"to": [{"agency": RIVER, "role": "lead"}]})
    assert sent.status == 201, sent.text
    return Flood(turned.house, [first, second])
