"""What a running hub tidies up by itself: rows and files whose time is over, keys that retire. It goes page
by page. A page is a job of the writer, between commands, or runs on a thread beside it; each is safe to
repeat, and what was cut off is gone on with the next time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.errors import SimpulError
from hub.ports.clock import Clock, rfc3339
from hub.ports.store import CHORE_PAGE
from hub.service.writer import STOP_S, Writer

log = structlog.get_logger(__name__)

EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Chore:
    """`run` gets the moment (RFC 3339) before which things are over, deals with a page of them and gives how
    many those were; where it is CHORE_PAGE or more, it is asked again. `aside`: it works on the disk or looks
    through a table, and runs beside the writer; its transactions are short and its own."""

    name: str
    keep: timedelta
    run: Callable[[str], int]
    aside: bool = False


class Housekeeping:
    """Runs the chores once a minute, one after the other; one that fails is logged and tried again the next
    time."""

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
        self._aside = ThreadPoolExecutor(1, "housekeeping")  # whoever is cancelled leaves a page under way
        self._pages_aside: set[Future[int]] = set()

    async def forever(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._sleep(EVERY_S)
            await self.once()

    async def once(self) -> None:
        now = self._clock.now()
        for chore in self._chores:
            try:
                count = await self._pages(chore, _before(now, chore))
            except SimpulError as error:
                log.warning("chore_failed", chore=chore.name, cause=str(error))
                continue
            except Exception:  # a defect in one chore must not end the others
                log.exception("chore_crashed", chore=chore.name)
                continue
            if count:
                log.info("chore_done", chore=chore.name, count=count)

    async def _pages(self, chore: Chore, before: str) -> int:
        """One after the other, until one comes back short: what else waits for the writer comes between."""
        count = 0
        while True:
            done = await self._page(chore, before)
            count += done
            if done < CHORE_PAGE:
                return count

    async def _page(self, chore: Chore, before: str) -> int:
        if not chore.aside:
            return await self._writer.run(lambda: chore.run(before))
        page = self._aside.submit(chore.run, before)
        self._pages_aside.add(page)
        page.add_done_callback(self._pages_aside.discard)
        return await asyncio.wrap_future(page)

    async def stop(self) -> None:
        """Once `forever` was cancelled. Waits up to STOP_S for the page that is under way beside the writer:
        the store is closed next. A purge of the disk that takes longer is done again at the next start."""
        self._aside.shutdown(wait=False, cancel_futures=True)
        _, late = await asyncio.to_thread(wait_for, tuple(self._pages_aside), STOP_S)
        if late:
            log.warning("chore_not_ended", after_s=STOP_S)


def _before(now: datetime, chore: Chore) -> str:
    return rfc3339(now - chore.keep)
