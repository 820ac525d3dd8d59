"""An agency is deactivated: the hub passes on what waits for it, each case once, whoever is at it and
whatever stood still; handed over or reactivated before, nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from hub.app_sweeps import sweeps
from hub.domain.agency import HUB
from hub.domain.commands import Accept, Close, PassOn, Verify
from hub.errors import Held
from hub.service.readers import Readers
from hub.service.requests import ChangeAgency, Request
from hub.service.sweeps import CHUNK, PAGE, Sweep, pages_of_deactivated
from tests.service.clockwork import Straight, facts, types, wake
from tests.service.hubworld import KOTIM, MEDAN, PLN, PUPR, HubWorld


def end(world: HubWorld, *agencies: str, active: bool = False) -> None:
    for name in agencies:
        world.core.operate(ChangeAgency(name, {"active": active}))


async def swept(world: HubWorld, writer: Straight | None = None) -> int:
    """One walk of a hub that has just been started; how many cases it changed."""
    readers = Readers(world.core.store, 1)
    try:
        sweep, _ = sweeps(world.core, readers, writer or Straight(world.core.runner))  # type: ignore[arg-type]
        return await sweep.once()
    finally:
        readers.close()


async def test_a_case_that_no_clock_would_wake_again_passes_on(hub: HubWorld) -> None:
    case_id = hub.submitted()
    hub.do(hub.request(Verify(case_id, "accept")))
    hub.clock.turn(days=90)
    await wake(hub)
    end(hub, KOTIM)
    assert await wake(hub) == 0, "its last clock was missed long ago"
    assert await swept(hub) == 1
    last = facts(hub, case_id)[-1]
    assert (last.type, last.data["cause"], last.data["to"]) == ("complaint.escalated", "missed", HUB)
    assert last.data["deactivated"] is True and HUB in last.recipients
    assert hub.read(lambda s: s.to_wake("9999", 1)) == [case_id], "the new owner's clock runs"
    assert await swept(hub) == 0
    assert hub.difference() is None


async def test_what_was_forwarded_to_it_is_taken_back(hub: HubWorld) -> None:
    case_id, leg = hub.forwarded((PUPR, "lead"))
    hub.do(hub.request(Accept(case_id, leg), PUPR))
    answered, _ = hub.forwarded((PLN, "lead"), reference="PGD-2")
    end(hub, PUPR)
    assert await swept(hub) == 1
    state = hub.read(lambda s: s.case(case_id)).state
    assert (state.owner, state.status, state.leg(leg).status) == (KOTIM, "verified", "withdrawn")
    words = hub.read(lambda s: s.case(case_id)).texts
    assert "deactivated" in words.legs[leg].reason
    assert types(hub, answered)[-1] == "forwarding.sent"
    assert hub.difference() is None


async def test_a_hub_that_was_down_tells_the_late_deadline_first(hub: HubWorld) -> None:
    case_id = hub.submitted()
    end(hub, KOTIM)
    hub.clock.turn(days=400)
    await swept(hub)
    assert types(hub, case_id) == [
        "complaint.submitted", "deadline.approaching", "deadline.missed", "complaint.escalated",
    ]  # fmt: skip
    assert hub.difference() is None


async def test_reactivated_before_anything_is_found_or_decided(hub: HubWorld) -> None:
    case_id = hub.submitted()
    end(hub, KOTIM)
    end(hub, KOTIM, active=True)
    assert await swept(hub) == 0
    (late,) = hub.run(hub.request(PassOn(case_id, KOTIM)))
    assert late.replayed and types(hub, case_id) == ["complaint.submitted"]


async def test_more_cases_than_a_page_in_small_transactions(world: HubWorld) -> None:
    count = PAGE + 9
    results = world.run(*(world.submission(f"A-{n}") for n in range(count)))
    ended = results[0].ids[0]
    world.do(world.request(Verify(ended, "accept")), world.request(Close(ended, "resolved")))
    world.submitted("M-1", MEDAN)
    end(world, KOTIM, MEDAN)
    writer = Straight(world.core.runner)
    assert await swept(world, writer) == count
    assert max(writer.sizes) <= CHUNK
    assert types(world, ended)[-1] == "complaint.closed"
    reopened = world.read(lambda s: s.open_cases_of(KOTIM, "", 200))
    assert reopened == []
    assert world.difference() is None


class HeldElsewhere(Straight):
    """Another process has the first chunk's cases in its hands."""

    def submit(self, requests: Sequence[Request], *, bulk: bool = False) -> asyncio.Future[list[Any]]:
        if self.sizes:
            return super().submit(requests, bulk=bulk)
        self.sizes.append(len(requests))
        done: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        done.set_result([Held("Another process has this case.", retry_after_s=1)] * len(requests))
        return done


async def test_cases_in_other_hands_are_left_for_the_next_walk(world: HubWorld) -> None:
    world.run(*(world.submission(f"A-{n}") for n in range(CHUNK + 3)))
    end(world, KOTIM)
    assert await swept(world, HeldElsewhere(world.core.runner)) == 3
    assert await swept(world) == CHUNK
    assert world.difference() is None


@pytest.mark.postgres
async def test_two_processes_at_it_at_once(hubs: tuple[HubWorld, HubWorld]) -> None:
    here, there = hubs
    cases = [result.ids[0] for result in here.run(*(here.submission(f"A-{n}") for n in range(80)))]
    end(here, KOTIM)
    async with here.serving() as one, there.serving() as other:

        async def begin() -> object:
            return pages_of_deactivated([KOTIM])

        walks = [Sweep("deactivated", begin, each.readers, each.writer, 1.0) for each in (one, other)]  # type: ignore[arg-type]
        await asyncio.gather(*[walk.once() for walk in walks])
    assert [types(here, case_id).count("complaint.escalated") for case_id in cases] == [1] * len(cases)
    assert here.difference() is None
