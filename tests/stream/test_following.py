"""The fan-out itself, over a real mailbox with a clock that stands still: heartbeats, bounds, cuts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from hub.delivery import streams as streams_room
from hub.delivery.following import EARLY, FRESH_S, HEARTBEAT, STALLED_S, Follower
from hub.delivery.stream_metrics import StreamMetrics
from hub.delivery.stream_pages import StreamPages
from hub.delivery.streams import LiveStreams, StreamSettings
from hub.errors import Erased, StoreUnavailable
from hub.ports.clock import rfc3339
from hub.ports.streams import Subscriber
from tests.api.conftest import PUBLIC, Caller, House, forwarded

AGENCY = "kab-kotim"


@dataclass
class HandClock:
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.moment += timedelta(seconds=seconds)


@dataclass
class Desk:
    """Streams of a house's mailboxes; a bound of `SMALL` bytes a client."""

    streams: LiveStreams
    clock: HandClock
    refusal: dict[str, str] = field(default_factory=dict)
    aborted: list[str] = field(default_factory=list)
    generation: int = 0

    async def open(
        self,
        name: str,
        after: int | None = 0,
        agency: str = AGENCY,
        lives_s: float = 600,
        is_session: bool = False,
        principal: str = "",
    ) -> Follower:
        until = self.clock.now().timestamp() + lives_s
        subscriber = Subscriber(
            agency,
            principal or name,
            lambda: self.refusal.get(name),
            lambda: self.aborted.append(name),
            lambda: False,
            until,
            is_session,
        )
        return await self.streams.follow(subscriber, after)

    def later(self, seconds: float) -> None:
        self.clock.pass_by(seconds)
        self.streams.tick()


SMALL = 256 * 1024


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    hub, clock = house.server.hub, HandClock()
    pages = StreamPages(hub.readers, hub.sealing, PUBLIC)
    made: list[Desk] = []
    live = LiveStreams(
        pages,
        clock,
        StreamSettings(buffer_bytes=SMALL),
        StreamMetrics(CollectorRegistry()),
        lambda: made[0].generation,
    )
    made.append(Desk(live, clock))
    house.server.bus.subscribe(live.told)
    yield made[0]
    await live.close()


async def ids_of(follower: Follower, last: int) -> list[int]:
    """Positions in the order in which they are handed out, up to `last`."""
    found: list[int] = []
    async with asyncio.timeout(10):
        while not found or found[-1] < last:
            found += positions(await soon(follower.next()))
    return found


async def soon(waiting: Awaitable[bytes]) -> bytes:
    return await asyncio.wait_for(waiting, 5)


def positions(piece: bytes) -> list[int]:
    return [int(line[4:]) for line in piece.split(b"\n") if line.startswith(b"id: ")]


async def large_ones(app: Caller, count: int) -> None:
    """Complaints of some 20 kB each."""
    await asyncio.gather(*(app.submit(description="Jalan rusak berat. " * 1000) for _ in range(count)))


async def test_an_idle_stream_says_so(desk: Desk) -> None:
    follower = await desk.open("a", None)
    waiting = asyncio.create_task(follower.next())
    await asyncio.sleep(0)
    desk.later(15 * (1 - EARLY) - 0.1)
    await asyncio.sleep(0.01)
    assert not waiting.done()
    desk.later(15 * EARLY + 0.2)
    assert await soon(waiting) == HEARTBEAT
    again = asyncio.create_task(follower.next())
    await asyncio.sleep(0.01)
    desk.later(10)
    await asyncio.sleep(0.01)
    assert not again.done()
    again.cancel()


async def test_who_does_not_read_is_cut_off_and_harms_nobody(desk: Desk, app: Caller) -> None:
    lazy, eager = await desk.open("lazy", None), await desk.open("eager", None)
    begun = asyncio.create_task(lazy.next())
    reading = asyncio.create_task(ids_of(eager, 41))
    await app.submit()
    assert positions(await begun) == [2]  # and it is never done with sending that
    await large_ones(app, 39)
    assert await reading == list(range(2, 42))
    desk.later(STALLED_S + 0.1)
    assert (desk.aborted, lazy.ended, eager.ended) == (["lazy"], "slow", None)
    assert await lazy.next() == b""
    again = await desk.open("lazy", lazy.position)
    assert await ids_of(again, 41) == list(range(3, 42))


async def test_the_bound_is_kept(desk: Desk, app: Caller) -> None:
    lazy = await desk.open("lazy", None)
    for _ in range(5):
        await large_ones(app, 8)
        assert lazy._queued_bytes == sum(len(entry.wire) for entry in lazy._queue) <= SMALL


async def test_who_reads_slowly_gets_everything_once(desk: Desk, app: Caller) -> None:
    """Its buffer ran over while it was sending; the rest is read when it comes for more."""
    slow = await desk.open("slow", None)
    first = asyncio.create_task(slow.next())
    await app.submit()
    assert positions(await first) == [2]
    await large_ones(app, 40)
    desk.later(1.0)
    assert slow.ended is None
    reading = asyncio.create_task(ids_of(slow, 43))
    await large_ones(app, 1)
    assert await reading == list(range(3, 44))


