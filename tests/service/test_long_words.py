"""Words that take long to look through hold up nobody else: a loop that stands still answers no probe and
renews no lease."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hub.app import build
from hub.domain.privacy import ComplaintParts, split_complaint
from hub.errors import Unavailable
from hub.service import intake
from hub.service.bulk import BulkIntake
from hub.service.hub import Hub
from hub.service.requests import Outcome, Request
from tests.service.hubworld import KOTIM, MEDAN, PLN, PUPR, STRANGER, HubWorld, complaint, principal

LONG = {"description": "0 8 " * 600}
MANY_MEMBERS = {"extensions": {KOTIM: {str(n): "hubungi 0812-0000-0000 " * 20 for n in range(20)}}}


class Held:
    """`split_complaint`, once the loop has done something else; where it ran, by reference."""

    def __init__(self) -> None:
        self.begun, self.turned, self.threads = threading.Event(), threading.Event(), dict[str, int]()

    def split(self, document: dict[str, Any]) -> ComplaintParts:
        self.threads[document["source"]["reference"]] = threading.get_ident()
        if threading.get_ident() != self.threads["loop"]:
            self.begun.set()
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


# --- how many wait ------------------------------------------------------------------------------------


@asynccontextmanager
async def waiting(
    world: HubWorld, held: Held, count: int, agencies: Sequence[str] = (KOTIM,)
) -> AsyncIterator[list[asyncio.Task[Request]]]:
    """So many complaints whose words take long, of the agencies in turn; the first stands still inside the
    block, and those behind it wait."""
    held.threads["loop"] = threading.get_ident()
    tasks = [
        asyncio.create_task(_prepared(world, f"L-{number}", agencies[number % len(agencies)]))
        for number in range(count)
    ]
    await asyncio.sleep(0)  # each has come as far as the thread now
    try:
        yield tasks
    finally:
        held.turned.set()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_of_one_agency_a_quarter_may_wait(world: HubWorld, held: Held) -> None:
    async with waiting(world, held, intake.LONG_WORDS // intake.SHARE):
        with pytest.raises(Unavailable) as refused:
            await _prepared(world, "one-more")
        assert refused.value.retry_after_s
        other = asyncio.create_task(_prepared(world, "other", PLN))
        short = await world.desk.prepare_aside(principal(KOTIM), complaint("short"))
        assert short.intake is not None
        held.turned.set()
        assert (await other).principal.agency == PLN
    assert (await _prepared(world, "again")).intake is not None, "there is room again"


async def test_of_all_together_a_bounded_number_waits(
    world: HubWorld, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LONG_WORDS", 8)
    async with waiting(world, held, 8, (KOTIM, PLN, PUPR, MEDAN)) as tasks:
        with pytest.raises(Unavailable):
            await _prepared(world, "one-more", STRANGER)
        held.turned.set()
        assert [type(each) for each in await asyncio.gather(*tasks)] == [Request] * 8


async def test_whoever_hangs_up_gives_up_the_place(world: HubWorld, held: Held) -> None:
    async with waiting(world, held, intake.LONG_WORDS // intake.SHARE) as tasks:
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks[1:], return_exceptions=True)
        anew = asyncio.create_task(_prepared(world, "anew"))
        held.turned.set()
        assert isinstance(await anew, Request)
    assert set(held.threads) == {"loop", "L-0", "anew"}, "what nobody waits for is not looked through"


async def test_at_the_end_of_the_hub_nothing_waits(world: HubWorld, held: Held) -> None:
    async with waiting(world, held, 3) as tasks:
        await asyncio.to_thread(held.begun.wait, 10)
        stopping = asyncio.create_task(world.desk.stop())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await _prepared(world, "late")
        held.turned.set()
        await stopping
        first, *others = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, Request), "what was under way is finished"
    assert [type(each) for each in others] == [Unavailable] * 2


async def test_the_hub_ends_them_with_everything_else(world: HubWorld) -> None:
    server = build(world.core)
    await server.start()
    await server.stop()
    with pytest.raises(Unavailable):
        await server.hub.desk.prepare_aside(principal(KOTIM), complaint("late", **LONG))


async def test_a_batch_says_of_each_line_that_it_must_be_sent_again(world: HubWorld, held: Held) -> None:
    async with world.serving() as hub, waiting(world, held, intake.LONG_WORDS // intake.SHARE):
        bulk = BulkIntake(hub, principal(KOTIM), 0.0, time.monotonic)
        chunk = await bulk.offer([complaint("long", **LONG), complaint("short")])
        refused, taken = await chunk.settled()
    assert isinstance(refused, Unavailable)
    assert isinstance(taken, Outcome)


async def _prepared(world: HubWorld, reference: str, agency: str = KOTIM) -> Request:
    return await world.desk.prepare_aside(principal(agency), complaint(reference, agency, **LONG))
