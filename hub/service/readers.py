"""Where asyncio meets the database to read: a few threads. `writer.py` writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any, Final, TypeVar

import structlog

from hub.errors import Unavailable
from hub.ports.store import ReadSession, Store

T = TypeVar("T")
log = structlog.get_logger(__name__)

READS: Final = 1024
"""Reads that may wait or be under way; beyond it a caller gets 503."""
STOP_S: Final = 10.0
"""So long the end of the hub waits for the reads that are under way."""


class Readers:
    """A few threads that read."""

    def __init__(self, store: Store, threads: int = 4, queue: int = READS) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")
        self._limit = queue
        self._reads: set[Future[Any]] = set()
        """What waits or is under way."""
        self._stopping = False

    async def run(self, query: Callable[[ReadSession], T]) -> T:
        """What `query` gives on one snapshot of the database, run on a reader's thread. Unavailable when too
        many wait already."""
        return await self.call(lambda: self._read(query))

    async def glance(self, query: Callable[[ReadSession], T]) -> T:
        """Like `run`, where each question of `query` may see what was committed since the one before."""
        return await self.call(lambda: self._glance(query))

    async def call(self, read: Callable[[], T]) -> T:
        """Like `run`, for who needs no session: a table's own reading."""
        if self._stopping:
            raise Unavailable("The hub is starting or stopping; try again in a moment.", retry_after_s=2)
        if len(self._reads) >= self._limit:
            raise Unavailable("The hub has too much to do; try again in a moment.", retry_after_s=1)
        reading = self._pool.submit(read)
        self._reads.add(reading)
        reading.add_done_callback(self._reads.discard)
        return await asyncio.wrap_future(reading)

    def _read(self, query: Callable[[ReadSession], T]) -> T:
        with self._store.read() as session:
            return query(session)

    def _glance(self, query: Callable[[ReadSession], T]) -> T:
        with self._store.glance() as session:
            return query(session)

    def close(self) -> None:
        """Takes no more and gives up what waits. What is under way ends by itself."""
        self._stopping = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def stop(self) -> None:
        """Like `close`, and waits up to STOP_S for what is under way: the store is closed next."""
        self.close()
        _, late = await asyncio.to_thread(wait_for, tuple(self._reads), STOP_S)
        if late:
            log.error("readers_not_ended", after_s=STOP_S, reads=len(late))
