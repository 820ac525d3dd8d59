"""The inbound role while the database does not take its records: nothing is lost, and /readyz hears of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Sequence
from types import SimpleNamespace
from typing import Any, cast

from hub.ports.broker import InBatch, InRecord, Notice, Trouble
from hub.ports.relaying import RelayTable
from hub.service.inbound import InboundDesk
from hub.service.inbound_role import LATE_S, InboundRole
from hub.service.requests import Request
from hub.service.threads import Writer

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
        await _until(lambda: ("records", 1) in seen)
        assert role.away is None
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
    desk.failures = 2
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
        assert len(naps) == 2 and seen.count(("stood_still", 1)) == 1
    finally:
        await role.stop()
        await writer.stop()


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.005)
