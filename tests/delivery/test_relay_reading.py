"""What the relay reads ahead and notes beside: in order, never twice, and nothing that is out of date."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from hub.delivery.relay_notes import Notes
from hub.delivery.relay_reading import FRESH_S, LANES_AT_ONCE, LOG, TOGETHER, Batch, Piece, RelayReading
from hub.errors import StoreUnavailable
from hub.ports.broker import OutRecord
from hub.ports.relaying import Relayed
from tests.delivery.delivery_world import until


class ListLane:
    """`count` pieces, at positions from 1; `asked` is how it was read."""

    def __init__(self, name: str, count: int, *, by_position: bool = True) -> None:
        self.name, self.count, self.by_position = name, count, by_position
        self.asked: list[int] = []

    async def pieces(self, after: int, limit: int) -> Sequence[Piece]:
        self.asked.append(after)
        last = min(self.count, after + limit)
        return [Piece(n, OutRecord(self.name, b"", (), b"%d" % n)) for n in range(after + 1, last + 1)]

    def settled(self, pieces: Sequence[Piece]) -> Relayed:
        return Relayed({self.name: pieces[-1].position})


class Reader:
    """A reading over these lanes, with a clock that stands."""

    def __init__(self, *lanes: ListLane) -> None:
        self.now = 100.0
        self.reading = RelayReading(lambda: lanes, {}, lambda: self.now)
        self.reading.look()

    async def begun(self) -> Batch:
        """The next batch, with what comes after it being read."""
        batch = await self.reading.next()
        self.reading.read_ahead(batch)
        await asyncio.sleep(0)
        return batch


def positions(batch: Batch, name: str = LOG) -> list[int]:
    return [int(record.value or b"") for record in batch.records() if record.topic == name]


def published(batch: Batch) -> None:
    for page in batch.pages:
        if page.pieces:
            page.state.cursor = page.pieces[-1].position


async def test_a_lane_that_is_behind_is_read_ahead_once_and_in_order() -> None:
    lane = ListLane(LOG, 2 * TOGETHER + 5)
    reader, seen = Reader(lane), []
    for _ in range(3):
        batch = await reader.begun()
        published(batch)
        seen += positions(batch)
    assert seen == list(range(1, lane.count + 1))
    assert lane.asked == [0, TOGETHER, 2 * TOGETHER]


async def test_one_that_is_not_behind_is_read_when_its_turn_comes() -> None:
    lane = ListLane(LOG, 3)
    reader = Reader(lane)
    batch = await reader.begun()
    lane.count += 1
    reader.reading.told(())
    await asyncio.sleep(0)
    lane.count += 1
    published(batch)
    assert positions(await reader.begun()) == [4, 5], "what came last goes along"
    assert lane.asked == [0, 3]


async def test_what_was_read_beyond_an_unpublished_record_is_read_again() -> None:
    lane = ListLane(LOG, 2 * TOGETHER)
    reader = Reader(lane)
    batch = await reader.begun()
    batch.pages[0].state.cursor = 7  # the broker took no more
    assert positions(await reader.begun())[0] == 8


async def test_what_was_read_ahead_too_long_ago_is_read_again() -> None:
    lane = ListLane(LOG, 2 * TOGETHER)
    reader = Reader(lane)
    published(await reader.begun())
    reader.now += FRESH_S + 0.1
    await reader.begun()
    assert lane.asked == [0, TOGETHER, TOGETHER]


async def test_a_lane_whose_rows_stay_until_noted_is_not_read_before() -> None:
    log, answers = ListLane(LOG, 2 * TOGETHER), ListLane("replies/a", 2 * TOGETHER, by_position=False)
    reader = Reader(log, answers)
    batch = await reader.begun()
    (state,) = [page.state for page in batch.pages if page.state.lane is answers]
    published(batch)
    state.unnoted = True
    batch = await reader.begun()
    assert positions(batch, answers.name) == []
    assert positions(batch), "the log need not wait for that"
    published(batch)
    state.unnoted = False
    published(await reader.begun())  # read ahead while it was not noted
    assert positions(await reader.begun(), answers.name)[0] == state.cursor + 1


async def test_a_lane_that_is_always_behind_does_not_keep_the_others_from_their_turn() -> None:
    greedy = [ListLane(f"mailbox/{n}", 100 * TOGETHER) for n in range(LANES_AT_ONCE)]
    modest = ListLane("mailbox/modest", 1)
    reader = Reader(*greedy, modest)
    for _ in range(2):
        batch = await reader.begun()
        published(batch)
    assert positions(batch, modest.name) == [1]


class Table:
    """Takes a note when it may."""

    def __init__(self) -> None:
        self.notes: list[Relayed] = []
        self.open = asyncio.Event()
        self.failures: list[Exception] = []

    async def write(self, relayed: Relayed) -> None:
        await self.open.wait()
        if self.failures:
            raise self.failures.pop()
        self.notes.append(relayed)


def note(position: int, **more: Any) -> Relayed:
    return Relayed({LOG: position}, **more)


async def test_what_comes_while_a_note_is_written_goes_with_the_next() -> None:
    table, told, noted = Table(), asyncio.Event(), []
    notes = Notes(table.write, told.set)
    for position in (1, 2, 3):
        notes.add(note(position), lambda position=position: noted.append(position))
        await asyncio.sleep(0)
    table.open.set()
    await until(lambda: noted == [1, 2, 3])
    assert [each.cursors for each in table.notes] == [{LOG: 1}, {LOG: 3}]
    assert told.is_set()


async def test_a_note_that_failed_is_said_and_written_again() -> None:
    table, told = Table(), asyncio.Event()
    table.failures, notes = [StoreUnavailable("away")], Notes(table.write, told.set)
    notes.add(note(1), lambda: None)
    table.open.set()
    await asyncio.wait_for(told.wait(), 5)
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        notes.check()
    notes.check()
    await until(lambda: [each.cursors for each in table.notes] == [{LOG: 1}])


async def test_the_end_waits_for_what_is_being_noted() -> None:
    table = Table()
    notes = Notes(table.write, lambda: None)
    notes.add(note(1), lambda: None)
    asyncio.get_running_loop().call_later(0.01, table.open.set)
    await notes.end()
    assert [each.cursors for each in table.notes] == [{LOG: 1}]
