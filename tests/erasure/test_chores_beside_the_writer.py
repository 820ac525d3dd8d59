"""What housekeeping does to the disk it does beside the writer: nothing waits for it, on either engine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from hub.app import _chores
from hub.app_erasures import purge
from hub.errors import StoreUnavailable
from hub.service.housekeeping import Housekeeping
from hub.service.writer import Writer
from hub.store.destroying import PURGE_WAITS
from hub.store.files import FileTables
from hub.vault.attachments import AttachmentStore
from tests.erasure.erasurework import MASKED, ErasureWorld

KEYS = {"published_keys", "sessions"}


@asynccontextmanager
async def tidied(world: ErasureWorld, *names: str) -> AsyncIterator[tuple[Housekeeping, Writer]]:
    core, nobody = world.core, cast(Any, None)
    attachments = AttachmentStore(world.folder / "attachments", core.sealer)
    chores = _chores(core, FileTables(core.store), attachments, nobody, nobody)
    writer = Writer(core.runner, lambda events: None)
    writer.start()
    try:
        asked = [each for each in chores if each.name in names or (not names and each.name not in KEYS)]
        yield Housekeeping(writer, core.clock, asked), writer
    finally:
        await writer.stop()


async def test_the_writer_goes_on_while_the_disk_is_purged(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = world.told()
    world.erase(case_id)
    begun, turned, real = threading.Event(), threading.Event(), world.core.store.purge

    def purging() -> Any:
        begun.set()
        assert turned.wait(10), "the writer stands still"
        return real()

    monkeypatch.setattr(world.core.store, "purge", purging)
    async with tidied(world, "erasures") as (house, writer):
        tidying = asyncio.create_task(house.once())
        await asyncio.to_thread(begun.wait, 10)
        await writer.run(turned.set)
        await tidying
    assert world.count("facts", "name", PURGE_WAITS) == 0
    assert world.found(MASKED) == set()


async def test_an_erasure_that_purges_meanwhile_harms_nothing(world: ErasureWorld) -> None:
    """Its route does so on a thread of its own; who comes second may have to try again."""
    case_id = world.told()
    world.erase(case_id)
    async with tidied(world, "erasures") as (house, _):
        other = asyncio.create_task(asyncio.to_thread(purge, world.core))
        await house.once()
        (told,) = await asyncio.gather(other, return_exceptions=True)
        assert told == [] or isinstance(told, StoreUnavailable)
        await house.once()
    assert world.count("facts", "name", PURGE_WAITS) == 0
    assert world.found(MASKED) == set()


async def test_a_purge_that_must_wait_is_done_the_next_time(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.postgres.purging.READERS_WAIT_S", 0.2)
    monkeypatch.setattr("hub.store.sqlite.store.PURGE_BUSY_MS", 200)
    case_id = world.told()
    async with tidied(world, "erasures") as (house, _):
        with world.core.store.connection() as reader:
            reader.execute("SELECT count(*) FROM cases").fetchone()
            world.erase(case_id)
            await house.once()
            assert world.count("facts", "name", PURGE_WAITS) == 1
        await house.once()
    assert world.count("facts", "name", PURGE_WAITS) == 0
    assert world.found(MASKED) == set()


async def test_files_and_leftovers_go_beside_the_writer(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = dict[str, str]()

    def watched(name: str, run: Any) -> Any:
        def note(*given: Any) -> Any:
            threads[name] = threading.current_thread().name
            return run(*given)

        return note

    for owner, name in (
        (FileTables, "unheld"),
        (FileTables, "forget_uploaders"),
        (AttachmentStore, "delete"),
        (AttachmentStore, "sweep"),
    ):
        monkeypatch.setattr(owner, name, watched(name, getattr(owner, name)))
    monkeypatch.setattr("hub.app.remove_leftovers", watched("leftovers", lambda core: []))
    photo = world.uploaded()
    case_id = world.told(attachments=[photo])
    world.erase(case_id)
    async with tidied(world) as (house, _):
        await house.once()
    assert set(threads) == {"unheld", "forget_uploaders", "delete", "sweep", "leftovers"}
    assert "writer" not in threads.values()
    assert world.count("files", "sha256", photo["sha256"]) == 0
