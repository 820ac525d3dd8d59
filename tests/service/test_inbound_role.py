"""The inbound role while the database does not take its records: nothing is lost, and /readyz hears of it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.errors import StoreUnavailable, Unavailable
from hub.ports.broker import InBatch, InRecord, Notice, Trouble
from hub.ports.relaying import RelayTable
from hub.ports.sealing import KeyUnavailable, SealBroken
from hub.service.inbound import InboundDesk
from hub.service.inbound_role import CHUNK, LATE_S, TRIES, InboundRole
from hub.service.requests import Request
from hub.service.writer import Writer

RECORD = InRecord("simpul.inbound.a", 0, 7, None, (), b"{}", 0)
STOOD = Notice(Trouble.STOOD_STILL, "simpul.inbound.a", -1, "the reader stood still and is replaced")


class Batches:
    """A source that gives one batch and then nothing."""

    away: str | None = None

    def __init__(self) -> None:
        self.left = [InBatch([RECORD], notices=(STOOD,))]

    async def start(self) -> None:
        """Nothing to connect to."""

    def subscribe(self, topics: Collection[str]) -> None:
        """One topic, always."""

    async def poll(self) -> InBatch:
        await asyncio.sleep(0.001)
        return self.left.pop() if self.left else InBatch()

    async def stop(self) -> None:
        """Nothing to leave."""


class Desk:
    failures = 0

    def topics(self) -> list[str]:
        return [RECORD.topic]

    async def prepare(self, record: InRecord) -> Request:
        if self.failures:
            self.failures -= 1
            raise LookupError("a defect")
        return cast(Request, record)


class Database:
    """Hangs until it is let go on."""

    def __init__(self) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def run(self, requests: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        self.begun.set()
        self.goes_on.wait(10)
        return [SimpleNamespace() for _ in requests], []


async def test_records_that_wait_for_the_database_are_told() -> None:
    database, source, now = Database(), Batches(), [0.0]
    writer = Writer(cast(Any, database), lambda commits: None)
    writer.start()
    seen: list[tuple[str, int]] = []
    role = InboundRole(
        source=source,
        desk=cast(InboundDesk, Desk()),
        table=cast(RelayTable, None),
        writer=writer,
        refresh=lambda: None,
        seen=lambda what, count: seen.append((what, count)),
        clock=lambda: now[0],
    )
    await role.start()
    try:
        await _until(database.begun.is_set)
        now[0] = LATE_S - 1
        assert role.away is None
        now[0] = LATE_S + 1
        assert role.away == f"inbound records have waited {LATE_S + 1:.0f} s for the database"
        database.goes_on.set()
        await _until(lambda: role.away is None)  # a step of the loop after the records are counted
        assert ("records", 1) in seen
        assert ("stood_still", 1) in seen, "simpul_inbound_total counts it"
        source.away = "the broker does not answer"
        assert role.away == source.away
    finally:
        database.goes_on.set()
        await role.stop()
        await writer.stop()


async def test_a_batch_that_failed_is_gone_on_with() -> None:
    """The source will not give it again, and a later record would move the stored place beyond it."""
    database, desk, naps = Database(), Desk(), list[float]()
    database.goes_on.set()
    desk.failures = 1
    writer = Writer(cast(Any, database), lambda commits: None)
    writer.start()
    seen: list[tuple[str, int]] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        await asyncio.sleep(0)

    role = InboundRole(
        source=Batches(),
        desk=cast(InboundDesk, desk),
        table=cast(RelayTable, None),
        writer=writer,
        refresh=lambda: None,
        seen=lambda what, count: seen.append((what, count)),
        sleep=sleep,
    )
    await role.start()
    try:
        await _until(lambda: ("records", 1) in seen)
        assert (naps, seen.count(("stood_still", 1))) == ([], 1)
    finally:
        await role.stop()
        await writer.stop()


def _records(count: int) -> list[InRecord]:
    """Of two partitions, in turn."""
    return [replace(RECORD, partition=n % 2, offset=n // 2) for n in range(count)]


class Steps:
    """A database that writes one batch for each step it is allowed; the first answers may be given."""

    def __init__(self, *answers: object, free: bool = False) -> None:
        self.steps, self.free = threading.Semaphore(0), free
        self.begun: list[list[InRecord]] = []
        self.written: list[InRecord] = []
        self._answers = list(answers)

    def run(self, requests: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        self.begun.append(list(requests))
        if not self.free:
            self.steps.acquire(timeout=10)
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            return [answer for _ in requests], []
        self.written += requests
        return [SimpleNamespace() for _ in requests], []


class Preparing(Desk):
    """`crash` is raised for the records at these offsets of partition 0, so many times each."""

    def __init__(
        self, crash: Exception | None = None, offsets: Collection[int] = (), times: int = 99
    ) -> None:
        self.prepared = 0
        self._crash, self._left = crash, dict.fromkeys(offsets, times)
        self.crashes: Counter[int] = Counter()

    async def prepare(self, record: InRecord) -> Request:
        if self._crash and record.partition == 0 and self._left.get(record.offset, 0):
            self._left[record.offset] -= 1
            self.crashes[record.offset] += 1
            raise self._crash
        self.prepared += 1
        return cast(Request, record)

    def crashed(self, record: InRecord) -> Request:
        return cast(Request, replace(record, value=b"dead"))


@asynccontextmanager
async def running(
    database: Steps, desk: Desk, *batches: InBatch
) -> AsyncIterator[tuple[InboundRole, Batches, list[float]]]:
    writer, source, naps = Writer(cast(Any, database), lambda commits: None), Batches(), list[float]()
    writer.start()
    source.left = list(reversed(batches))

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        await asyncio.sleep(0)

    role = InboundRole(
        source=source,
        desk=cast(InboundDesk, desk),
        table=cast(RelayTable, None),
        writer=writer,
        refresh=lambda: None,
        sleep=sleep,
    )
    await role.start()
    try:
        yield role, source, naps
    finally:
        database.free = True
        for _ in range(99):
            database.steps.release()
        await role.stop()
        await writer.stop()


async def test_the_next_chunk_is_prepared_while_one_is_written_and_no_more() -> None:
    database, desk, records = Steps(), Preparing(), _records(3 * CHUNK + 5)
    async with running(database, desk, InBatch(records), InBatch([RECORD])) as (_, source, _):
        await _until(lambda: desk.prepared == 2 * CHUNK)
        await asyncio.sleep(0.02)
        assert (len(database.begun), desk.prepared) == (1, 2 * CHUNK), "one ahead, not handed over yet"
        database.steps.release()
        await _until(lambda: (len(database.begun), desk.prepared) == (2, 3 * CHUNK))
        assert len(source.left) == 1, "nothing is polled while anything is in hand"
        database.free = True
        database.steps.release()
        await _until(lambda: len(database.written) == len(records) + 1)
    assert database.written == [*records, RECORD], "in order, each once"


async def test_a_chunk_that_cannot_be_written_is_not_overtaken_by_the_next() -> None:
    """A later place of a partition stands for all before it: they would be lost."""
    away = Unavailable("away", retry_after_s=1)
    database, records = Steps(None, away, away, free=True), _records(3 * CHUNK)
    async with running(database, Preparing(), InBatch(records)) as (_, _, naps):
        await _until(lambda: len(database.written) == len(records))
    assert database.written == records
    assert [batch[0] for batch in database.begun] == [records[n * CHUNK] for n in (0, 1, 1, 1, 2)]
    assert len(naps) == 2


@pytest.mark.parametrize("trouble", [StoreUnavailable("away"), Unavailable("full"), KeyUnavailable(3)])
async def test_a_trouble_of_the_hub_makes_the_record_wait(trouble: Exception) -> None:
    """In the middle of the second chunk, while the first is written: nothing is dropped, nothing is dead."""
    desk = Preparing(trouble, [CHUNK // 2 + 7], times=5)
    database, records = Steps(free=True), _records(3 * CHUNK)
    async with running(database, desk, InBatch(records)) as (_, _, naps):
        await _until(lambda: len(database.written) == len(records))
    assert database.written == records
    assert naps == [1.0] * 5
    assert desk.prepared == len(records), "what was prepared before is not prepared again"


async def test_a_record_that_crashes_each_time_is_a_dead_letter_and_the_rest_goes_on() -> None:
    desk, records = Preparing(LookupError("a defect"), [3, 90]), _records(CHUNK * 2)
    database = Steps(free=True)
    async with running(database, desk, InBatch(records)) as (_, _, naps):
        await _until(lambda: len(database.written) == len(records))
    dead = [record for record in database.written if record.value == b"dead"]
    assert [(record.partition, record.offset) for record in dead] == [(0, 3), (0, 90)]
    assert [(r.partition, r.offset) for r in database.written] == [(r.partition, r.offset) for r in records]
    assert (desk.crashes, naps) == ({3: TRIES, 90: TRIES}, []), "nobody sleeps over the others' records"


async def test_what_was_altered_is_not_tried_again() -> None:
    desk, database = Preparing(SealBroken("altered"), [0]), Steps(free=True)
    async with running(database, desk, InBatch(_records(2))) as (_, _, naps):
        await _until(lambda: len(database.written) == 2)
    assert (database.written[0].value, naps) == (b"dead", [])


async def test_a_stop_leaves_what_was_not_handed_over() -> None:
    """It is read again; what was handed over is still written."""
    database, desk, records = Steps(), Preparing(), _records(3 * CHUNK)
    async with running(database, desk, InBatch(records)) as (role, _, _):
        await _until(lambda: desk.prepared == 2 * CHUNK)
        async with asyncio.timeout(2):
            await role.stop()
        assert role._writing is None or role._writing.done()
    assert database.written == records[:CHUNK]


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.005)
