"""The hub's clock: wakes cases whose deadlines approach or have passed, and threads with commitments that are
late. What it finds is an ordinary command, so that two clocks at work at once, or one that was killed, record
nothing twice and forget nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog

from hub.domain.commands import Tick
from hub.domain.threads.commands import WakeThread
from hub.errors import Held, Problem, SimpulError, StoreUnavailable, Unavailable
from hub.ports.clock import Clock, rfc3339
from hub.ports.store import ReadSession
from hub.service.readers import Readers
from hub.service.requests import BY_ITSELF, Request, Result
from hub.service.writer import BULK_CHUNK, Writer

log = structlog.get_logger(__name__)

EVERY_S: Final = 1.0
"""So long after its moment, at most, a deadline is noticed by an idle hub."""
AWAY_S: Final = 5.0
"""The pause after a tick that failed: the database is away, or the hub has too much to do. A case that
another process works on is let be for as long."""
ASIDE_S: Final = 60.0
ASIDE: Final = 1024
"""So many cases that could not be woken are let be for a while, so that they hold up no others. Beyond it
something is wrong with the hub rather than with a case, and nothing is tried until some of them are again."""
MOMENT: Final = timedelta(milliseconds=1)


class ClockRole:
    """Memory does not grow with the number of deadlines: a chunk of cases is in hand at a time."""

    def __init__(
        self,
        readers: Readers,
        writer: Writer,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._readers = readers
        self._writer = writer
        self._clock = clock
        self._sleep = sleep
        self._aside: dict[str, float] = {}
        """Id of a case or a thread -> until when, by the monotonic clock."""

    async def forever(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                while await self.once():
                    await self._sleep(0)
                pause_s = EVERY_S
            except SimpulError as error:
                log.warning("clock_waits", cause=str(error))
                pause_s = AWAY_S
            await self._sleep(pause_s)

    async def once(self) -> int:
        """Wakes the cases that have waited longest, at most a chunk; how many it tried. A deadline is missed
        once its last moment is over, and that moment is a millisecond long: by `until` it is."""
        until, aside = rfc3339(self._clock.now() - MOMENT), self._still_aside()
        room = min(BULK_CHUNK, ASIDE - len(aside))
        if room <= 0:
            return 0
        found = await self._readers.run(lambda session: _waiting(session, until, room + len(aside)))
        due = {name: command for name, command in found if name not in aside}
        due = dict(list(due.items())[:room])
        if not due:
            return 0
        results = await self._writer.submit([Request(BY_ITSELF, each) for each in due.values()], bulk=True)
        for name, result in zip(due, results, strict=True):
            self._note(name, result)
        if all(isinstance(result, Unavailable) and not isinstance(result, Held) for result in results):
            raise StoreUnavailable("The database takes no writes now.")
        return len(due)

    def _note(self, name: str, result: Result) -> None:
        """Sets aside what was not woken, or would be found at once again."""
        if isinstance(result, Held):
            self._aside[name] = self._clock.monotonic() + AWAY_S
        elif isinstance(result, Unavailable):
            return
        elif isinstance(result, Problem):
            log.error("not_woken", subject=name, cause=result.type_code, status=result.status)
            self._aside[name] = self._clock.monotonic() + ASIDE_S
        elif result.replayed:  # another clock was first; or the table says it is due, and the case does not
            self._aside[name] = self._clock.monotonic() + AWAY_S

    def _still_aside(self) -> frozenset[str]:
        now = self._clock.monotonic()
        self._aside = {name: until for name, until in self._aside.items() if until > now}
        return frozenset(self._aside)


def _waiting(session: ReadSession, until: str, limit: int) -> list[tuple[str, Tick | WakeThread]]:
    """Cases first, then threads; each by its own moment."""
    cases = [(case_id, Tick(case_id)) for case_id in session.to_wake(until, limit)]
    threads = [(name, WakeThread(name)) for name in session.threads_to_wake(until, limit)]
    return [*cases, *threads]
