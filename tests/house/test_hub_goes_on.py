"""Neither a log that cannot be written nor a crash beside the database ends the hub's one writer."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from hub.cli.lines import Lines, sink_of
from hub.errors import Internal, StoreUnavailable, Unavailable
from hub.service.readiness import Readiness
from hub.service.writer import Writer


class Disk(io.RawIOBase):
    """A raw stream with room for so many bytes."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.held = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        taken = bytes(data)[: self.room]
        self.room -= len(taken)
        self.held += taken
        return len(taken)


def test_lines_are_dropped_while_the_disk_is_full_and_their_number_is_told() -> None:
    disk = Disk(6)
    stream = io.TextIOWrapper(io.BufferedWriter(disk))
    lines = Lines(sink_of(stream))
    for number in range(4):
        lines.info(f"line {number} of four")
    assert (disk.held, lines.dropped) == (b"line 0", 4)
    disk.room = 1000
    lines.error("again")
    cut, notice, last = disk.held.decode().splitlines()
    assert (cut, last) == ("line 0", "again")
    assert json.loads(notice)["dropped"] == 4
    lines.info("and on")
    assert disk.held.endswith(b"again\nand on\n")
    stream.close()


def test_a_closed_stream_and_none_at_all_are_no_error() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    sink = sink_of(stream)
    stream.close()
    closed = Lines(sink)
    closed.warning("nobody hears this")
    assert closed.dropped == 1
    none = Lines(sink_of(None))
    none.warning("nor this")
    assert none.dropped == 0
    text = io.StringIO()
    Lines(sink_of(text)).info("Kotawaringin \ud800")
    assert text.getvalue() == "Kotawaringin \\ud800\n"


class Panic(BaseException):
    """What a native library raises."""


class Runner:
    """Answers each request with itself, or raises what it was given."""

    def run(self, batch: Any) -> Any:
        for request in batch:
            if isinstance(request, BaseException):
                raise request
        return list(batch), []


@pytest.mark.parametrize("crash", [ValueError("x"), OSError(28, "full"), Panic()])
async def test_the_writer_outlives_whatever_its_batch_or_its_listeners_raise(crash: BaseException) -> None:
    def refuse(size: int, seconds: float) -> None:
        raise OSError(28, "No space left on device")

    def job() -> None:
        raise crash

    writer = Writer(Runner(), lambda events: None)  # type: ignore[arg-type]
    writer.ran = refuse
    writer.start()
    (answer,) = await asyncio.wait_for(writer.submit([crash]), 30)  # type: ignore[list-item]
    assert isinstance(answer, Unavailable), "whether it was stored nobody knows; it is sent again"
    with pytest.raises(Internal if isinstance(crash, Panic) else type(crash)):
        await asyncio.wait_for(writer.run(job), 30)
    assert await asyncio.wait_for(writer.submit(["next"]), 30) == ["next"]  # type: ignore[list-item,comparison-overlap]
    assert writer.waiting == 0
    await writer.stop()


async def test_readiness_hears_of_each_commit_and_each_refusal_at_once() -> None:
    def probe() -> None:
        if full:
            raise StoreUnavailable("full")

    full = False
    writer = Writer(Runner(), lambda events: None)  # type: ignore[arg-type]
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await asleep.wait()

    readiness = Readiness(writer, probe, sleep)
    assert not readiness.status()[0]
    writer.start()
    await readiness.start()
    assert readiness.status()[0]
    readiness.heard("disk full")
    ready, document = readiness.status()
    assert (ready, document["parts"]["database"]) == (False, "cannot commit: disk full")
    readiness.heard(None)
    assert readiness.status()[0]
    full = True
    await readiness.once()
    assert not readiness.status()[0]
    await readiness.stop()
    readiness.heard(None)
    assert not readiness.status()[0], "a late commit makes no stopping hub ready"
    await writer.stop()
