"""What a running hub tidies up by itself: rows and files whose time is over, keys that retire. Each step is
small, runs between commands on the writer's thread, and is safe to repeat."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.errors import SimpulError
from hub.ports.clock import Clock, rfc3339
from hub.service.writer import Writer

log = structlog.get_logger(__name__)

EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Chore:
    """`run` gets the moment (RFC 3339) before which things are over and gives how many it dealt with."""

    name: str
    keep: timedelta
    run: Callable[[str], int]


class Housekeeping:
    """Runs the chores once a minute; one that fails is logged and tried again the next time."""

    def __init__(
        self,
        writer: Writer,
        clock: Clock,
        chores: Sequence[Chore],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._chores = chores
        self._sleep = sleep

    async def forever(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._sleep(EVERY_S)
            await self.once()

    async def once(self) -> None:
        now = self._clock.now()
        for chore in self._chores:
            try:
                count = await self._writer.run(lambda chore=chore: chore.run(_before(now, chore)))  # type: ignore[misc]
            except SimpulError as error:
                log.warning("chore_failed", chore=chore.name, cause=str(error))
                continue
            except Exception:  # a defect in one chore must not end the others
                log.exception("chore_crashed", chore=chore.name)
                continue
            if count:
                log.info("chore_done", chore=chore.name, count=count)


def _before(now: datetime, chore: Chore) -> str:
    return rfc3339(now - chore.keep)
