"""One loop of a connector: a step, again and again, with pauses, backoff, and a word when a part is away."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable

from connectors.errors import Away, ConnectorError, NotAllowed, StatementRefused, SystemBusy
from connectors.pauses import pause_s
from connectors.presence import Presence

Step = Callable[[], Awaitable[bool]]
FIRST_PAUSE_S = 0.5


class Loop:
    """Runs `step` for ever. A step says whether more waits at once; else the loop rests `every_s` or until
    `wake` is called. Failures pause it: doubled each time, with jitter, at most `cap_s`."""

    def __init__(self, name: str, step: Step, every_s: float, presence: Presence, cap_s: float) -> None:
        self.name = name
        self._step, self._every_s, self._presence = step, every_s, presence
        self._cap_s = cap_s
        self._failures = 0
        self._until_woken = True
        self.woken = asyncio.Event()

    def wake(self) -> None:
        self.woken.set()

    def goes_on(self) -> None:
        """Something ended well: what failed before it does not count any more. A step that lasts says so
        itself."""
        self._failures, self._until_woken = 0, True
        self._presence.goes_on(self.name)

    async def run(self) -> None:
        while True:
            self.woken.clear()
            pause = await self.once()
            if pause > 0:
                await self._rest(pause, interruptible=self._until_woken)
            else:
                await asyncio.sleep(0)

    async def once(self) -> float:
        """One step; how long to pause after it, in seconds."""
        try:
            more = await self._step()
        except SystemBusy as error:
            wait_s = self._backoff(error.asked_s)
            self._presence.asks_to_wait(error.part, str(error), wait_s)
            return wait_s
        except Away as error:
            self._presence.away(error.part, str(error))
            return self._backoff(error.asked_s, error.until_woken)
        except sqlite3.OperationalError as error:
            self._presence.stuck(self.name, f"the spool: {error}; is its disk full or read-only?")
            return self._backoff()
        except ConnectorError as error:
            lasting = isinstance(error, (StatementRefused, NotAllowed))
            self._presence.stuck(self.name, str(error), lasting)
            return self._backoff()
        self.goes_on()
        return 0.0 if more else self._every_s

    def _backoff(self, asked_s: float = 0.0, until_woken: bool = False) -> float:
        pause = pause_s(self._failures, self._cap_s, FIRST_PAUSE_S)
        self._failures, self._until_woken = self._failures + 1, until_woken
        return max(pause, asked_s)

    async def _rest(self, for_s: float, interruptible: bool) -> None:
        if not interruptible:
            await asyncio.sleep(for_s)
            return
        try:
            async with asyncio.timeout(for_s):  # `wait_for` may swallow a cancel
                await self.woken.wait()
        except TimeoutError:
            return  # nobody woke it: the pause is over
