"""The writer's queue: bounded, interactive before bulk, nothing lost at the end; and several writers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.commands import Accept, Close, Return, Verify
from hub.errors import StoreUnavailable, Unavailable
from hub.service.rebuild import verify_chains
from hub.service.requests import OPERATOR, Outcome, RegisterAgency, Request
from hub.service.writer import BATCH, Writer
from tests.service.hubworld import KOTIM, PLN, PUPR, HubWorld, statuses


@asynccontextmanager
async def writing(world: HubWorld, queue: int = 4096) -> AsyncIterator[Writer]:
    writer = Writer(world.core.runner, lambda events: None, queue)
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


@asynccontextmanager
async def held(writer: Writer) -> AsyncIterator[threading.Event]:
    """The writer's thread stands still inside the block, so that a queue forms."""
    go, standing = threading.Event(), threading.Event()

    def stand() -> None:
        standing.set()
        go.wait()

    job = asyncio.ensure_future(writer.run(stand))
    await asyncio.to_thread(standing.wait)
    try:
        yield go
    finally:
        go.set()
        await job


async def test_a_bounded_queue_refuses_with_retry_after(world: HubWorld) -> None:
    async with writing(world, queue=3) as writer:
        async with held(writer):
            waiting = writer.submit([world.submission("A"), world.submission("B")])
            with pytest.raises(Unavailable) as refused:
                writer.submit([world.submission("C"), world.submission("D")])
            assert refused.value.retry_after_s
            last = writer.submit([world.submission("C")])
        assert statuses(await waiting + await last) == [201, 201, 201]
        (again,) = await writer.submit([world.submission("D")])
        assert again.status == 201, "there is room again"


async def test_interactive_goes_before_bulk(world: HubWorld) -> None:
    order: list[str] = []
    async with writing(world) as writer:
        async with held(writer):
            futures = []
            for name, bulk in (("bulk-1", True), ("bulk-2", True), ("one", False), ("two", False)):
                future = writer.submit([world.submission(f"{name}-{n}") for n in range(3)], bulk=bulk)
                future.add_done_callback(lambda _, name=name: order.append(name))
                futures.append(future)
        results = await asyncio.gather(*futures)
        await asyncio.sleep(0)
    assert order == ["one", "two", "bulk-1", "bulk-2"]
    ids = [[result.ids[0] for result in group] for group in results]
    position = {event.stream: event.position for event in world.read(lambda s: s.events_after(0, 999))}
    places = [position[group[0]] for group in ids]
    assert places[2] < places[3] < places[0] < places[1]


async def test_a_batch_is_at_most_256_and_more_are_taken_in_turns(world: HubWorld) -> None:
    sizes: list[int] = []
    real = world.core.runner.run

    class Counting:
        def run(self, batch: Any) -> Any:
            sizes.append(len(batch))
            return real(batch)

    writer = Writer(Counting(), lambda events: None)  # type: ignore[arg-type]
    writer.start()
    async with held(writer):
        futures = [writer.submit([world.submission(f"{c}-{n}") for n in range(60)]) for c in range(5)]
    results = [result for future in futures for result in await future]
    await writer.stop()
    assert statuses(results) == [201] * 300
    assert sizes == [240, 60]


async def test_more_requests_than_a_batch_holds_are_refused_at_once(world: HubWorld) -> None:
    """They would wait for ever, since they never fit."""
    async with writing(world) as writer:
        one = world.submission("A")
        with pytest.raises(ValueError, match="256"):
            writer.submit([one] * (BATCH + 1))
        assert statuses(await writer.submit([one])) == [201]


async def test_what_waits_at_the_end_is_still_written_and_nothing_more_is_taken(world: HubWorld) -> None:
    writer = Writer(world.core.runner, lambda events: None)
    writer.start()
    async with held(writer):
        future = writer.submit([world.submission("A")])
        stopping = asyncio.ensure_future(writer.stop())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            writer.submit([world.submission("B")])
    await stopping
    assert statuses(await future) == [201]
    with pytest.raises(Unavailable):
        await writer.run(lambda: None)


async def test_a_caller_that_hangs_up_harms_nobody(world: HubWorld) -> None:
    async with writing(world) as writer:
        async with held(writer):
            gone, stays = writer.submit([world.submission("A")]), writer.submit([world.submission("B")])
            gone.cancel()
        assert statuses(await stays) == [201]
        assert world.read(lambda s: s.reference(KOTIM, "A")) is not None


async def test_a_job_that_fails_tells_its_caller_and_the_writer_goes_on(world: HubWorld) -> None:
    def broken() -> None:
        raise StoreUnavailable("penuh")

    async with writing(world) as writer:
        with pytest.raises(StoreUnavailable, match="penuh"):
            await writer.run(broken)
        assert await writer.run(lambda: 7) == 7
        assert statuses(await writer.submit([world.submission("A")])) == [201]


async def test_a_full_disk_answers_503_through_the_writer(world: HubWorld) -> None:
    text = "Gelap sekali. " * 1400
    async with writing(world) as writer:
        with world.full_disk():
            results = await writer.submit([world.submission(f"A-{n}", description=text) for n in range(20)])
            assert statuses(results) == [503] * 20
        assert statuses(await writer.submit([world.submission("A-1", description=text)])) == [201]


