"""The relay: publishes the log, each Kafka agency's mailbox and the answers to inbound records on the broker.

One process of a hub relays at a time (a lease), fenced by the publisher's transactional id and by the lease's
token in the database. Each lane has a cursor of its own, which advances over what is acknowledged, so that a
missing topic delays its own lane alone. What is repeated after a crash carries the same id."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from hub.errors import SimpulError
from hub.ports.broker import BrokerAway, Outcome, OutRecord, ProducerFenced, Publisher, Refusal
from hub.ports.clock import Clock
from hub.ports.relaying import Relayed, RelayTable
from hub.ports.sealing import SealingError
from hub.service.leased import Claim
from hub.service.readers import Readers
from hub.service.writer import Writer

log = structlog.get_logger(__name__)

LOG: Final = "log"
"""The name of the log's own lane."""
PIECES: Final = 500
"""Records of one lane in one transaction of the broker, among many lanes."""
TOGETHER: Final = 3000
"""Records that a few lanes share. A transaction costs the same whatever it holds: with two lanes behind,
1,500 records of each went 1.5 times as fast as 500 (`make bench`, relay)."""
LANES_AT_ONCE: Final = 8
LOOK_EVERY_S: Final = 1.0
"""Lanes that nobody told us about are looked at this often."""
REFUSED_WAIT_S: Final = 5.0
AWAY_WAIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A record and its place in its lane."""

    position: int
    record: OutRecord


class Lane(Protocol):
    """Something that is published in order. `name` is its cursor's."""

    @property
    def name(self) -> str: ...

    async def pieces(self, after: int, limit: int) -> Sequence[Piece]:
        """The next ones beyond `after`, in order; fewer than `limit` when there are no more now. A lane whose
        rows go, or are marked, once they are published gives those that are left, whatever `after` says."""
        ...

    def settled(self, pieces: Sequence[Piece]) -> Relayed:
        """What the database is to note when these, the first ones, are published."""
        ...


LanesOf = Callable[[], Sequence[Lane]]
"""Every lane there is now; agencies come and go."""


@dataclass(slots=True)
class _State:
    lane: Lane
    cursor: int
    more: bool = True
    not_before: float = 0.0


