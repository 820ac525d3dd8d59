"""The inbound role: polls the agencies' inbound topics and puts their records through the one writer.

Several processes may hold this role at once; the broker's group gives each partition to one of them. A
record's place is stored in the transaction of its effect, so what is read twice takes effect once. While one
chunk is written the next is prepared; it is handed over only after the one before took effect, since a later
place in a partition stands for every record before it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

import structlog

from hub.errors import SimpulError, StoreError, Unavailable
from hub.ports.broker import BrokerAway, InRecord, Notice, Partition, Source, Trouble
from hub.ports.relaying import Place, RelayTable
from hub.ports.sealing import KeyUnavailable, SealBroken
from hub.service.inbound import InboundDesk
from hub.service.readers import Readers
from hub.service.requests import Request, Result
from hub.service.writer import Writer

log = structlog.get_logger(__name__)

CHUNK: Final = 256
"""The most that the writer takes as one transaction: a complaint costs a sixth less than in one of 128."""
AT_A_TIME: Final = 8
"""Records that are prepared before the loop serves others again."""
AWAY_WAIT_S: Final = 1.0
FIRST_WAIT_S: Final = 0.05
LONGEST_WAIT_S: Final = 5.0
TRIES: Final = 2
"""A record on which the hub crashes so often, at once, is at fault itself: a pause between would be every
agency's, since all their records wait behind it."""
LATE_S: Final = 30.0
"""Records in hand for longer than that: /readyz says so."""


def next_offsets(
    readers: Readers, table: RelayTable
) -> Callable[[Collection[Partition]], Awaitable[Mapping[Partition, Place]]]:
    """What a `Source` asks when partitions are assigned to it."""

    async def ask(partitions: Collection[Partition]) -> Mapping[Partition, Place]:
        wanted = sorted(partitions)
        return await readers.call(lambda: table.next_offsets(wanted))

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
        self._records: deque[InRecord] = deque()
        self._prepared: list[Request] = []
        """The next chunk, or its beginning."""
        self._chunk: list[Request] = []
        """Handed to the writer."""
        self._writing: asyncio.Task[None] | None = None
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
        tasks = [task for task in (self._task, self._writing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
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
        """What the source gave out it will not give again: whatever failed half-way is gone on with. Nothing
        is in hand when it is polled: partitions change hands there."""
        if not self._notices and not self._in_hand:
            self._refresh()
            self._source.subscribe(self._desk.topics())
            batch = await self._source.poll()
            self._notices, self._records = list(batch.notices), deque(batch.records)
            self._in_hand_since = self._clock() if self._records else None
        while self._notices:
            await self._heed(self._notices[0])
            del self._notices[0]
        while self._in_hand:
            await self._prepare()
            await self._written()
            self._chunk, self._prepared = self._prepared, []
            self._begin()
        self._in_hand_since = None

    @property
    def _in_hand(self) -> bool:
        return bool(self._records or self._prepared or self._chunk)

    async def _prepare(self) -> None:
        """The next chunk, from where it was left."""
        while self._records and len(self._prepared) < CHUNK:
            self._prepared.append(await self._request(self._records[0]))
            self._records.popleft()
            if len(self._prepared) % AT_A_TIME == 0:
                await asyncio.sleep(0)

    async def _request(self, record: InRecord) -> Request:
        """A trouble of the hub's is raised, and the record waits. One that is the record's own, however often
        it is tried, must not hold up what is behind it."""
        tried = 0
        while True:
            try:
                return await self._desk.prepare(record)
            except (StoreError, Unavailable, KeyUnavailable, OSError, MemoryError):
                raise
            except Exception as crash:
                tried += 1
                place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
                log.exception("inbound_record_crashed", tried=tried, **place)
                if tried == TRIES or isinstance(crash, SealBroken):
                    self._seen("crashed", 1)
                    return self._desk.crashed(record)

    def _begin(self) -> None:
        if self._chunk:
            self._writing = asyncio.create_task(self._write(self._chunk), name="inbound chunk")

    async def _written(self) -> None:
        """Returns when every record that was handed over is in the database. Should that fail in a way that
        nobody foresaw, the same chunk is handed over again; what took effect does not do so twice."""
        if self._writing is None:
            self._begin()
        if self._writing is not None:
            try:
                await self._writing
            finally:
                self._writing = None
            self._chunk, self._in_hand_since = [], self._clock()

    async def _write(self, requests: Sequence[Request]) -> None:
        """Until each is taken, refused or dead. A hub that cannot write now makes them wait here, and with
        them their partitions."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                results: Sequence[Result] = await self._writer.submit(requests, bulk=True)
            except Unavailable as full:
                results = [full]
            if not any(isinstance(result, Unavailable) for result in results):
                self._seen("records", len(requests))
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