# --- two processes' writers on one database ---------------------------------------------------------


def race(*runs: Callable[[], Any]) -> list[Any]:
    """Runs them at once, on a thread each."""
    results: list[Any] = [None] * len(runs)
    barrier = threading.Barrier(len(runs))

    def one(place: int) -> None:
        barrier.wait()
        results[place] = runs[place]()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def pair(world_factory: Callable[[str], HubWorld]) -> tuple[HubWorld, HubWorld]:
    return world_factory("data"), world_factory("data")


@pytest.mark.parametrize("action", [Accept, lambda case, leg: Return(case, leg, "not_ours")])
def test_two_officers_race_for_the_same_leg_and_one_wins(
    pair: tuple[HubWorld, HubWorld], action: Any
) -> None:
    case_id, leg = pair[0].forwarded()
    results = race(*(lambda w=w: w.run(w.request(action(case_id, leg), PUPR))[0] for w in pair))
    assert sorted(statuses(results)) == [200, 409]
    assert pair[0].version(case_id) == 4
    assert pair[0].difference() is None


def test_accepting_races_with_withdrawing(pair: tuple[HubWorld, HubWorld]) -> None:
    """Either order is legal; what stands in the end is what the log says."""
    case_id, leg = pair[0].forwarded()
    results = race(
        lambda: pair[0].run(pair[0].request(Accept(case_id, leg), PUPR))[0],
        lambda: pair[1].run(pair[1].request(Return(case_id, leg, "not_ours"), PUPR))[0],
    )
    assert results[1].status == 200
    assert pair[0].version(case_id) == 3 + statuses(results).count(200)
    assert pair[0].difference() is None


def test_the_same_reference_in_two_processes_makes_one_case(pair: tuple[HubWorld, HubWorld]) -> None:
    results = race(*(lambda w=w: w.run(w.submission("PGD-1"))[0] for w in pair))
    assert sorted(statuses(results)) == [200, 201]
    assert results[0].ids == results[1].ids


def test_the_same_key_in_two_processes_takes_effect_once(pair: tuple[HubWorld, HubWorld]) -> None:
    case_id = pair[0].submitted()
    command = Verify(case_id, "incomplete", "Kurang jelas.")
    results = race(*(lambda w=w: w.run(w.request(command, key="a"))[0] for w in pair))
    assert sorted(result.replayed for result in results) == [False, True]
    assert pair[0].version(case_id) == 2


async def test_fifty_forwardings_of_one_case_at_once_make_one_chain(pair: tuple[HubWorld, HubWorld]) -> None:
    first, second = pair
    names = [f"dinas-{n}" for n in range(50)]
    operator = Principal(OPERATOR, "hub", frozenset({"agencies:write"}), "", 0.0)
    first.do(*(Request(operator, RegisterAgency(Agency(name, name, "unit"))) for name in names))
    case_id, _ = first.forwarded((PLN, "lead"))
    async with writing(first) as one, writing(second) as two:
        futures = [
            (one if n % 2 else two).submit([first.request(first.forwarding(case_id, (name, "support")))])
            for n, name in enumerate(names)
        ]
        results = [result for future in futures for result in await future]
    assert statuses(results) == [201] * 50
    case = first.read(lambda s: s.case(case_id))
    assert case.state.version == 53
    assert {leg.to for leg in case.state.legs} == {PLN, *names}
    events = first.read(lambda s: s.stream(case_id, 0, 100))
    assert [event.sequence for event in events] == list(range(1, 54))
    verify_chains(lambda after, limit: first.read(lambda s: s.events_after(after, limit)))
    mailbox = first.read(lambda s: s.mailbox(KOTIM, 0, 999))
    assert [row.position for row in mailbox] == list(range(1, len(mailbox) + 1))
    assert first.difference() is None


def test_a_revocation_by_another_process_is_in_force_at_once(pair: tuple[HubWorld, HubWorld]) -> None:
    first, second = pair
    case_id = first.submitted()
    request = first.request(Verify(case_id, "accept"))
    assert not first.core.registry.refresh()
    second.core.rows.revoke_client(request.principal.client_id, "2025-03-14T02:00:00.000Z")
    assert statuses(first.run(request)) == [401]
    assert first.core.registry.refresh()
    client = first.core.registry.get(request.principal.client_id)
    assert client is not None
    assert client.revoked_at is not None


def test_an_agency_closed_by_another_process_is_closed_here(pair: tuple[HubWorld, HubWorld]) -> None:
    from hub.service.requests import ChangeAgency

    first, second = pair
    case_id = first.submitted()
    second.core.operate(ChangeAgency(KOTIM, {"active": False}))
    assert statuses(first.run(first.request(Close(case_id, "archived")))) == [403]
    first.core.registry.refresh()
    assert first.core.registry.get("client_" + KOTIM) is None
    assert isinstance(first.run(first.submission("X", "pemko-medan"))[0], Outcome)
