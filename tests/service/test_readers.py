"""The readers' queue is bounded; and whoever stops the hub is told of a thread that did not end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog

from hub.errors import Unavailable
from hub.service import readers as reading
from hub.service import writer as writing
from hub.service.readers import Readers
from hub.service.writer import Writer
from tests.service.hubworld import HubWorld


class Standing:
    """A read or a job that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.began, self.go = threading.Event(), threading.Event()

    def __call__(self, session: Any = None) -> int:
        self.began.set()
        self.go.wait(30)
        return 7


@asynccontextmanager
async def busy(readers: Readers) -> AsyncIterator[asyncio.Future[int]]:
    """The readers' one thread stands still inside the block."""
    standing = Standing()
    read = asyncio.ensure_future(readers.run(standing))
    await asyncio.to_thread(standing.began.wait)
    try:
        yield read
    finally:
        standing.go.set()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> structlog.testing.LogCapture:
    said = structlog.testing.LogCapture()
    for module in (reading, writing):
        monkeypatch.setattr(module, "log", structlog.wrap_logger(None, processors=[said]))
    return said


async def test_a_bounded_queue_refuses_reads_with_retry_after(world: HubWorld) -> None:
    readers = Readers(world.core.store, 1, queue=2)
    async with busy(readers) as first:
        second = asyncio.ensure_future(readers.run(lambda session: session.last_position()))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await readers.run(lambda session: session.last_position())
        assert refused.value.retry_after_s == 1
    assert await asyncio.gather(first, second) == [7, world.last_position()]
    assert await readers.run(lambda session: 1) == 1, "there is room again"
    await readers.stop()


async def test_a_caller_that_hangs_up_makes_room(world: HubWorld) -> None:
    readers = Readers(world.core.store, 1, queue=2)
    async with busy(readers):
        gone = asyncio.ensure_future(readers.run(lambda session: 1))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        stays = asyncio.ensure_future(readers.run(lambda session: 2))
    assert await stays == 2
    await readers.stop()


async def test_a_read_under_way_is_waited_for_and_the_loop_goes_on(
    world: HubWorld, said: structlog.testing.LogCapture
) -> None:
    readers = Readers(world.core.store, 1)
    async with busy(readers) as read:
        stopping = asyncio.ensure_future(readers.stop())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await readers.run(lambda session: 1)
        assert not stopping.done()
    await stopping
    assert await read == 7
    assert said.entries == []


async def test_a_read_that_does_not_end_is_told_of(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch, said: structlog.testing.LogCapture
) -> None:
    monkeypatch.setattr(reading, "STOP_S", 0.01)
    readers = Readers(world.core.store, 1)
    async with busy(readers) as read:
        await readers.stop()
        assert [entry["event"] for entry in said.entries] == ["readers_not_ended"]
    await read


async def test_a_writer_that_does_not_end_is_told_of(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch, said: structlog.testing.LogCapture
) -> None:
    monkeypatch.setattr(writing, "STOP_S", 0.01)
    writer, standing = Writer(world.core.runner, lambda commits: None), Standing()
    writer.start()
    job = asyncio.ensure_future(writer.run(standing))
    await asyncio.to_thread(standing.began.wait)
    await writer.stop()
    assert [entry["event"] for entry in said.entries] == ["writer_not_ended"]
    standing.go.set()
    assert await job == 7
    monkeypatch.undo()
    await writer.stop()
