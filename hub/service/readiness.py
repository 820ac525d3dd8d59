"""Whether this process can commit: asked of the database itself every few seconds, through the one writer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from hub.errors import SimpulError
from hub.service.threads import Writer

log = structlog.get_logger(__name__)

EVERY_S: Final = 2.0
PATIENCE_S: Final = 10.0
"""A probe that waits longer than this behind other work counts as failed."""


class Readiness:
    """`probe` commits something small and raises StoreUnavailable when the database does not take it."""

    def __init__(
        self,
        writer: Writer,
        probe: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._writer = writer
        self._probe = probe
        self._sleep = sleep
        self._cause: str | None = "starting"
        self._task: asyncio.Task[None] | None = None

    def status(self) -> tuple[bool, dict[str, Any]]:
        """(ready, document): `{"status": "ready" or "unavailable", "parts": {...}}`."""
        ready = self._cause is None
        parts = {"database": "ok" if ready else f"cannot commit: {self._cause}", "bus": "ok (embedded)"}
        return ready, {"status": "ready" if ready else "unavailable", "parts": parts}

    async def start(self) -> None:
        await self.once()
        self._task = asyncio.create_task(self._forever())

    async def stop(self) -> None:
        self._cause = "stopping"
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _forever(self) -> None:
        while True:
            await self._sleep(EVERY_S)
            await self.once()

    async def once(self) -> None:
        before = self._cause
        try:
            await asyncio.wait_for(self._writer.run(self._probe), PATIENCE_S)
        except TimeoutError:
            self._cause = f"the writer did not answer within {PATIENCE_S:.0f} s"
        except SimpulError as error:
            self._cause = str(error)
        else:
            self._cause = None
        if before != self._cause:
            log.info("readiness_changed", ready=self._cause is None, cause=self._cause)
