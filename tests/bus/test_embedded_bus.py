"""Every commit is told at least once, whoever made it, and an absent database stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from hub.bus import embedded
from hub.bus.embedded import EmbeddedBus
from hub.domain.events import NO_CHAIN, Fact, Recorded
from hub.errors import StoreUnavailable
from hub.ports.bus import Committed


class Log:
    """A log in memory that can be away for a while."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self.away = 0
        self.reads = 0

    def add(self, *recipients: str) -> Recorded:
        position = len(self.events) + 1
        fact = Fact(
            f"e{position}",
            "complaint.verified",
            "t",
            "case",
            position,
            "a",
            dict.fromkeys(recipients, "x"),
            {},
        )
        self.events.append(Recorded(position, "case", position, fact.id, fact.to_bytes(), None, NO_CHAIN))
        return self.events[-1]

    async def read(self, after: int, limit: int) -> list[Recorded]:
        self.reads += 1
        if self.away:
            self.away -= 1
            raise StoreUnavailable("penuh")
        return self.events[after : after + limit]

    async def last(self) -> int:
        return len(self.events)


def commit(*events: Recorded) -> list[Committed]:
    agencies = frozenset(name for event in events for name in event.fact().recipients)
    return [Committed(events[0].position, events[-1].position, agencies)]


class Ear:
    def __init__(self) -> None:
        self.heard: list[set[str]] = []
        self.something = asyncio.Event()

    def __call__(self, agencies: Collection[str]) -> None:
        self.heard.append(set(agencies))
        self.something.set()

    async def next(self) -> None:
        await asyncio.wait_for(self.something.wait(), 10)
        self.something.clear()


@asynccontextmanager
async def running(log: Log, look_every_s: float = 3600.0) -> AsyncIterator[tuple[EmbeddedBus, Ear]]:
    bus, ear = EmbeddedBus(log.read, log.last, look_every_s), Ear()
    bus.subscribe(ear)
    await bus.start()
    try:
        yield bus, ear
    finally:
        await bus.stop()


async def test_own_commits_are_told_at_once_and_once() -> None:
    log = Log()
    log.add("before")
    async with running(log) as (bus, ear):
        bus.offer(commit(log.add("kotim", "pupr"), log.add("kotim")))
        bus.offer(commit(log.add("pln")))
        assert ear.heard == [{"kotim", "pupr"}, {"pln"}]
        await bus._catch_up()
        assert ear.heard == [{"kotim", "pupr"}, {"pln"}], "what was offered is not read again"


async def test_what_another_process_wrote_is_found_by_looking() -> None:
    log = Log()
    async with running(log, 0.001) as (_, ear):
        log.add("kotim")
        await ear.next()
        assert ear.heard == [{"kotim"}]


async def test_a_gap_before_an_offer_is_read_and_nothing_is_missed() -> None:
    log = Log()
    async with running(log) as (bus, ear):
        log.add("other")
        bus.offer(commit(log.add("own")))
        assert ear.heard == [{"own"}], "told at once all the same"
        await bus._catch_up()
        assert set().union(*ear.heard) == {"own", "other"}


async def test_what_other_processes_tell_is_not_read_at_all() -> None:
    log = Log()
    async with running(log) as (bus, ear):
        heard = bus.woken_from(asyncio.get_running_loop())
        others = [log.add("kotim"), log.add("pupr")]
        for each in others:
            await asyncio.to_thread(heard, commit(each)[0])
        bus.offer(commit(log.add("own")))
        assert ear.heard == [{"kotim"}, {"pupr"}, {"own"}]
        assert (log.reads, bus._position) == (0, 3)


async def test_a_gap_is_closed_by_what_comes_late() -> None:
    """Two processes that write at once hear of each other after their own: nothing is told twice."""
    log = Log()
    async with running(log) as (bus, ear):
        one, two, three, four = (log.add(name) for name in ("a", "b", "c", "d"))
        for each in (two, four, one, three):
            bus.offer(commit(each))
        assert (bus._position, bus._ahead) == (4, {})
        await bus._catch_up()
        assert ear.heard == [{"b"}, {"d"}, {"a"}, {"c"}]


async def test_what_nobody_told_is_found_by_looking_and_the_rest_goes_on() -> None:
    log = Log()
    async with running(log, 0.001) as (bus, ear):
        log.add("lost")
        bus.offer(commit(log.add("told")))
        while not any("lost" in names for names in ear.heard):
            await ear.next()
        assert (bus._position, bus._ahead) == (2, {})
        reads = log.reads
        bus.offer(commit(log.add("next")))
        assert bus._position == 3 and log.reads == reads


async def test_many_hints_make_few_looks() -> None:
    """A hint without agencies is answered by reading; those that come within a moment by one reading."""
    log = Log()
    async with running(log) as (bus, ear):
        heard = bus.woken_from(asyncio.get_running_loop())
        for number in range(100):
            log.add(f"a{number}")
            heard(None)
        await ear.next()
        assert len(set().union(*ear.heard)) == 100
        assert log.reads == 1


async def test_what_is_kept_beyond_a_gap_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "AHEAD", 3)
    log = Log()
    async with running(log) as (bus, ear):
        lost, *others = [log.add(f"a{number}") for number in range(10)]
        for each in others:
            bus.offer(commit(each))
        assert len(bus._ahead) == 3
        await bus._catch_up()
        assert (bus._position, bus._ahead) == (10, {})
        assert lost.fact().recipients.keys() <= set().union(*ear.heard)


async def test_more_than_a_page_is_caught_up() -> None:
    log = Log()
    async with running(log) as (bus, ear):
        for number in range(2500):
            log.add(f"a{number}")
        await bus._catch_up()
        assert len(set().union(*ear.heard)) == 2500


async def test_an_absent_database_is_waited_for() -> None:
    log = Log()
    async with running(log, 0.001) as (_, ear):
        log.away = 3
        log.add("kotim")
        await ear.next()
        assert log.away == 0


async def test_an_ended_subscription_hears_nothing_and_the_others_go_on() -> None:
    log = Log()
    async with running(log) as (bus, ear):
        other = Ear()
        end = bus.subscribe(other)
        end()
        bus.offer(commit(log.add("kotim")))
        assert (ear.heard, other.heard) == ([{"kotim"}], [])


async def test_a_listener_may_unsubscribe_while_it_is_told() -> None:
    log = Log()
    async with running(log) as (bus, ear):
        ends = []
        ends.append(bus.subscribe(lambda agencies: ends[0]()))
        last = Ear()
        bus.subscribe(last)
        bus.offer(commit(log.add("kotim")))
        bus.offer(commit(log.add("pln")))
        assert ear.heard == last.heard == [{"kotim"}, {"pln"}]


async def test_a_database_that_is_away_is_said_once_and_so_is_its_return() -> None:
    log = Log()
    with capture_logs() as said:
        async with running(log, look_every_s=0.01) as (_, ear):
            log.away = 5
            log.add("pemkab-kotim")
            await ear.next()
            log.away = 1
            log.add("pemkab-kotim")
            await ear.next()
    events = [line["event"] for line in said]
    assert events == ["bus_cannot_read", "bus_reads_again"] * 2
