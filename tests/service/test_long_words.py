"""Words that take long to look through hold up nobody else: a loop that stands still answers no probe and
renews no lease."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from hub.domain.privacy import ComplaintParts, split_complaint
from hub.service import intake
from hub.service.bulk import BulkIntake
from hub.service.hub import Hub
from hub.service.requests import Outcome
from tests.service.hubworld import KOTIM, HubWorld, complaint, principal

LONG = {"description": "0 8 " * 600}
MANY_MEMBERS = {"extensions": {KOTIM: {str(n): "hubungi 0812-0000-0000 " * 20 for n in range(20)}}}


class Held:
    """`split_complaint`, once the loop has done something else; where it ran, by reference."""

    def __init__(self) -> None:
        self.turned, self.threads = threading.Event(), dict[str, int]()

    def split(self, document: dict[str, Any]) -> ComplaintParts:
        self.threads[document["source"]["reference"]] = threading.get_ident()
        if threading.get_ident() != self.threads["loop"]:
            assert self.turned.wait(10), "the loop stands still"
        return split_complaint(document)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held()
    monkeypatch.setattr(intake, "split_complaint", made.split)
    return made


@pytest.mark.parametrize("words", [LONG, MANY_MEMBERS], ids=["description", "extensions"])
@pytest.mark.parametrize("way", ["one", "batch"])
async def test_others_are_served_meanwhile(
    world: HubWorld, held: Held, way: str, words: dict[str, Any]
) -> None:
    held.threads["loop"] = threading.get_ident()
    async with world.serving() as hub:
        slow = asyncio.create_task(_sent(hub, way, complaint("long", **words)))
        quick = await hub.submit(principal(KOTIM), complaint("short"))
        held.turned.set()
        assert (quick.status, (await slow).status) == (201, 201)
    assert held.threads["short"] == held.threads["loop"] != held.threads["long"]


async def test_a_long_story_without_numbers_needs_no_thread(world: HubWorld, held: Held) -> None:
    held.threads["loop"] = threading.get_ident()
    async with world.serving() as hub:
        story = complaint("story", description="Sudah tiga malam gelap, mohon segera diperbaiki. " * 100)
        assert (await hub.submit(principal(KOTIM), story)).status == 201
    assert held.threads["story"] == held.threads["loop"]


async def _sent(hub: Hub, way: str, document: dict[str, Any]) -> Outcome:
    if way == "one":
        return await hub.submit(principal(KOTIM), document)
    bulk = BulkIntake(hub, principal(KOTIM), 0.0, time.monotonic)
    (result,) = await (await bulk.offer([document])).settled()
    assert isinstance(result, Outcome)
    return result
