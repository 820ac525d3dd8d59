"""Housekeeping goes page by page on each engine: what else waits for the writer comes between, and what was
cut off is gone on with."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from hub.app_erasures import drop_unheld
from hub.errors import StoreUnavailable
from hub.ports.attachments import AttachmentsUnavailable
from hub.ports.effects import Effects, MailboxEntry, Remembered
from hub.ports.files import FileRow
from hub.ports.relaying import DeadLetter, Place
from hub.ports.sealing import WrappedKey
from hub.service.housekeeping import Chore, Housekeeping
from hub.service.writer import Writer
from hub.store.accounts import AccountTables
from hub.store.files import FileTables
from hub.store.registry import RegistryTables
from hub.store.relaying import RelayTables
from tests.service.hubworld import TurnedClock
from tests.store.storework import WHEN, event, write

ROWS = 2_500
LATER = "2025-03-15T02:00:00.000Z"
UPLOADER = WrappedKey("uploader:kotim", 1, b"k" * 60)


class Bytes:
    """The attachments' folder; `first` is called before the first file goes."""

    def __init__(self, first: Callable[[], object] = lambda: None) -> None:
        self._first = first
        self.gone: list[str] = []

    def delete(self, location: str) -> bool:
        if not self.gone:
            self._first()
        self.gone.append(location)
        return True


@asynccontextmanager
async def kept(*chores: Chore) -> AsyncIterator[tuple[Housekeeping, Writer]]:
    writer, clock = Writer(cast(Any, None), lambda events: None), TurnedClock()
    clock.turn(days=365)
    writer.start()
    try:
        yield Housekeeping(writer, clock, chores), writer
    finally:
        await writer.stop()


def left(store: Any, table: str, condition: str = "true") -> int:
    with store.connection() as db:
        return int(db.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0])


def remember(store: Any) -> None:
    write(
        store,
        Effects(remembered=[Remembered(b"%d" % n, b"", 200, "case", (), WHEN) for n in range(ROWS)]),
    )


def deliver(store: Any, agencies: tuple[str, ...] = ("kotim", "pupr")) -> None:
    """ROWS entries for each agency, acknowledged by it."""
    numbers = range(1, ROWS + 1)
    write(
        store,
        Effects(
            events=[event(n, "s", n, agencies) for n in numbers],
            mailbox=[MailboxEntry(agency, n, n) for agency in agencies for n in numbers],
        ),
    )
    for agency in agencies:
        RegistryTables(store).put_cursor(agency, ROWS)


def upload(store: Any, rows: int = ROWS, wrapped: WrappedKey | None = None) -> None:
    columns = "sha256, agency, media_type, size, wrapped, generation, location, created_at"
    key = (wrapped.wrapped, wrapped.generation) if wrapped else (None, None)
    made = [(f"{n:064x}", "kotim", "image/png", 1, *key, f"at-{n}", WHEN) for n in range(rows)]
    with store.writing() as db:
        db.cursor().executemany(f"INSERT INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", made)


def forgetting(store: Any) -> tuple[Chore, Callable[[], int]]:
    remember(store)
    chore = Chore("idempotency", timedelta(0), RegistryTables(store).forget_idempotency)
    return chore, lambda: left(store, "idempotency")


def trimming(store: Any) -> tuple[Chore, Callable[[], int]]:
    deliver(store)
    chore = Chore("mailboxes", timedelta(0), RegistryTables(store).trim_mailboxes)
    return chore, lambda: left(store, "mailbox")


def forgetting_uploaders(store: Any) -> tuple[Chore, Callable[[], int]]:
    upload(store, wrapped=UPLOADER)
    chore = Chore("uploads", timedelta(0), FileTables(store).forget_uploaders)
    return chore, lambda: left(store, "files", "wrapped IS NOT NULL")


def dropping(store: Any) -> tuple[Chore, Callable[[], int]]:
    upload(store)
    files, attachments = FileTables(store), cast(Any, Bytes())
    return Chore("files", timedelta(0), lambda _: drop_unheld(files, attachments)), lambda: left(
        store, "files"
    )


def ending_sessions(store: Any) -> tuple[Chore, Callable[[], int]]:
    rows = [(b"%032d" % n, "o", WHEN, WHEN, LATER) for n in range(ROWS)]
    with store.writing() as db:
        db.cursor().executemany("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", rows)
    tables = AccountTables(store)
    chore = Chore("sessions", timedelta(0), lambda now: tables.forget_sessions(now, now))
    return chore, lambda: left(store, "sessions")


def forgetting_letters(store: Any) -> tuple[Chore, Callable[[], int]]:
    letters = [DeadLetter(f"t/0/{n}", "kotim", "t", 0, n, "ab", "rusak", WHEN) for n in range(ROWS)]
    write(store, Effects(dead_letters=letters, next_offsets={("t", 0): Place(ROWS)}))
    return Chore("dead_letters", timedelta(0), RelayTables(store).forget_dead_letters), lambda: left(
        store, "dead_letters"
    )


KINDS = pytest.mark.parametrize(
    "kind",
    [forgetting, trimming, forgetting_uploaders, dropping, ending_sessions, forgetting_letters],
)


@KINDS
async def test_another_job_of_the_writer_comes_between(
    store: Any, kind: Callable[[Any], tuple[Chore, Callable[[], int]]]
) -> None:
    chore, remaining = kind(store)
    begun = remaining()
    async with kept(chore) as (house, writer):
        tidying = asyncio.create_task(house.once())
        await asyncio.sleep(0)  # the first page waits for the writer now
        between = await writer.run(remaining)
        await tidying
        assert begun - 1_000 <= between < begun
        assert remaining() == 0


