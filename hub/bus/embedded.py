"""The embedded bus: events reach listeners from the process's own commits in memory, from those of other
processes as their database tells them, and whatever was not told by a look at the end of the log every half
second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

import structlog

from hub.domain.events import Recorded
from hub.errors import StoreUnavailable, Unavailable
from hub.ports.bus import Committed, Listener

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 0.5
LOOKS_APART_S: Final = 0.005
"""Between hearing that there is more and looking: what is heard meanwhile makes no look of its own."""
PAGE: Final = 1000
AHEAD: Final = 1000
"""Commits that are remembered beyond a gap; of what is more, the log is read again."""

ReadEvents = Callable[[int, int], Awaitable[Sequence[Recorded]]]
"""(after position, limit) -> events of the log."""


class EmbeddedBus:
    """Implements `hub.ports.bus.Bus`."""

    def __init__(
        self, read_events: ReadEvents, last_position: Callable[[], Awaitable[int]], look_every_s: float
    ) -> None:
        self._read_events = read_events
        self._last_position = last_position
        self._look_every_s = look_every_s
        self._listeners: list[Listener] = []
        self._position = 0
        """All up to here was told."""
        self._ahead: dict[int, int] = {}
        """First -> last position of commits beyond a gap, which were told."""
        self._task: asyncio.Task[None] | None = None
        self._grown = asyncio.Event()

    def woken_from(self, loop: asyncio.AbstractEventLoop) -> Callable[[Committed | None], None]:
        """For a thread that hears of other processes' commits: gives what it calls with each, which is told
        without reading the log. None: the end of the log is looked at at once."""

        def heard(committed: Committed | None) -> None:
            if loop.is_closed():
                return
            if committed is None:
                loop.call_soon_threadsafe(self._grown.set)
            else:
                loop.call_soon_threadsafe(self.offer, (committed,))

        return heard

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def offer(self, commits: Sequence[Committed]) -> None:
        """Every commit is told at once. One that follows the last known position is not looked at again; a
        gap before it (another process wrote in between) is read from the log at the next look, unless that
        process's commit is heard of before."""
        for commit in commits:
            if commit.first <= self._position + 1:
                self._reached(commit.last)
            elif len(self._ahead) < AHEAD:
                self._ahead[commit.first] = commit.last
            self._tell(commit.agencies)

    async def start(self) -> None:
        self._position = await self._last_position()
        self._task = asyncio.create_task(self._look())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _reached(self, position: int) -> None:
        self._position = max(self._position, position)
        while (last := self._ahead.pop(self._position + 1, None)) is not None:
            self._position = last

    async def _look(self) -> None:
        away = False  # said once, not at every look
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):  # `wait_for` may swallow a cancel
                    await self._grown.wait()
                await asyncio.sleep(LOOKS_APART_S)
            self._grown.clear()
            try:
                await self._catch_up()
            except (StoreUnavailable, Unavailable) as error:
                if not away:
                    log.warning("bus_cannot_read", cause=str(error))
                away = True
            except Exception:  # the bus must go on: every reader depends on it
                log.exception("bus_look_crashed")
            else:
                if away:
                    log.info("bus_reads_again")
                away = False

    async def _catch_up(self) -> None:
        while events := await self._read_events(self._position, PAGE):
            new = [event for event in events if event.position > self._position]
            self._reached(events[-1].position)
            self._tell({agency for event in new for agency in event.fact().recipients})
            if len(events) < PAGE:
                break
        self._ahead = {first: last for first, last in self._ahead.items() if first > self._position}

    def _tell(self, agencies: Collection[str]) -> None:
        for listener in tuple(self._listeners):
            listener(agencies)
