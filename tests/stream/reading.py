"""Reads server-sent events as the standard says (WHATWG HTML 9.2.6), over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.api.conftest import Caller

WITHIN_S = 10.0


@dataclass
class Event:
    id: str
    type: str
    data: Any

    @property
    def position(self) -> int:
        return int(self.id)


@dataclass
class Reader:
    """`last_id` is what a browser would send as Last-Event-ID."""

    response: aiohttp.ClientResponse
    last_id: str = ""
    retry_ms: int = 0
    comments: list[str] = field(default_factory=list)

    async def next(self) -> Event | None:
        """The next event that is dispatched; None at the end of the stream."""
        held: dict[str, list[str]] = {"data": [], "event": []}
        while line := await asyncio.wait_for(self.response.content.readline(), WITHIN_S):
            name, _, value = line.decode().removesuffix("\n").partition(":")
            value = value.removeprefix(" ")
            if line == b"\n":
                if held["data"]:
                    kind = (held["event"] or ["message"])[-1]
                    return Event(self.last_id, kind, orjson.loads("\n".join(held["data"])))
                held = {"data": [], "event": []}
            elif not name:
                self.comments.append(value)
            elif name == "id":
                self.last_id = value
            elif name == "retry":
                self.retry_ms = int(value)
            else:
                held[name].append(value)
        return None

    async def some(self, count: int) -> list[Event]:
        found = [await self.next() for _ in range(count)]
        assert None not in found, f"the stream ended: {self.comments}"
        return [event for event in found if event is not None]

    async def until_the_end(self) -> list[Event]:
        found = []
        while event := await self.next():
            found.append(event)
        return found


@asynccontextmanager
async def following(
    caller: Caller, path: str = "/v1/stream", headers: dict[str, str] | None = None
) -> AsyncIterator[Reader]:
    sent = {"Authorization": f"Bearer {caller.token}", "Accept": "text/event-stream"} | (headers or {})
    async with caller.house.http.get(caller.house.url + path, headers=sent) as response:
        assert response.status == 200, await response.text()
        yield Reader(response)


async def mailbox(caller: Caller) -> list[dict[str, Any]]:
    """Every entry, as pages tell it."""
    found: list[dict[str, Any]] = []
    while items := (
        await caller.get(f"/v1/mailbox?limit=200&after={found[-1]['position'] if found else 0}")
    ).json["items"]:
        found += items
    return found


def as_mailbox(events: list[Event]) -> list[dict[str, Any]]:
    return [{"position": event.position, "event": event.data} for event in events]
