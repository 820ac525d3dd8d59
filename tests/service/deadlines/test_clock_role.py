"""The clock: each approaching and each missed deadline once, whoever is at work and whatever stood still."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.commands import Verify
from hub.errors import StoreUnavailable
from hub.service import clock_role
from hub.service.batch import BatchRunner
from hub.service.clock_role import ASIDE_S, AWAY_S, ClockRole
from hub.service.decide import Decider
from hub.service.readers import Readers
from hub.service.writer import BULK_CHUNK
from tests.service.clockwork import Straight, role_of, told, types, wake
from tests.service.hubworld import HubWorld, statuses

WARNS = datetime(2025, 3, 18, 9, 0, tzinfo=UTC)
DUE = datetime(2025, 3, 19, 9, 0, tzinfo=UTC)
"""Submitted on Friday at 09:00 WIB, to be verified within three working days: Wednesday, 16:00."""
BOTH = [
    ("deadline.approaching", "verification", "2025-03-19T09:00:00.000Z"),
    ("deadline.missed", "verification", "2025-03-19T09:00:00.000Z"),
]
LONG_AGO = timedelta(days=30)


async def test_each_moment_is_told_once(hub: HubWorld) -> None:
    case_id = hub.submitted()
    for moment, expected in (
        (WARNS - timedelta(milliseconds=1), []),
        (WARNS + timedelta(milliseconds=1), BOTH[:1]),
        (DUE, BOTH[:1]),
        (DUE + timedelta(milliseconds=1), BOTH),
        (DUE + LONG_AGO, BOTH),
    ):
        hub.clock.moment = moment
        for _ in range(2):
            await wake(hub)
            assert told(hub, case_id) == expected, moment
    assert hub.difference() is None


async def test_a_hub_that_was_down_over_both_tells_both_late(hub: HubWorld) -> None:
    case_id = hub.submitted()
    hub.clock.moment = DUE + LONG_AGO
    assert await wake(hub) == 1
    assert told(hub, case_id) == BOTH
    assert hub.version(case_id) == 3
    assert await wake(hub) == 0


@pytest.mark.postgres
async def test_two_clocks_at_work_at_once(hubs: tuple[HubWorld, HubWorld]) -> None:
    here, there = hubs
    cases = [result.ids[0] for result in here.run(*(here.submission(f"A-{n}") for n in range(150)))]
    here.clock.moment = DUE + LONG_AGO
    async with here.serving() as one, there.serving() as other:
        roles = [ClockRole(each.readers, each.writer, here.clock) for each in (one, other)]

        async def work(role: ClockRole) -> None:
            while await role.once():
                pass

        await asyncio.gather(*map(work, roles))
    assert [told(here, case_id) for case_id in cases] == [BOTH] * len(cases)
    assert here.difference() is None


@pytest.mark.postgres
async def test_a_case_in_another_transactions_hands_waits_and_holds_up_none(
    hubs: tuple[HubWorld, HubWorld],
) -> None:
    here, there = hubs
    held, other = here.submitted("A-1"), here.submitted("A-2")
    here.clock.moment = DUE + LONG_AGO
    readers = Readers(here.core.store, 1)
    role = role_of(here, readers)
    with there.core.store.begin() as txn:
        assert txn.lock([held]) == set()
        assert await role.once() == 2
        assert (told(here, held), told(here, other)) == ([], BOTH)
        assert await role.once() == 0, "it is not asked for again and again"
    here.clock.seconds += AWAY_S
    assert await role.once() == 1
    assert told(here, held) == BOTH
    readers.close()


class Broken(Decider):
    """Of some cases the deadline is what the hub fails on, every time."""

    cases: frozenset[str] = frozenset()

    def _woken(self, case: Any, *around: Any) -> Any:
        if case.state.id in self.cases:
            raise LookupError("a defect")
        return super()._woken(case, *around)


def failing(world: HubWorld, *cases: str) -> Straight:
    core = world.core
    decider = Broken(core.sealer, core.ids, core.rulebook)
    decider.cases = frozenset(cases)
    return Straight(BatchRunner(core.store, decider, core.sealer, world.clock))


async def test_cases_that_fail_at_every_wake_hold_up_no_other(world: HubWorld) -> None:
    cases = [world.submitted(f"A-{n}") for n in range(70)]
    world.clock.moment = DUE + LONG_AGO
    readers, writer = Readers(world.core.store, 1), failing(world, *cases[:BULK_CHUNK])
    role = role_of(world, readers, writer)
    assert [await role.once() for _ in range(3)] == [BULK_CHUNK, 6, 0]
    assert [told(world, case_id) for case_id in cases] == [[]] * BULK_CHUNK + [BOTH] * 6
    world.clock.seconds += ASIDE_S
    writer.runner = world.core.runner
    assert await role.once() == BULK_CHUNK
    assert told(world, cases[0]) == BOTH, "once the defect is mended"
    readers.close()


async def test_when_too_much_fails_nothing_is_tried_for_a_while(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_role, "ASIDE", 5)
    cases = [world.submitted(f"A-{n}") for n in range(8)]
    world.clock.moment = DUE + LONG_AGO
    readers, writer = Readers(world.core.store, 1), failing(world, *cases)
    role = role_of(world, readers, writer)
    assert [await role.once() for _ in range(3)] == [5, 0, 0]
    assert writer.sizes == [5]
    readers.close()


async def test_a_database_that_takes_no_writes_sets_nothing_aside(world: HubWorld) -> None:
    cases = [world.submitted(f"A-{n}", description="Gelap. " * 2000) for n in range(40)]
    world.clock.moment = DUE + LONG_AGO
    readers = Readers(world.core.store, 1)
    role = role_of(world, readers)
    with world.full_disk(), pytest.raises(StoreUnavailable):
        await role.once()
    assert await role.once() == len(cases)
    assert told(world, cases[0]) == BOTH
    readers.close()


async def test_a_row_that_wakes_a_case_with_nothing_to_say_spins_nothing(world: HubWorld) -> None:
    case_id = world.submitted()
    world.sql("UPDATE cases SET next_wake = '2025-01-01T00:00:00.000Z' WHERE id = ?", case_id)
    readers = Readers(world.core.store, 1)
    role = role_of(world, readers)
    assert [await role.once() for _ in range(2)] == [1, 0]
    assert told(world, case_id) == []
    readers.close()


async def test_a_thousand_cases_are_woken_in_chunks(world: HubWorld) -> None:
    for start in range(0, 1000, 250):
        world.run(*(world.submission(f"A-{start + n}") for n in range(250)))
    world.clock.moment = DUE + LONG_AGO
    writer = Straight(world.core.runner)
    assert await wake(world, writer) == 1000
    assert set(writer.sizes) == {BULK_CHUNK, 1000 % BULK_CHUNK}, "a chunk in hand at a time"
    kinds = [event.fact().type for event in world.read(lambda s: s.events_after(0, 9999))]
    assert [kinds.count(kind) for kind in ("deadline.approaching", "deadline.missed")] == [1000, 1000]


async def test_a_clock_that_is_cancelled_in_the_middle_loses_and_repeats_nothing(world: HubWorld) -> None:
    cases = [world.submitted(f"A-{n}") for n in range(3)]
    world.clock.moment = DUE + LONG_AGO
    asked = asyncio.Event()

    class Slow(Straight):
        def submit(self, requests: Any, *, bulk: bool = False) -> asyncio.Future[list[Any]]:
            super().submit(requests, bulk=bulk)
            asked.set()
            return asyncio.get_running_loop().create_future()  # its answer never comes

    readers = Readers(world.core.store, 1)
    role = asyncio.ensure_future(role_of(world, readers, Slow(world.core.runner)).forever())
    await asked.wait()
    role.cancel()
    assert isinstance((await asyncio.gather(role, return_exceptions=True))[0], asyncio.CancelledError)
    assert await wake(world) == 0
    assert [told(world, case_id) for case_id in cases] == [BOTH] * 3
    readers.close()


async def test_the_clock_waits_between_looks_and_longer_when_the_hub_has_too_much_to_do(
    world: HubWorld,
) -> None:
    """Nothing due: a second. Refused: five. Never less."""
    paused: list[float] = []

    class Enough(Exception):
        pass

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 1:
            world.submitted()
            world.clock.moment = DUE + LONG_AGO
        if len(paused) == 3:
            raise Enough

    readers = Readers(world.core.store, 1)
    async with world.serving(queue=0) as served:
        role = ClockRole(readers, served.writer, world.clock, pause)
        served.writer._limits[True] = 0  # no room for bulk at all
        with pytest.raises(Enough):
            await role.forever()
    assert paused == [clock_role.EVERY_S, AWAY_S, AWAY_S]
    readers.close()


async def test_what_was_done_in_time_is_never_told(hub: HubWorld) -> None:
    case_id = hub.submitted()
    hub.clock.moment = WARNS - timedelta(hours=1)
    hub.do(hub.request(Verify(case_id, "reject", "Bukan urusan pemerintah.")))
    hub.clock.moment = DUE + LONG_AGO
    assert await wake(hub) == 0
    assert types(hub, case_id) == ["complaint.submitted", "complaint.rejected"]
    assert statuses(hub.run(hub.request(Verify(case_id, "accept")))) == [409]
