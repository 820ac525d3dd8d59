"""Events from the spool to the agency, in order per subject: one that cannot take effect blocks no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from connectors.errors import (
    AnswerFirst,
    Away,
    ConnectorError,
    HubFailed,
    NotConfigured,
    NotNow,
    SystemAway,
    SystemBusy,
)
from connectors.inbox import ATTEMPTS, Inbox, Waiting
from connectors.pauses import FAILS_AT_ALL, FAILURES_IN_A_ROW, pause_s
from connectors.spool import Spool
from connectors.standing import Standing

log = structlog.get_logger("simpul-connector")
Handler = Callable[[dict[str, Any]], Awaitable[str]]
"""Makes one event take effect, once however often it is called; returns a note for a person, mostly empty.
Raises Away to stop everything for a while, HubFailed or another ConnectorError to hold back this subject
only; SystemAway for the one or the other, as several subjects tell (standing.py)."""


class Applier:
    """Takes the first waiting event of each subject in turn."""

    def __init__(
        self,
        spool: Spool,
        inbox: Inbox,
        handler: Handler,
        now_s: Callable[[], float],
        cap_s: float,
        standing: Standing | None = None,
    ) -> None:
        """`standing` is told by whoever calls the agency's system that it answered."""
        self._spool, self._inbox, self._handler = spool, inbox, handler
        self._now_s, self._cap_s, self._standing = now_s, cap_s, standing or Standing()
        self._refusals: Counter[int] = Counter()
        self._named: set[int] = set()

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
        """Those that failed before are no sign of a hub that fails at all. A system that asks to wait is left
        alone at once."""
        self._standing.next_round()
        failures = 0
        for place, waiting in enumerate(ready, 1):
            try:
                await self._apply(waiting)
            except HubFailed as failure:
                self._put_back(waiting, str(failure))
                failures += waiting.attempts == 0
            except (SystemAway, SystemBusy) as failure:
                whole = self._fails_as_a_whole(waiting, failure, ready[place:])
                if whole or isinstance(failure, SystemBusy):
                    raise
            else:
                failures = 0
            if failures == FAILURES_IN_A_ROW:
                raise NotNow(FAILS_AT_ALL)

    def _fails_as_a_whole(self, waiting: Waiting, failure: Away, later: Sequence[Waiting]) -> bool:
        """Also where it is the whole, another event is tried next: it may be this one after all."""
        whole = self._standing.failed(waiting.subject, (other.subject for other in later))
        self._put_back(waiting, str(failure), quietly=not self._standing.is_alone(waiting.subject))
        return whole

    async def _apply(self, waiting: Waiting) -> None:
        try:
            note = await self._handler(waiting.event)
        except Away:
            raise
        except (NotConfigured, AnswerFirst) as error:
            self._inbox.fail(waiting.number, str(error))
            self._ended(waiting)
            return
        except NotNow as error:
            self._put_back(waiting, str(error))
            return
        except ConnectorError as error:
            self._refused(waiting, str(error))
            return
        if note:
            log.warning("event took effect, but look at it", **self._name(waiting), note=note)
        self._inbox.done(waiting.number, note or None)
        self._ended(waiting)

    def _refused(self, waiting: Waiting, reason: str) -> None:
        """Only what is about the event itself counts towards setting it aside."""
        self._refusals[waiting.number] += 1
        if self._refusals[waiting.number] < ATTEMPTS:
            self._put_back(waiting, reason)
            return
        self._inbox.fail(waiting.number, reason)
        self._ended(waiting)
        log.error(
            "event set aside; it is tried again every hour and at the next start",
            **self._name(waiting),
            reason=reason,
        )

    def _put_back(self, waiting: Waiting, reason: str, quietly: bool = False) -> None:
        if not quietly and waiting.number not in self._named:
            self._named.add(waiting.number)
            log.warning(
                "event cannot take effect; trying again, the others go on",
                **self._name(waiting),
                reason=reason,
            )
        pause = pause_s(waiting.attempts, self._cap_s, first_s=1.0)
        self._inbox.postpone(waiting.number, reason, self._now_s() + pause)

    def _ended(self, waiting: Waiting) -> None:
        self._standing.settled(waiting.subject)
        self._refusals.pop(waiting.number, None)
        self._named.discard(waiting.number)

    def _name(self, waiting: Waiting) -> dict[str, str]:
        """By which a person finds it: the event's id and, where it is known, the report's reference."""
        reference = self._inbox.reference_of(waiting.event)
        named = {"event_id": str(waiting.event["id"])}
        return named if reference is None else {**named, "reference": reference}
