"""An agency's system whose calls end when the test lets them, before the loop that hands events over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from connectors.applying import Applier
from connectors.delivering import DeliveryRefused
from connectors.errors import Away
from connectors.inbox import Inbox
from connectors.spool import Spool
from connectors.system_health import SystemHealth

CAP_S = 8.0
SETTLES = 500
"""So often every task may go on, until nothing more happens by itself."""


class HeldSystem:
    """The agency's system: each call waits until the test lets it end, or ends at once as its case does."""

    def __init__(self, spool: Spool, at_once: int) -> None:
        self.inbox, self.now_s = Inbox(spool), 1000.0
        self.health = SystemHealth()
        self.calls: dict[str, asyncio.Future[BaseException | None]] = {}
        """Subject -> its open call."""
        self.holds: set[str] | None = set()
        """Whose calls do not end by themselves; None: nobody's."""
        self.fails: dict[str, BaseException] = {}
        self.asked: list[str] = []
        self.got: list[str] = []
        self.most = self.count = 0
        self.applier = Applier(
            spool, self.inbox, self.handle, lambda: self.now_s, CAP_S, self.health, at_once
        )

    async def handle(self, event: dict[str, Any]) -> str:
        subject = event["subject"]
        assert subject not in self.calls, "never two of one case"
        self.asked.append(event["id"])
        ended = asyncio.get_running_loop().create_future()
        self.calls[subject] = ended
        self.most = max(self.most, len(self.calls))
        if self.holds is None or subject not in self.holds:
            ended.set_result(self.fails.get(subject))
        try:
            error = await ended
        finally:
            del self.calls[subject]
        if error is None or isinstance(error, DeliveryRefused):
            self.health.answered()
        if error is not None:
            raise error
        self.got.append(event["id"])
        return ""

    def arrive(self, *subjects: str, **more: Any) -> None:
        for subject in subjects:
            self.count += 1
            assert self.inbox.take({"id": f"{subject}-{self.count}", "subject": subject, **more}, True)
        self.applier.woken.set()

    async def rounds(self, count: int = 1) -> list[Away]:
        """Steps as the loop does them, and what they raised; the clock runs between them."""
        raised = []
        for _ in range(count):
            try:
                await self.applier.step()
            except Away as error:
                raised.append(error)
            self.now_s += 1.0
        return raised


@asynccontextmanager
async def stepping(system: HeldSystem) -> AsyncIterator[asyncio.Task[bool]]:
    """A step that lasts, ended by a cancel as at SIGTERM."""
    step = asyncio.create_task(system.applier.step())
    await settle()
    yield step
    await stopped(step)


async def settle(turns: int = SETTLES) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def stopped(step: asyncio.Task[bool] | None) -> None:
    """Cancels the step; what it raised is looked at."""
    if step is None:
        return
    step.cancel()
    await asyncio.wait([step])
    if not step.cancelled():
        assert isinstance(step.exception(), Away | None)