@KINDS
async def test_what_was_cut_off_is_gone_on_with(
    store: Any, kind: Callable[[Any], tuple[Chore, Callable[[], int]]]
) -> None:
    chore, remaining = kind(store)
    async with kept(chore) as (house, writer):
        tidying = asyncio.create_task(house.once())
        await asyncio.sleep(0)
        assert await writer.run(remaining) > 0
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)
        assert remaining() > 0
        await house.once()
        assert remaining() == 0


async def test_a_page_that_fails_leaves_the_rest_to_the_next_time(store: Any) -> None:
    remember(store)
    rows, calls = RegistryTables(store), list[str]()

    def away(before: str) -> int:
        calls.append(before)
        if len(calls) == 2:
            raise StoreUnavailable("away")
        return rows.forget_idempotency(before)

    async with kept(Chore("idempotency", timedelta(0), away)) as (house, _):
        await house.once()
        assert 0 < left(store, "idempotency") < ROWS
        await house.once()
        assert left(store, "idempotency") == 0


async def test_the_writer_goes_on_while_files_are_taken_from_the_disk(store: Any) -> None:
    """A file costs a call to the disk and a folder's fsync: too much for the writer's thread."""
    upload(store, 3)
    begun, turned = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        assert turned.wait(10), "the writer stands still"

    files, attachments = FileTables(store), Bytes(first)
    chore = Chore("files", timedelta(0), lambda _: drop_unheld(files, cast(Any, attachments)), aside=True)
    async with kept(chore) as (house, writer):
        tidying = asyncio.create_task(house.once())
        await asyncio.to_thread(begun.wait, 10)
        await writer.run(turned.set)
        await tidying
    assert (len(attachments.gone), left(store, "files")) == (3, 0)


class Slow:
    """A chore beside the writer that stands still; `both`: it ran twice at once."""

    def __init__(self) -> None:
        self.begun, self.turned, self._alone = threading.Event(), threading.Event(), threading.Lock()
        self.runs, self.both = 0, False

    def __call__(self, before: str) -> int:
        self.runs += 1
        self.begun.set()
        if not self._alone.acquire(blocking=False):
            self.both = True
            return 0
        assert self.turned.wait(10)
        self._alone.release()
        return 0


async def test_a_chore_beside_the_writer_runs_once_at_a_time(store: Any) -> None:
    """When the clock's lease was lost, and taken again, it may still be under way."""
    slow = Slow()
    async with kept(Chore("erasures", timedelta(0), slow, aside=True)) as (house, writer):
        first = asyncio.create_task(house.once())
        await asyncio.to_thread(slow.begun.wait, 10)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(house.once())
        await asyncio.sleep(0)
        await writer.run(lambda: None)
        assert slow.runs == 1
        slow.turned.set()
        await second
    assert (slow.runs, slow.both) == (2, False)


async def test_the_end_of_the_hub_waits_for_the_page_that_is_under_way(store: Any) -> None:
    slow = Slow()
    async with kept(Chore("erasures", timedelta(0), slow, aside=True)) as (house, writer):
        tidying = asyncio.create_task(house.once())
        await asyncio.to_thread(slow.begun.wait, 10)
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)
        stopping = asyncio.create_task(house.stop())
        await writer.run(lambda: None)
        assert not stopping.done()
        slow.turned.set()
        await stopping


def test_a_page_is_as_large_as_asked(store: Any) -> None:
    remember(store)
    deliver(store, ("kotim",))
    upload(store, 10, UPLOADER)
    rows, files = RegistryTables(store), FileTables(store)
    assert rows.forget_idempotency(LATER, 7) == 7
    assert rows.trim_mailboxes(LATER, 7) == 7
    assert files.forget_uploaders(LATER, 7) == 7
    assert len(files.unheld(5)) == 5
    with store.read() as session:
        assert (session.mailbox_state("kotim").first, session.mailbox("kotim", 0, 1)[0].position) == (8, 8)


def test_a_page_is_shared_by_the_mailboxes(store: Any) -> None:
    deliver(store)
    rows = RegistryTables(store)
    assert rows.trim_mailboxes(LATER, ROWS + 10) == ROWS + 10
    with store.read() as session:
        firsts = [session.mailbox_state(agency).first for agency in ("kotim", "pupr")]
    assert firsts == [ROWS + 1, 11]
    assert rows.trim_mailboxes(LATER, ROWS + 10) == ROWS - 10


def test_a_file_that_cannot_be_deleted_keeps_its_row_and_no_other(store: Any) -> None:
    upload(store, 3)
    locations = [row.location for row in FileTables(store).unheld()]

    class Refusing(Bytes):
        def delete(self, location: str) -> bool:
            if location == locations[2]:
                raise AttachmentsUnavailable("read-only")
            return super().delete(location)

    with pytest.raises(AttachmentsUnavailable):
        drop_unheld(FileTables(store), cast(Any, Refusing()))
    assert [row.location for row in FileTables(store).unheld()] == locations[2:]


def test_a_file_uploaded_anew_meanwhile_keeps_its_row(store: Any) -> None:
    upload(store, 2)
    files = FileTables(store)
    found = files.unheld()
    assert len(found) == 2
    anew = FileRow(found[0].sha256, "kotim", "image/png", 1, UPLOADER, "elsewhere", LATER)
    files.put(anew)
    files.drop(found)
    assert files.uploads(anew.sha256) == [anew]
    assert left(store, "files") == 1
