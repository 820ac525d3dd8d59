"""A case's evidence holds its threads, as far as the reader takes part; the rest by hash. It verifies."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from auth.evidence_signing import key_set
from hub.cli.verify import trust
from hub.domain.evidence_check import verified
from tests.api.threads.conftest import APP, RIVER, ROADS, Flood

NOTE = "Jangan beri tahu dulu, anggaran belum turun."


def opened(event: dict[str, Any]) -> str:
    """What a reader can make of it, without the hub."""
    return base64.b64decode(event.get("header", "")).decode() + orjson.dumps(event.get("told", {})).decode()


async def export(flood: Flood, by: str) -> dict[str, Any]:
    caller = await flood.caller(by)
    reply = await caller.get(f"/v1/cases/{flood.cases[0]}/evidence")
    assert reply.status == 200, reply.text
    known = key_set((await caller.get("/.well-known/jwks.json")).text)
    summary = verified(reply.body, trust(known)).document()
    assert summary["kid"] in known
    return reply.json


async def test_threads_stand_beside_their_case(flood: Flood) -> None:
    thread = await flood.open(participants=[RIVER])
    await flood.post(RIVER, thread["id"], NOTE, "internal")
    await flood.post(APP, thread["id"], "Rapat jam sembilan.")
    mine = await export(flood, APP)
    assert [stream["kind"] for stream in mine["streams"]] == ["case", "thread"]
    events = mine["streams"][1]["events"]
    assert [("withheld" in event) for event in events] == [False, True, False]
    others = await export(flood, ROADS)
    assert [stream["kind"] for stream in others["streams"]] == ["case"]
    assert all("thread.message" not in opened(event) for event in others["streams"][0]["events"])