class Relay:
    """`run` once for each claim of the role; lanes and cursors are read anew each time."""

    def __init__(
        self,
        *,
        lanes: LanesOf,
        publisher: Publisher,
        table: RelayTable,
        readers: Readers,
        writer: Writer,
        clock: Clock,
        moved: Callable[[str, int], None] = lambda lane, published: None,
        lags: Callable[[float], None] = lambda events: None,
        wait: Callable[[asyncio.Event, float], Awaitable[None]] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._lanes_of = lanes
        self._publisher = publisher
        self._table = table
        self._readers = readers
        self._writer = writer
        self._clock = clock
        self._moved = moved
        self._lags = lags
        self._wait = wait or _wait
        self._sleep = sleep
        self._lanes: dict[str, _State] = {}
        self._woken = asyncio.Event()
        self._cursors: dict[str, int] = {}

    def told(self, agencies: Collection[str]) -> None:
        """The log grew (a `hub.ports.bus.Listener`): whoever it concerns, and the log itself."""
        names = {LOG, *(f"{kind}/{agency}" for agency in agencies for kind in ("mailbox", "replies"))}
        for name in names & self._lanes.keys():
            self._lanes[name].more = True
        self._woken.set()

    async def run(self, claim: Claim) -> None:
        """Relays until it is cancelled, the claim ends or another process has taken over."""
        await self._publisher.start()
        self._lanes = {}
        try:
            self._cursors = await self._readers.run(lambda _: self._table.cursors())
            looked_at = -LOOK_EVERY_S
            while claim.holds():
                if self._clock.monotonic() - looked_at >= LOOK_EVERY_S:
                    looked_at = self._clock.monotonic()
                    self._look()
                    await self._measure()
                await self._step_or_wait(claim)
        except ProducerFenced:
            log.warning("relay_fenced", token=claim.token)
        finally:
            self._lags(0.0)
            await self._publisher.stop()

    async def _measure(self) -> None:
        """How far the log is ahead of the broker."""
        log_lane = self._lanes.get(LOG)
        if log_lane is not None:
            last = await self._readers.run(lambda session: session.last_position())
            self._lags(float(max(0, last - log_lane.cursor)))

    async def _step_or_wait(self, claim: Claim) -> None:
        self._woken.clear()
        try:
            busy = await self._step(claim)
        except BrokerAway as away:
            log.warning("broker_away", cause=str(away))
            await self._sleep(AWAY_WAIT_S)
            return
        except ProducerFenced:
            raise
        except SimpulError as error:
            log.warning("relay_waits", cause=str(error))
            await self._sleep(AWAY_WAIT_S)
            return
        if not busy:
            await self._wait(self._woken, LOOK_EVERY_S)

    def _look(self) -> None:
        """Lanes that are new are taken up, those that are gone are dropped, all are asked again."""
        wanted = {lane.name: lane for lane in self._lanes_of()}
        for name in self._lanes.keys() - wanted.keys():
            self._cursors[name] = self._lanes.pop(name).cursor
        for name, lane in wanted.items():
            state = self._lanes.setdefault(name, _State(lane, self._cursors.get(name, 0)))
            state.lane, state.more = lane, True

    async def _step(self, claim: Claim) -> bool:
        """One transaction of the broker over some lanes; True when anything was published, or there are other
        lanes to be read."""
        now = self._clock.monotonic()
        chosen = self._ready(now)[:LANES_AT_ONCE]
        limit = max(PIECES, TOGETHER // max(1, len(chosen)))
        read = [(state, await self._read(state, limit, now)) for state in chosen]
        records = [piece.record for _, pieces in read for piece in pieces]
        if not records or not claim.holds():
            return bool(self._ready(now))
        try:
            outcomes = await self._publisher.publish(records)
        except BrokerAway:
            for state, _ in read:
                state.more = True
            raise
        taken, start = [], 0
        for state, pieces in read:
            end = start + len(pieces)
            taken.append((state, self._prefix(state, pieces, outcomes[start:end], now)))
            start = end
        await self._settle(claim, taken)
        return True

    def _ready(self, now: float) -> list[_State]:
        return [state for state in self._lanes.values() if state.more and now >= state.not_before]

    async def _read(self, state: _State, limit: int, now: float) -> Sequence[Piece]:
        """What the lane has next; whoever tells of more meanwhile is not forgotten. The others' turn next. A
        key that is not there holds up its own lane alone."""
        state.more = False
        self._lanes[state.lane.name] = self._lanes.pop(state.lane.name)
        try:
            pieces = await state.lane.pieces(state.cursor, limit)
        except SealingError as error:
            log.warning("lane_waits", lane=state.lane.name, cause=str(error))
            state.more, state.not_before = True, now + REFUSED_WAIT_S
            return ()
        state.more = state.more or len(pieces) >= limit
        return pieces

    def _prefix(
        self, state: _State, pieces: Sequence[Piece], outcomes: Sequence[Outcome], now: float
    ) -> Sequence[Piece]:
        """The pieces up to the first that must wait. One that the broker will never take is passed over: the
        agency's mailbox still has it."""
        for index, outcome in enumerate(outcomes):
            if outcome.refused in (Refusal.TOPIC_MISSING, Refusal.NOT_AUTHORISED):
                log.warning("lane_waits", lane=state.lane.name, cause=outcome.why)
                state.more, state.not_before = True, now + REFUSED_WAIT_S
                return pieces[:index]
            if outcome.refused is not None:
                position = pieces[index].position
                log.error("record_refused", lane=state.lane.name, position=position, cause=outcome.why)
        return pieces

    async def _settle(self, claim: Claim, taken: Sequence[tuple[_State, Sequence[Piece]]]) -> None:
        parts = [state.lane.settled(pieces) for state, pieces in taken if pieces]
        relayed = Relayed(
            {name: position for part in parts for name, position in part.cursors.items()},
            [reply for part in parts for reply in part.replies],
            [letter for part in parts for letter in part.dead_letters],
        )
        if not await self._writer.run(lambda: self._table.settle(claim.token, relayed)):
            raise ProducerFenced("the relay's lease has passed to another process")
        for state, pieces in taken:
            if pieces:
                state.cursor = pieces[-1].position
                self._moved(state.lane.name, len(pieces))


async def _wait(woken: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await woken.wait()
    except TimeoutError:
        return
