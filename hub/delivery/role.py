"""Delivery as a role that one process of a hub holds at a time: each claim gets a deliverer of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hub.delivery.deliverer import Deliverer
from hub.service.leased import Claim


class DeliveryRole:
    """`make` is given what says whether sending is still ours."""

    def __init__(self, make: Callable[[Callable[[], bool]], Deliverer]) -> None:
        self._make = make
        self._current: Deliverer | None = None

    async def work(self, claim: Claim) -> None:
        """Delivers until it is cancelled; what is not finished then is sent again by the next holder, under
        the same id."""
        deliverer = self._make(claim.holds)
        try:
            await deliverer.start()
            self._current = deliverer
            await asyncio.Event().wait()
        finally:
            self._current = None
            await deliverer.stop()

    async def wake(self) -> None:
        """Webhooks changed in this process. Another one sees it by the registry."""
        if self._current is not None:
            await self._current.wake()
