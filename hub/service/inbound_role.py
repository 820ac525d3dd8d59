"""The inbound role: polls the agencies' inbound topics and puts their records through the one writer.

Several processes may hold this role at once; the broker's group gives each partition to one of them. A
record's place is stored in the transaction of its effect, so what is read twice takes effect once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

import structlog

from hub.errors import SimpulError, Unavailable
from hub.ports.broker import BrokerAway, InRecord, Notice, Partition, Source, Trouble
from hub.ports.relaying import RelayTable
from hub.service.inbound import InboundDesk
from hub.service.requests import Request, Result
from hub.service.threads import Readers, Writer

log = structlog.get_logger(__name__)

CHUNK: Final = 128
AT_A_TIME: Final = 16
"""Records that are prepared before the loop serves others again."""
AWAY_WAIT_S: Final = 1.0
FIRST_WAIT_S: Final = 0.05
LONGEST_WAIT_S: Final = 5.0
LATE_S: Final = 30.0
"""Records in hand for longer than that: /readyz says so."""


def next_offsets(
    readers: Readers, table: RelayTable
) -> Callable[[Collection[Partition]], Awaitable[Mapping[Partition, int]]]:
    """What a `Source` asks when partitions are assigned to it."""

    async def ask(partitions: Collection[Partition]) -> Mapping[Partition, int]:
        wanted = sorted(partitions)
        return await readers.run(lambda _: table.next_offsets(wanted))

    return ask


class InboundRole:
    def __init__(
        self,
        *,
        source: Source,
        desk: InboundDesk,
        table: RelayTable,
        writer: Writer,
        refresh: Callable[[], object],
        seen: Callable[[str, int], None] = lambda what, count: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._desk = desk
        self._table = table
        self._writer = writer
        self._refresh = refresh
        self._seen = seen
        self._sleep = sleep
        self._clock = clock
        self._notices: list[Notice] = []
        self._records: Sequence[InRecord] = ()
        self._in_hand_since: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def away(self) -> str | None:
        """Why no inbound records are taken now, in words."""
        if away := self._source.away:
            return away
        if self._in_hand_since is None or (late_s := self._clock() - self._in_hand_since) < LATE_S:
            return None
        return f"inbound records have waited {late_s:.0f} s for the database"

    async def start(self) -> None:
        await self._source.start()
        self._task = asyncio.create_task(self._forever(), name="inbound")

    async def stop(self) -> None:
        """What was submitted is still written; the rest is read again by whoever takes over."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._source.stop()

    async def _forever(self) -> None:
        while True:
            try:
                await self._once()
            except BrokerAway as away:
                log.warning("broker_away", cause=str(away))
                await self._sleep(AWAY_WAIT_S)
            except SimpulError as error:
                log.warning("inbound_waits", cause=str(error))
                await self._sleep(AWAY_WAIT_S)
            except Exception:  # the other agencies' records must go on
                log.exception("inbound_crashed")
                await self._sleep(AWAY_WAIT_S)

    async def _once(self) -> None:
        """What the source gave out it will not give again: a batch that failed half-way is gone on with."""
        if not self._notices and not self._records:
            self._refresh()
            self._source.subscribe(self._desk.topics())
            batch = await self._source.poll()
            self._notices, self._records = list(batch.notices), batch.records
            self._in_hand_since = self._clock() if self._records else None
        while self._notices:
            await self._heed(self._notices[0])
            del self._notices[0]
        while self._records:
            await self._take(self._records[:CHUNK])
            self._records, self._in_hand_since = self._records[CHUNK:], self._clock()
        self._in_hand_since = None

    async def _take(self, records: Sequence[InRecord]) -> None:
        """Returns when every record is in the database: taken, refused or dead. A hub that cannot write now
        makes them wait here, and with them their partitions."""
        requests: list[Request] = []
        for number, record in enumerate(records):
            requests.append(await self._desk.prepare(record))
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
        wait_s = FIRST_WAIT_S
        while True:
            try:
                results: Sequence[Result] = await self._writer.submit(requests, bulk=True)
            except Unavailable as full:
                results = [full]
            if not any(isinstance(result, Unavailable) for result in results):
                self._seen("records", len(records))
                return
            await self._sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311  # jitter, no secret
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _heed(self, notice: Notice) -> None:
        log.warning(
            "inbound_topic",
            topic=notice.topic,
            partition=notice.partition,
            trouble=notice.trouble.value,
            cause=notice.why,
            missed=notice.missed,
        )
        self._seen(notice.trouble.value, max(1, notice.missed))
        if notice.trouble is Trouble.OFFSETS_RENEWED:
            await self._writer.run(lambda: self._table.forget_offsets(notice.topic, notice.partition))
