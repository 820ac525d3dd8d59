"""A hub on a real port whose clock can be turned, and what its agencies do and see."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.service.clock_role import ClockRole
from tests.api.checking import Reply
from tests.api.conftest import Caller, House, forwarded, running

MINISTRY, RIVER, OMBUDSMAN = "kementerian-pupr", "bbws", "ombudsman"
NAMED = "Siti Rahmawati bilang belum selesai, hubungi 081234567890."


class Shifted:
    """The machine's clock, some days ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic()


class Turned:
    """A house whose clock can be turned."""

    def __init__(self, house: House, clock: Shifted) -> None:
        self.house = house
        self.clock = clock

    async def caller(self, agency: str) -> Caller:
        return await self.house.caller(agency)

    async def turn(self, days: float) -> None:
        """Tokens end, and the clock notices at once what has come."""
        self.clock.ahead += timedelta(days=days)
        self.house.callers.clear()
        hub = self.house.server.hub
        role = ClockRole(hub.readers, hub.writer, self.clock)
        while await role.once():
            pass


@pytest.fixture
async def turned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Turned]:
    clock = Shifted()
    monkeypatch.setattr("hub.app_core.SystemClock", lambda: clock)
    async with running(folder) as house:
        yield Turned(house, clock)


async def act(by: Caller, path: str, body: dict[str, Any], status: int = 200, **given: Any) -> Reply:
    reply = await by.post(path, body, **given)
    assert reply.status == status, reply.text
    return reply


async def answered(app: Caller, ministry: Caller) -> tuple[str, str]:
    case_id, leg = await forwarded(app)
    await act(ministry, f"/v1/forwardings/{leg}/acceptance", {})
    await act(ministry, f"/v1/forwardings/{leg}/answer", {"text": "Sudah ditambal."})
    return case_id, leg


async def events(caller: Caller) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after = 0
    while page := (await caller.get("/v1/mailbox", params={"after": str(after), "limit": "200"})).json:
        items += [item["event"] for item in page["items"]]
        if page["next"] == after:
            return items
        after = page["next"]
    return items


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("id.simpul.").removesuffix(".v1") for event in found]


def stages(case: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["stage"], each["state"]) for each in case["deadlines"]]


async def listed(by: Caller, **params: str) -> list[str]:
    return [case["id"] for case in (await by.get("/v1/cases", params=params)).json["items"]]
