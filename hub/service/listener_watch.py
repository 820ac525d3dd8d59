"""The agencies' listener, tried with forged tokens at the start and for as long as the hub runs: agencies use
it as soon as it is there, looked at or not, and a broker may be set up anew under a running hub."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from hub.errors import SimpulError
from hub.ports.broker import ListenerProbe, ListenerUnsafe

log = structlog.get_logger(__name__)

START_WITHIN_S: Final = 5.0
"""The start waits no longer; what is not known by then is found out later."""
TRY_WITHIN_S: Final = 30.0
TRY_AGAIN_S: Final = 30.0
"""While it is not known to be right, or no longer is."""
LOOK_AGAIN_S: Final = 300.0
"""While it is right."""


class ListenerWatch:
    """`token` gives a right token; `stop` is called once where forged ones are let in while the hub runs: it
    ends what comes from the broker to this process, and what this process publishes, the log included."""

    def __init__(
        self,
        probe: ListenerProbe,
        token: Callable[[], str],
        stop: Callable[[], Awaitable[None]],
        pauses_s: tuple[float, float] = (TRY_AGAIN_S, LOOK_AGAIN_S),
    ) -> None:
        self._probe, self._token, self._stop, self._pauses_s = probe, token, stop, pauses_s
        self._told: tuple[str, str] | None = None
        self._was_right = False
        self.unsafe: str | None = None
        """Why the listener must not be used."""
        self.away: str | None = None
        """Why agencies cannot sign in any more, who could. One that never answered may be out of this hub's
        reach and not of theirs: that is a warning in the log and nothing more."""

    async def try_once(self, within_s: float = START_WITHIN_S) -> bool:
        """Whether it is right. Raises ListenerUnsafe when a forged token is let in."""
        try:
            async with asyncio.timeout(within_s):
                sentence = await self._probe.check(self._token())
        except ListenerUnsafe:
            raise
        except (TimeoutError, SimpulError) as error:
            self._tell("agency_listener_not_tried", str(error) or "no answer in time")
            return False
        if sentence is not None:
            self._tell("agency_listener", sentence)
            return False
        if self._told:
            log.info("agency_listener_verifies_tokens")
        self._told, self.away, self._was_right = None, None, True
        return True

    async def keep_trying(self) -> None:
        """For ever, or until it is found to be unsafe."""
        try:
            while True:
                soon_s, seldom_s = self._pauses_s
                pause_s = seldom_s if self._was_right and not self.away else soon_s
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311  # not all at once
                await self._look()
        except ListenerUnsafe as found:
            self.unsafe = str(found)
            log.error("agency_listener_unsafe", cause=self.unsafe)
            await self._stop()

    async def _look(self) -> None:
        try:
            await self.try_once(TRY_WITHIN_S)
        except ListenerUnsafe:
            raise
        except Exception:  # it must go on: nobody else would find out that tokens are no longer verified
            log.exception("agency_listener_crashed")

    def _tell(self, event: str, cause: str) -> None:
        """Once: where it was right before, until it is again, else until it changes."""
        if self._was_right:
            told, self.away = self.away is not None, f"the agencies' listener: {cause}"
        else:
            told = self._told == (event, cause)
        self._told = event, cause
        if not told:
            log.warning("agency_listener_away" if self._was_right else event, cause=cause)