async def test_a_write_that_never_ends_is_cut_off(desk: Desk, app: Caller) -> None:
    dead = await desk.open("dead", None)
    first = asyncio.create_task(dead.next())
    await app.submit()
    await first
    desk.later(29)
    assert dead.ended is None
    desk.later(1.5)
    assert (desk.aborted, dead.ended) == (["dead"], "slow")


async def test_what_waited_long_is_read_again(desk: Desk, app: Caller, ministry: Caller) -> None:
    """While the client was busy its agency left the case: what waits for it must not say more than that."""
    late = await desk.open("late", None, "kementerian-pupr")
    first = asyncio.create_task(late.next())
    case, leg = await forwarded(app)
    await first
    to = {"to": [{"agency": "bbws", "role": "support"}]}
    await app.post(f"/v1/cases/{case}/forwardings", to)
    await asyncio.sleep(0.1)
    assert b'"withheld"' not in late._queue[0].wire
    await ministry.post(
        f"/v1/forwardings/{leg}/return", {"reason": "not_ours", "text": "Bukan jalan nasional."}
    )
    desk.later(FRESH_S + 0.1)
    piece = await late.next()
    page = (await ministry.get(f"/v1/mailbox?after={late.position - len(positions(piece))}")).json["items"]
    assert positions(piece) == [entry["position"] for entry in page]
    assert b'"withheld":true' in piece


async def test_a_token_that_expires_ends_the_stream(desk: Desk, app: Caller) -> None:
    follower = await desk.open("a", None, lives_s=300)
    waiting = asyncio.create_task(follower.next())
    await asyncio.sleep(0)
    desk.later(200)
    assert await soon(waiting) == HEARTBEAT
    desk.refusal["a"] = "access"  # what `Call.recheck` will say when it has expired
    waiting = asyncio.create_task(follower.next())
    await asyncio.sleep(0)
    desk.later(99)
    assert await soon(waiting) == HEARTBEAT
    desk.later(2)
    assert (await soon(follower.next()), follower.ended) == (b"", "access")
    assert desk.aborted == ["a"]  # the heartbeat was still being sent


async def test_a_session_is_asked_each_time(desk: Desk, app: Caller) -> None:
    """Signing out is no change of the registry."""
    follower = await desk.open("a", None, is_session=True)
    desk.streams.tick()
    waiting = asyncio.create_task(follower.next())
    await asyncio.sleep(0)
    desk.refusal["a"] = "access"
    await app.submit()
    assert (await soon(waiting), follower.ended) == (b"", "access")


async def test_rights_are_asked_again_when_the_registry_changes(desk: Desk) -> None:
    one, other = await desk.open("one", None), await desk.open("other", None)
    waiting = asyncio.create_task(one.next())
    await asyncio.sleep(0)
    desk.refusal["one"] = desk.refusal["other"] = "access"
    desk.later(0.25)  # the first look at the registry asks everybody
    assert await soon(waiting) == b""
    assert desk.aborted == ["other"]  # something was being sent on it
    third = await desk.open("third", None)
    desk.refusal["third"] = "access"
    desk.later(0.25)
    assert third.ended is None
    desk.generation += 1
    desk.later(0.25)
    assert third.ended == "access"
    assert other.ended == "access"


async def test_nothing_is_handed_out_once_it_may_not_be_read(desk: Desk, app: Caller) -> None:
    follower = await desk.open("a", None)
    desk.streams.tick()
    waiting = asyncio.create_task(follower.next())
    await asyncio.sleep(0)
    desk.refusal["a"] = "access"
    desk.generation += 1
    await app.submit()
    assert (await soon(waiting), follower.ended, follower.position) == (b"", "access", 1)


async def test_trimmed_while_it_was_behind(desk: Desk, app: Caller, house: House) -> None:
    slow = await desk.open("slow", None)
    first = asyncio.create_task(slow.next())
    await app.submit()
    await first
    await large_ones(app, 30)
    await asyncio.sleep(0.1)
    await app.put("/v1/mailbox/cursor", {"position": 20})
    house.core.rows.trim_mailboxes(rfc3339(house.core.clock.now()))
    assert (await soon(slow.next()), slow.ended) == (b"", "trimmed")
    with pytest.raises(Erased):
        await desk.open("again", slow.position)


async def test_a_database_that_is_away_for_a_moment(
    desk: Desk, app: Caller, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live streams wait for it; what is behind ends, and resumes."""
    live = await desk.open("live", None)
    await app.submit()
    assert await ids_of(live, 2) == [2], "no look is under way that could see the next one too"
    monkeypatch.setattr(streams_room, "AGAIN_S", 0.01)
    run, failures = house.server.hub.readers.run, iter(range(3))

    async def away(query: object) -> object:
        if next(failures, None) is not None:
            raise StoreUnavailable("the database is away")
        return await run(query)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.streams._pages._readers, "run", away)
    await app.submit()
    assert (await ids_of(live, 3), next(failures, None)) == ([3], None)
    behind = await desk.open("behind", 1)
    monkeypatch.setattr(desk.streams._pages._readers, "run", lambda _: away_for_good())
    assert (await soon(behind.next()), behind.ended) == (b"", "unavailable")


async def away_for_good() -> object:
    raise StoreUnavailable("the database is away")
