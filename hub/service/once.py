"""Writes that are no commands (webhooks, cursors, redelivery), done once per Idempotency-Key.

The effect comes first and is then remembered, in two transactions: a crash between them lets a repeated
request take effect again, which is harmless for these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import TypeVar

from hub.errors import Invalid
from hub.ports.clock import Clock, rfc3339
from hub.ports.store import Effects, Remembered, Store
from hub.service.requests import Idempotency
from hub.service.threads import Readers, Writer

T = TypeVar("T")


@dataclass(slots=True)
class Once:
    store: Store
    readers: Readers
    writer: Writer
    clock: Clock

    async def run(
        self,
        idempotency: Idempotency | None,
        act: Callable[[], Awaitable[T]],
        again: Callable[[], Awaitable[T]],
    ) -> T:
        """What `act` gives; for a key that took effect before, what `again` gives: the object as it stands
        now, a secret never. Invalid (422) for a known key with another body."""
        if idempotency is None:
            return await act()
        known = await self.readers.run(lambda session: session.remembered(idempotency.key))
        if known is not None:
            if not compare_digest(known.body, idempotency.body):
                raise Invalid(
                    "This Idempotency-Key was used before with another body; use a new one.",
                    code="idempotency-key-reused",
                )
            return await again()
        result = await act()
        row = Remembered(idempotency.key, idempotency.body, 200, "once", (), rfc3339(self.clock.now()))
        await self.writer.run(lambda: self._remember(row))
        return result

    def _remember(self, row: Remembered) -> None:
        with self.store.begin() as txn:
            if row.key not in txn.reserve_keys([row.key]):
                txn.write(Effects(remembered=[row]))
                txn.commit()
