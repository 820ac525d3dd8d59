"""Events from the spool to the agency, in order per subject: one that cannot take effect blocks no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from connectors.errors import AnswerFirst, Away, ConnectorError, HubFailed, NotConfigured, NotNow
from connectors.inbox import ATTEMPTS, Inbox, Waiting
from connectors.pauses import FAILS_AT_ALL, FAILURES_IN_A_ROW, pause_s
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")
Handler = Callable[[dict[str, Any]], Awaitable[str]]
"""Makes one event take effect, once however often it is called; returns a note for a person, mostly empty.
Raises Away to stop everything for a while, HubFailed or another ConnectorError to hold back this subject
only."""


class Applier:
    """Takes the first waiting event of each subject in turn."""

    def __init__(
        self, spool: Spool, inbox: Inbox, handler: Handler, now_s: Callable[[], float], cap_s: float
    ) -> None:
        self._spool, self._inbox, self._handler = spool, inbox, handler
        self._now_s, self._cap_s = now_s, cap_s

    async def step(self) -> bool:
        """One round over the subjects; True when more may be ready."""
        ready = self._inbox.ready(self._now_s(), 100)
        try:
            await self._apply_each(ready)
        finally:
            if ready:
                self._spool.forget_freed()
        return bool(ready)

    async def _apply_each(self, ready: Sequence[Waiting]) -> None:
        """Those that failed before are no sign of a hub that fails at all."""
        failures = 0
        for waiting in ready:
            try:
                await self._apply(waiting)
            except HubFailed as failure:
                self._put_back(waiting, str(failure), final=False)
                failures += waiting.attempts == 0
            else:
                failures = 0
            if failures == FAILURES_IN_A_ROW:
                raise NotNow(FAILS_AT_ALL)

    async def _apply(self, waiting: Waiting) -> None:
        try:
            note = await self._handler(waiting.event)
        except Away:
            raise
        except (NotConfigured, AnswerFirst) as error:
            self._inbox.fail(waiting.number, str(error))
            return
        except ConnectorError as error:
            self._put_back(waiting, str(error), final=not isinstance(error, NotNow))
            return
        if note:
            log.warning("event took effect, but look at it", **self._named(waiting), note=note)
        self._inbox.done(waiting.number, note or None)

    def _put_back(self, waiting: Waiting, reason: str, final: bool) -> None:
        if final and waiting.attempts + 1 >= ATTEMPTS:
            self._inbox.fail(waiting.number, reason)
            log.error(
                "event set aside; it is tried again every hour and at the next start",
                **self._named(waiting),
                reason=reason,
            )
            return
        if waiting.attempts == 0:
            log.warning(
                "event cannot take effect; trying again, the others go on",
                **self._named(waiting),
                reason=reason,
            )
        pause = pause_s(waiting.attempts, self._cap_s, first_s=1.0)
        self._inbox.postpone(waiting.number, reason, self._now_s() + pause)

    def _named(self, waiting: Waiting) -> dict[str, str]:
        """By which a person finds it: the event's id and, where it is known, the report's reference."""
        reference = self._inbox.reference_of(waiting.event)
        named = {"event_id": str(waiting.event["id"])}
        return named if reference is None else {**named, "reference": reference}
