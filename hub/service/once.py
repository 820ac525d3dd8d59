"""Writes that are no commands (webhooks, cursors, redelivery, uploads), done once per Idempotency-Key.

Requests with the same key wait for each other in this process. Two processes that get the same at once may
both do it.

The effect comes first and is then remembered, in two transactions: a crash between them lets a repeated
request take effect again, which is harmless for these."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from hub.errors import Overtaken
from hub.ports.clock import Clock, rfc3339
from hub.ports.effects import Effects, Remembered
from hub.ports.store import Store
from hub.service.readers import Readers
from hub.service.requests import Idempotency, require_same_body
from hub.service.writer import Writer

T = TypeVar("T")


def nothing(_: object) -> tuple[str, ...]:
    return ()


@dataclass(slots=True)
class _Turn:
    """`wanted`: how many requests hold or wait for the lock."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


@dataclass(slots=True)
class Once:
    store: Store
    readers: Readers
    writer: Writer
    clock: Clock
    _turns: dict[bytes, _Turn] = field(default_factory=dict, init=False)

    async def run(
        self,
        idempotency: Idempotency | None,
        act: Callable[[], Awaitable[T]],
        again: Callable[[tuple[str, ...]], Awaitable[T]],
        keep: Callable[[T], tuple[str, ...]] = nothing,
    ) -> T:
        """What `act` gives; for a key that took effect before, what `again` gives: the object as it stands
        now, a secret never. `again` gets what `keep` kept of the first answer, for an object that is gone.
        Invalid (422) for a known key with another body."""
        if idempotency is None:
            return await act()
        async with self._turn(idempotency.key):
            return await self._in_turn(idempotency, act, again, keep)

    @asynccontextmanager
    async def _turn(self, key: bytes) -> AsyncIterator[None]:
        """One at a time for each key. A lock is there as long as somebody holds it or waits for it."""
        turn = self._turns.setdefault(key, _Turn())
        turn.wanted += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[key]

    async def _in_turn(
        self,
        idempotency: Idempotency,
        act: Callable[[], Awaitable[T]],
        again: Callable[[tuple[str, ...]], Awaitable[T]],
        keep: Callable[[T], tuple[str, ...]],
    ) -> T:
        known = await self.readers.glance(lambda session: session.remembered(idempotency.key))
        if known is not None:
            require_same_body(known, idempotency)
            return await again(known.ids)
        result = await act()
        row = Remembered(
            idempotency.key, idempotency.body, 200, "once", keep(result), rfc3339(self.clock.now())
        )
        await self.writer.run(lambda: self._remember(row))
        return result

    def _remember(self, row: Remembered) -> None:
        """The first of two processes that were sent the same is remembered. The other took effect too: its
        own answer is as true, and may hold a secret that nobody else was given."""
        try:
            self._remember_once(row)
        except Overtaken:
            self._remember_once(row)  # which finds the other's

    def _remember_once(self, row: Remembered) -> None:
        with self.store.begin() as txn:
            if row.key not in txn.load_remembered([row.key]):
                txn.write(Effects(remembered=[row]))
                txn.commit()
