"""Events from the spool to the agency, in order per subject: one that cannot take effect blocks no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
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
from connectors.system_health import SystemHealth
from connectors.turns import BATCH, Turns

log = structlog.get_logger("simpul-connector")
Handler = Callable[[dict[str, Any]], Awaitable[str]]
"""Makes one event take effect, once however often it is called; returns a note for a person, mostly empty.
Raises Away to stop everything for a while, HubFailed or another ConnectorError to hold back this subject
only; SystemAway and SystemBusy for the one or the other, as several subjects tell (system_health.py)."""
LOOK_AGAIN_S = 0.5
"""How often it is seen, while others are at work, that the pause of one that failed is over."""


class Applier:
    """Hands over the first waiting event of several subjects at once (turns.py).

    All that is written into the spool about an event is written without an await after its handler ended: a
    cancelled one waits on, untouched."""

    def __init__(
        self,
        spool: Spool,
        inbox: Inbox,
        handler: Handler,
        now_s: Callable[[], float],
        cap_s: float,
        system_health: SystemHealth | None = None,
        at_once: int = 1,
    ) -> None:
        """`system_health` is told by whoever calls the agency's system that it answered; `at_once` subjects
        are handed over at the same time."""
        self._spool, self._inbox, self._handler = spool, inbox, handler
        self._now_s, self._cap_s, self._system_health = now_s, cap_s, system_health or SystemHealth()
        self._turns = Turns(inbox, now_s, self._system_health, at_once)
        self._at_work: dict[asyncio.Task[None], Waiting] = {}
        self._stop: BaseException | None = None
        self._failures = self._not_freed = 0
        self._refusals: Counter[int] = Counter()
        self._named: set[int] = set()
        self.woken = asyncio.Event()
        """Set by whoever put something into the inbox."""
        self.on_ended: Callable[[], None] = lambda: None
        """Called when an event took effect or was set aside."""

    async def step(self) -> bool:
        """As long as anything is ready or at work: a place that becomes free is filled at once. True when
        there was anything. Where all must wait no other is begun, and when those at work have ended it is
        raised."""
        self._stop, self._failures = None, 0
        any_begun = False
        try:
            while True:
                self.woken.clear()
                begun = self._begin()
                any_begun = any_begun or begun
                if not self._at_work:
                    break
                await self._something_ends()
        finally:
            await self._cancel()
            if self._not_freed:
                self._forget_freed()
        if self._stop is not None:
            raise self._stop
        return any_begun

    def _begin(self) -> bool:
        """Whether any was."""
        if isinstance(self._stop, SystemAway) and not self._system_health.is_whole:
            self._stop = None  # it took another's meanwhile: it is not the whole
        before = len(self._at_work)
        while self._stop is None and (waiting := self._turns.next(self._at_work.values())):
            task = asyncio.create_task(self._apply(waiting))
            task.add_done_callback(lambda _: self.woken.set())
            self._at_work[task] = waiting
        begun = len(self._at_work) > before
        if self._not_freed >= BATCH or (self._not_freed and not begun):
            self._forget_freed()
        return begun

    async def _something_ends(self) -> None:
        """Or comes, or may be tried again."""
        try:
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self.woken.wait()
        except TimeoutError:
            pass  # another's pause may be over
        for task in [task for task in self._at_work if task.done()]:
            del self._at_work[task]
            self._not_freed += 1
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is not None:
                self._stop_for(error)

    async def _cancel(self) -> None:
        tasks = [*self._at_work]
        self._at_work.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _forget_freed(self) -> None:
        self._not_freed = 0
        self._spool.forget_freed()

    def _stop_for(self, error: BaseException) -> None:
        """Of several what is no part's being away, then what asks to wait longest, then the first."""
        if self._stop is None or _weight(error) > _weight(self._stop):
            self._stop = error

    async def _apply(self, waiting: Waiting) -> None:
        """Raises what stops all. Those that failed before are no sign of a hub that fails at all."""
        answers = self._system_health.answers
        try:
            note = await self._handler(waiting.event)
        except HubFailed as failure:
            self._put_back(waiting, str(failure))
            self._failures += waiting.attempts == 0
            if self._failures >= FAILURES_IN_A_ROW:
                raise NotNow(FAILS_AT_ALL) from failure
            return
        except SystemBusy as failure:
            self._system_failed(waiting, failure, False)
            return
        except SystemAway as failure:
            self._system_failed(waiting, failure, self._system_health.answers > answers)
            return
        except Away:
            raise
        except (NotConfigured, AnswerFirst) as error:
            self._inbox.fail(waiting.number, str(error))
            self._ended(waiting)
        except NotNow as error:
            self._put_back(waiting, str(error))
        except ConnectorError as error:
            self._refused(waiting, str(error))
        else:
            self._took_effect(waiting, note)
        self._failures = 0

    def _took_effect(self, waiting: Waiting, note: str) -> None:
        if note:
            log.warning("event took effect, but look at it", **self._name(waiting), note=note)
        self._inbox.done(waiting.number, note or None)
        self._ended(waiting)

    def _system_failed(self, waiting: Waiting, failure: Away, took_others: bool) -> None:
        """Raises it where it is the whole. Then another event is tried next: it may be this one after all. A
        system that asks to wait is left alone at once, unless it asked that of this subject before and took
        others meanwhile: this one alone waits then."""
        known = took_others or (waiting.attempts > 0 and self._system_health.answers > 0)
        at_work = {other.subject for task, other in self._at_work.items() if not task.done()}
        whole = self._system_health.failed(waiting.subject, known, at_work - {waiting.subject}, self._turns)
        alone = self._system_health.is_alone(waiting.subject)
        self._put_back(waiting, str(failure), quietly=not alone, asked_s=failure.asked_s if alone else 0.0)
        if isinstance(failure, SystemBusy) and not alone:
            self._system_health.asks_to_wait()
            whole = True
        if whole:
            failure.until_woken = alone and isinstance(failure, SystemAway)
            raise failure

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

    def _put_back(self, waiting: Waiting, reason: str, quietly: bool = False, asked_s: float = 0.0) -> None:
        if not quietly and waiting.number not in self._named:
            self._named.add(waiting.number)
            log.warning(
                "event cannot take effect; trying again, the others go on",
                **self._name(waiting),
                reason=reason,
            )
        pause = max(pause_s(waiting.attempts, self._cap_s, first_s=1.0), asked_s)
        self._inbox.postpone(waiting.number, reason, self._now_s() + pause)

    def _ended(self, waiting: Waiting) -> None:
        self._system_health.settled(waiting.subject)
        self._refusals.pop(waiting.number, None)
        self._named.discard(waiting.number)
        self.on_ended()

    def _name(self, waiting: Waiting) -> dict[str, str]:
        """By which a person finds it: the event's id and, where it is known, the report's reference."""
        reference = self._inbox.reference_of(waiting.event)
        named = {"event_id": str(waiting.event["id"])}
        return named if reference is None else {**named, "reference": reference}


def _weight(error: BaseException) -> tuple[bool, float]:
    return not isinstance(error, Away), error.asked_s if isinstance(error, Away) else 0.0
