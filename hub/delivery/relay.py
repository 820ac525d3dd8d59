"""The relay: publishes the log, each Kafka agency's mailbox and the answers to inbound records on the broker.

One process of a hub relays at a time (a lease), fenced by the publisher's transactional id and by the lease's
token in the database. Each lane has a cursor of its own, which advances over what is acknowledged, so that a
missing topic delays its own lane alone. What is repeated after a crash carries the same id.

While one transaction is published the one before is noted in the database, and lanes that are behind are read
ahead. One that is not behind is read when its turn comes: what it got meanwhile goes along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Final

import structlog

from hub.delivery.relay_notes import Notes
from hub.delivery.relay_reading import LOG, REFUSED_WAIT_S, LanesOf, LaneState, Page, Piece, RelayReading
from hub.errors import SimpulError
from hub.ports.broker import BrokerAway, Outcome, ProducerFenced, Publisher, TopicClosed
from hub.ports.clock import Clock
from hub.ports.relaying import Relayed, RelayTable
from hub.service.leased import Claim
from hub.service.readers import Readers
from hub.service.writer import Writer

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 1.0
"""Lanes that nobody told us about are looked at this often."""
AWAY_WAIT_S: Final = 1.0


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
        self._lanes = lanes
        self._publisher = publisher
        self._table = table
        self._readers = readers
        self._writer = writer
        self._clock = clock
        self._moved = moved
        self._lags = lags
        self._wait = wait or _wait
        self._sleep = sleep
        self._woken = asyncio.Event()
        self._reading: RelayReading | None = None

    def told(self, agencies: Collection[str]) -> None:
        """The log grew (a `hub.ports.bus.Listener`): whoever it concerns, and the log itself."""
        if self._reading is not None:
            self._reading.told(agencies)
        self._woken.set()

    async def run(self, claim: Claim) -> None:
        """Relays until it is cancelled, the claim ends or another process has taken over."""
        await self._publisher.start()
        notes = Notes(partial(self._note, claim), self._woken.set)
        try:
            cursors = await self._readers.call(self._table.cursors)
            self._reading = RelayReading(self._lanes, cursors, self._clock.monotonic)
            await self._relay(claim, self._reading, notes)
        except ProducerFenced:
            log.warning("relay_fenced", token=claim.token)
        finally:
            self._lags(0.0)
            if self._reading is not None:
                await self._reading.end()
            self._reading = None
            await notes.end()
            await self._publisher.stop()

    async def _relay(self, claim: Claim, reading: RelayReading, notes: Notes) -> None:
        looked_at = -LOOK_EVERY_S
        while claim.holds():
            if self._clock.monotonic() - looked_at >= LOOK_EVERY_S:
                looked_at = self._clock.monotonic()
                reading.look()
                await self._measure(reading)
            await self._step_or_wait(claim, reading, notes)

    async def _measure(self, reading: RelayReading) -> None:
        """How far the log is ahead of the broker."""
        cursor = reading.cursor(LOG)
        if cursor is not None:
            last = await self._readers.glance(lambda session: session.last_position())
            self._lags(float(max(0, last - cursor)))

    async def _step_or_wait(self, claim: Claim, reading: RelayReading, notes: Notes) -> None:
        self._woken.clear()
        try:
            busy = await self._step(claim, reading, notes)
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

    async def _step(self, claim: Claim, reading: RelayReading, notes: Notes) -> bool:
        """One transaction of the broker over some lanes; True when anything was published, or there are other
        lanes to be read. It is noted while the next is read and published."""
        notes.check()
        batch = await reading.next()
        records = batch.records()
        if not records or not claim.holds():
            reading.give_back(batch.pages)
            return reading.has_more()
        reading.read_ahead(batch)
        now = self._clock.monotonic()
        try:
            outcomes = await self._publisher.publish(records)
        except BrokerAway:
            reading.give_back(batch.pages)
            raise
        start = 0
        for page in batch.pages:
            end = start + len(page.pieces)
            self._take(page.state, self._prefix(page, outcomes[start:end], now), notes)
            start = end
        return True

    def _prefix(self, page: Page, outcomes: Sequence[Outcome], now: float) -> Sequence[Piece]:
        """The pieces up to the first that must wait. One that the broker will never take is passed over: what
        is in a mailbox or the log still is; of an answer only the line in the log is left."""
        name, pieces = page.state.lane.name, page.pieces
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome.refused, TopicClosed):
                log.warning("lane_waits", lane=name, cause=outcome.why)
                page.state.wait(now + REFUSED_WAIT_S)
                return pieces[:index]
            if outcome.refused is not None:
                position = pieces[index].position
                log.error("record_refused", lane=name, position=position, cause=outcome.why)
        return pieces

    def _take(self, state: LaneState, pieces: Sequence[Piece], notes: Notes) -> None:
        """What the broker acknowledged of a lane moves it on."""
        if pieces:
            state.cursor = pieces[-1].position
            state.unnoted = not state.lane.by_position
            notes.add(state.lane.settled(pieces), partial(self._noted, state, len(pieces)))

    async def _note(self, claim: Claim, relayed: Relayed) -> None:
        if not await self._writer.run(lambda: self._table.settle(claim.token, relayed)):
            raise ProducerFenced("the relay's lease has passed to another process")

    def _noted(self, state: LaneState, count: int) -> None:
        state.unnoted = False
        self._moved(state.lane.name, count)


async def _wait(woken: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await woken.wait()
    except TimeoutError:
        return
