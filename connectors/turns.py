"""Whose turn it is: several subjects at once, of each the first waiting event, and never two of one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

import orjson

from connectors.events import ERASED, short_type
from connectors.inbox import Inbox, Waiting
from connectors.system_health import SystemHealth

BATCH = 100


class Turns:
    """New ones first, the oldest of them; those that were tried before have at most half of the places, and a
    turn after each batch of new ones, so that neither keeps the other from going on.

    While the system fails at some, it is by turns the oldest and the newest of the new ones, and neither end
    has more places than the other: bad ones in front do not hide that it takes others, nor hold them up.
    While it is down as a whole one at a time is tried; a new one need not wait for the trial of another."""

    def __init__(self, inbox: Inbox, now_s: Callable[[], float], health: SystemHealth, at_once: int) -> None:
        """`at_once`: so many subjects have a turn at the same time."""
        self._inbox, self._now_s, self._health = inbox, now_s, health
        self._at_once, self._for_tried = at_once, max(1, at_once // 2)
        self._new: deque[Waiting] = deque()
        self._tried: deque[Waiting] = deque()
        self._owes_tried = self._was_newest = False
        self._from_newest: set[int] = set()
        """The numbers of those at work that were begun as the newest."""

    def next(self, at_work: Collection[Waiting]) -> Waiting | None:
        """The one to begin now beside those `at_work`; None when no place is free, or nobody's turn."""
        if len(at_work) >= self._at_once:
            return None
        if not self._new:
            if self._owes_tried and (found := self._next_tried(at_work)):
                self._owes_tried = False
                return found
            self._look()
        return self._next_new(at_work) or self._next_tried(at_work)

    def subjects(self) -> set[str]:
        """Of which anything waits, its pause over or not."""
        return self._inbox.subjects()

    def ready_subjects(self) -> set[str]:
        """Some of those whose turn it may be now, and all if there are few."""
        now_s = self._now_s()
        ready = [*self._inbox.ready(now_s, BATCH, tried=False), *self._inbox.ready(now_s, BATCH, tried=True)]
        return {waiting.subject for waiting in ready}

    def _look(self) -> None:
        now_s = self._now_s()
        self._new = deque(self._inbox.ready(now_s, BATCH, tried=False))
        self._tried = deque(self._inbox.ready(now_s, BATCH, tried=True))
        self._owes_tried = bool(self._new)

    def _next_new(self, at_work: Collection[Waiting]) -> Waiting | None:
        if self._health.is_down and any(waiting.attempts == 0 for waiting in at_work):
            return None
        if self._health.fails_somewhere and self._is_for_newest(at_work):
            newest = self._newest(at_work)
            if newest is not None:
                self._from_newest.add(newest.number)
                return newest
        return _first(self._new, lambda found: self._may_go(found, at_work))

    def _is_for_newest(self, at_work: Collection[Waiting]) -> bool:
        new = {waiting.number for waiting in at_work if waiting.attempts == 0}
        self._from_newest &= new
        lead = len(new) - 2 * len(self._from_newest)
        self._was_newest = lead > 0 or (lead == 0 and not self._was_newest)
        return self._was_newest

    def _newest(self, at_work: Collection[Waiting]) -> Waiting | None:
        for found in self._inbox.ready(self._now_s(), len(at_work) + 1, tried=False, newest=True):
            if self._may_go(found, at_work):
                self._new = deque(other for other in self._new if other.number != found.number)
                return found
        return None

    def _next_tried(self, at_work: Collection[Waiting]) -> Waiting | None:
        if self._health.is_down and at_work:
            return None
        places = 1 if self._health.fails_at_known else self._for_tried
        if sum(waiting.attempts > 0 for waiting in at_work) >= places:
            return None
        return _first(self._tried, lambda found: self._may_go(found, at_work))

    def _may_go(self, found: Waiting, at_work: Collection[Waiting]) -> bool:
        """An erasure waits until words of its case that are on their way to the system, a thread's too, have
        arrived or not: what comes after it would be a copy."""
        is_erasure = short_type(found.event) == ERASED
        for other in at_work:
            if other.subject == found.subject or (is_erasure and _names(other, found.subject)):
                return False
        return self._inbox.waits(found.number)


def _first(queue: deque[Waiting], may_go: Callable[[Waiting], bool]) -> Waiting | None:
    while queue:
        if may_go(found := queue.popleft()):
            return found
    return None


def _names(waiting: Waiting, case_id: str) -> bool:
    return case_id.encode() in orjson.dumps(waiting.event.get("data"))
