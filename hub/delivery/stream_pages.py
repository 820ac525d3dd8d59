"""Reads mailboxes for the live streams: bounded pages of rendered entries, each page read once however many
streams ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

import orjson

from hub.ports.sealing import Sealing
from hub.ports.store import ReadSession
from hub.service.readers import Readers
from hub.service.rendered import Rendering

T = TypeVar("T")

ENTRIES: Final = 64
PAGE_BYTES: Final = 128 * 1024
"""A page ends with the entry that exceeds it: a stream's buffer must hold at least one page."""
NEWS_AT_ONCE: Final = 16
CATCHING_UP_AT_ONCE: Final = 2
"""Of the four readers: a thousand streams that come back after a restart hold up nobody else."""


class Entry(NamedTuple):
    """A mailbox entry as it goes over the wire."""

    position: int
    wire: bytes


@dataclass(frozen=True, slots=True)
class Page:
    entries: list[Entry]
    more: bool
    """There may be more behind it."""


@dataclass(frozen=True, slots=True)
class State:
    """Of a mailbox: its last position, the first one kept, and which life of the database it is."""

    head: int
    first: int
    incarnation: str


class StreamPages:
    def __init__(self, readers: Readers, sealing: Sealing, public_url: str) -> None:
        self._readers = readers
        self._rendering = Rendering(sealing, public_url)
        self._news = asyncio.Semaphore(NEWS_AT_ONCE)
        self._catching_up = asyncio.Semaphore(CATCHING_UP_AT_ONCE)
        self._under_way: dict[tuple[str, int, int], asyncio.Task[Any]] = {}

    async def state(self, agency: str) -> State:
        def look(session: ReadSession) -> State:
            found = session.mailbox_state(agency)
            return State(found.head, found.first, session.incarnation())

        return await self._shared((agency, -1, -1), lambda: self._read(self._catching_up, look))

    async def news(self, agency: str, after: int) -> Page:
        """What came since, for all streams of the agency."""
        return await self._read(self._news, lambda session: self._page(session, agency, after))

    async def old(self, agency: str, after: int, generation: int = -1) -> Page:
        """The same for those that are behind; they wait their turn. A reading that began in another
        `generation` is not joined."""

        def look(session: ReadSession) -> Page:
            return self._page(session, agency, after)

        return await self._shared((agency, after, generation), lambda: self._read(self._catching_up, look))

    async def _read(self, turn: asyncio.Semaphore, look: Callable[[ReadSession], T]) -> T:
        async with turn:
            return await self._readers.run(look)

    async def _shared(self, key: tuple[str, int, int], read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Joins a reading of the same that is under way; who hangs up ends it for nobody else."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(read())
            task.add_done_callback(lambda done: self._over(key, done))
        found: T = await asyncio.shield(task)
        return found

    def _over(self, key: tuple[str, int, int], task: asyncio.Task[Any]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # who still waits for it is told; if all have hung up, nobody is left to tell

    def _page(self, session: ReadSession, agency: str, after: int) -> Page:
        renderer = self._rendering.mailbox(session, agency)
        rows = session.mailbox(agency, after, ENTRIES)
        entries: list[Entry] = []
        held = 0
        for row in rows:
            entries.append(Entry(row.position, wire(row.position, renderer.event(row))))
            held += len(entries[-1].wire)
            if held > PAGE_BYTES:
                break
        return Page(entries, len(rows) == ENTRIES or len(entries) < len(rows))


def wire(position: int, event: dict[str, Any]) -> bytes:
    """One server-sent event (WHATWG HTML, 9.2.5). JSON on one line, as orjson writes it, is one `data`."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (position, event["type"].encode(), orjson.dumps(event))
