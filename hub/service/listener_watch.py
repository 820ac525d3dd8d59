"""The agencies' listener, tried with forged tokens at the start and, while nobody answers there or even a
right token is refused, again and again: agencies use it as soon as it is there, looked at or not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from hub.errors import SimpulError
from hub.ports.broker import ListenerProbe, ListenerUnsafe

log = structlog.get_logger(__name__)

TRY_WITHIN_S: Final = 5.0
TRY_AGAIN_S: Final = 30.0


class ListenerWatch:
    """`token` gives a right token; `stop` is called once where forged ones are let in while the hub runs:
    what comes from agencies over the broker, and goes to them, ends."""

    def __init__(
        self,
        probe: ListenerProbe,
        token: Callable[[], str],
        stop: Callable[[], Awaitable[None]],
        pause_s: float = TRY_AGAIN_S,
    ) -> None:
        self._probe, self._token, self._stop, self._pause_s = probe, token, stop, pause_s
        self._told: tuple[str, str] | None = None
        self.unsafe: str | None = None
        """Why the listener must not be used."""

    async def try_once(self) -> bool:
        """Whether it is known to be right. Raises ListenerUnsafe when a forged token is let in."""
        try:
            async with asyncio.timeout(TRY_WITHIN_S):
                sentence = await self._probe.check(self._token())
        except ListenerUnsafe:
            raise
        except (TimeoutError, SimpulError) as error:
            return self._tell("agency_listener_not_tried", str(error) or "no answer in time")
        return sentence is None or self._tell("agency_listener", sentence)

    async def keep_trying(self) -> None:
        """Until it is right, or found to be unsafe."""
        try:
            right = False
            while not right:
                await asyncio.sleep(self._pause_s * random.uniform(0.5, 1.5))  # noqa: S311  # not all at once
                right = await self.try_once()
            log.info("agency_listener_verifies_tokens")
        except ListenerUnsafe as found:
            self.unsafe = str(found)
            log.error("agency_listener_unsafe", cause=self.unsafe)
            await self._stop()

    def _tell(self, event: str, cause: str) -> bool:
        """Once, until it changes; False for `try_once`."""
        if self._told != (event, cause):
            self._told = event, cause
            log.warning(event, cause=cause)
        return False
