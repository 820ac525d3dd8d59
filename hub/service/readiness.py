"""Whether this process can commit: every commit and every refusal says so at once, and the database itself is
asked every few seconds, through the one writer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from hub.errors import SimpulError
from hub.service.writer import Writer

log = structlog.get_logger(__name__)

EVERY_S: Final = 2.0
PATIENCE_S: Final = 10.0
"""A probe that waits longer than this behind other work counts as failed."""


class Readiness:
    """`probe` commits something small and raises StoreUnavailable when the database does not take it;
    `bus_away` says why the broker cannot be used now, None for a hub without one."""

    def __init__(
        self,
        writer: Writer,
        probe: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        bus_away: Callable[[], str | None] | None = None,
    ) -> None:
        self._writer = writer
        self._probe = probe
        self._bus_away = bus_away
        self._sleep = sleep
        self._cause: str | None = "starting"
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def status(self) -> tuple[bool, dict[str, Any]]:
        """(ready, document): `{"status": "ready", "degraded" or "unavailable", "parts": {...}}`. Without its
        broker a hub goes on, degraded."""
        ready = self._cause is None
        away = self._bus_away() if self._bus_away else None
        bus = "ok (embedded)" if self._bus_away is None else "ok" if away is None else f"away: {away}"
        parts = {"database": "ok" if ready else f"cannot commit: {self._cause}", "bus": bus}
        status = "unavailable" if not ready else "ready" if away is None else "degraded"
        return ready, {"status": status, "parts": parts}

    def heard(self, cause: str | None) -> None:
        """None after a commit, else why the database refused one. On the writer's thread, so that what is
        heard last is what was last so."""
        if cause == self._cause or self._stopping:
            return
        self._cause = cause
        log.info("readiness_changed", ready=cause is None, cause=cause)

    async def start(self) -> None:
        await self.once()
        self._task = asyncio.create_task(self._forever())

    async def stop(self) -> None:
        self.heard("stopping")
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _forever(self) -> None:
        while True:
            await self._sleep(EVERY_S)
            await self.once()

    async def once(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):  # `wait_for` may swallow a cancel
                await self._writer.run(self._ask)
        except TimeoutError:
            self.heard(f"the writer did not answer within {PATIENCE_S:.0f} s")
        except SimpulError as error:
            self.heard(str(error))

    def _ask(self) -> None:
        """On the writer's thread: whatever the probe raises means that nothing can be written now."""
        try:
            self._probe()
        except SimpulError as error:
            self.heard(str(error))
        except Exception as error:
            self.heard(f"{type(error).__name__}: {error}")
            log.exception("probe_crashed")
        else:
            self.heard(None)
