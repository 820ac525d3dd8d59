"""What the hub looks for by itself, again and again, beside its clocks: open cases that wait for a
deactivated agency, and ended ones whose retention is over. What is found is an ordinary command, decided
again in its transaction, so that two processes at it at once, or one that was killed, do nothing twice and
forget nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import structlog

from hub.domain.case import Case, CaseState
from hub.domain.commands import EraseRetained, PassOn
from hub.domain.limits import Limits
from hub.domain.passing_on import waits_for
from hub.domain.plausible import goes_on, settled_by
from hub.domain.policies import CLASSIFICATIONS, Policy
from hub.domain.retention import Beside, ended_at, held_by, kept
from hub.errors import Held, Problem, SimpulError, StoreUnavailable, Unavailable
from hub.ports.store import ReadSession
from hub.service.readers import Readers
from hub.service.requests import BY_ITSELF, Request
from hub.service.writer import Writer

log = structlog.get_logger(__name__)

PAGE: Final = 64
"""Cases in hand at a time."""
CHUNK: Final = 16
"""Commands in one transaction: each may touch a case's every row."""
PASS_ON_EVERY_S: Final = 10.0
RETENTION_EVERY_S: Final = 600.0

WAITS: Final = (
    "Between what was recorded last before today and what the clock shows lies more than a week. If the "
    "clock is right, cases whose retention is over are erased once this hub has run for a day; else put it "
    "right."
)

Place = tuple[str, ...]
"""Where a walk has come to."""


class SweepPage(NamedTuple):
    """What is to be done of one page, and where the next one begins; None after the last."""

    commands: list[PassOn] | list[EraseRetained]
    after: Place | None


ReadPage = Callable[[ReadSession, Place | None], SweepPage]
"""Reads the page that begins there; the first one for None."""


class Sweep:
    """`begin` is called before each walk, on the event loop, and gives what reads its pages."""

    def __init__(
        self,
        name: str,
        begin: Callable[[], Awaitable[ReadPage]],
        readers: Readers,
        writer: Writer,
        every_s: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name, self._begin = name, begin
        self._readers, self._writer = readers, writer
        self._every_s, self._sleep = every_s, sleep

    async def forever(self) -> None:
        """Until it is cancelled. A walk that fails begins anew the next time."""
        while True:
            try:
                if count := await self.once():
                    log.info("swept", sweep=self._name, cases=count)
            except SimpulError as error:
                log.warning("sweep_waits", sweep=self._name, cause=str(error))
            await self._sleep(self._every_s)

    async def once(self) -> int:
        """One walk, page by page; how many cases it changed."""
        read_page, after, count = await self._begin(), None, 0
        while True:
            found = await self._readers.run(lambda session, at=after: read_page(session, at))  # type: ignore[misc]
            for start in range(0, len(found.commands), CHUNK):
                count += await self._do(found.commands[start : start + CHUNK])
            if found.after is None:
                return count
            after = found.after
            await self._sleep(0)

    async def _do(self, commands: Sequence[PassOn | EraseRetained]) -> int:
        results = await self._writer.submit([Request(BY_ITSELF, each) for each in commands], bulk=True)
        for command, result in zip(commands, results, strict=True):
            if isinstance(result, Problem) and not isinstance(result, Unavailable):
                log.error("not_swept", sweep=self._name, subject=command.case_id, cause=result.type_code)
        if all(isinstance(result, Unavailable) and not isinstance(result, Held) for result in results):
            raise StoreUnavailable("The database takes no writes now.")
        return sum(not isinstance(result, Problem) and not result.replayed for result in results)


def pages_of_deactivated(agencies: Sequence[str]) -> ReadPage:
    """The cases that wait for one of these agencies."""
    names = sorted(agencies)

    def page(session: ReadSession, after: Place | None) -> SweepPage:
        begun, last = after or ("", "")
        for agency in names:
            if agency < begun:
                continue
            cases = session.open_cases_of(agency, last if agency == begun else "", PAGE)
            if cases:
                waiting = [PassOn(c.state.id, agency) for c in cases if waits_for(c.state, agency)]
                return SweepPage(waiting, (agency, cases[-1].state.id))
        return SweepPage([], None)

    return page


def pages_of_retained(rows: Sequence[Policy], limits: Limits, now: str) -> ReadPage:
    """The cases whose retention is over, those that ended first before the others of their classification."""

    def page(session: ReadSession, after: Place | None) -> SweepPage:
        begun, *last = after or (CLASSIFICATIONS[0], "", "")
        for classification in CLASSIFICATIONS[CLASSIFICATIONS.index(begun) :]:
            behind = (last[0], last[1]) if classification == begun else ("", "")
            cases = session.ended_cases(classification, behind, PAGE)
            over = over_among(cases, rows, limits, now)
            if over:
                return SweepPage(_erasing(session, over), (classification, *_place(over[-1])))
        return SweepPage([], None)

    return page


def when_believed(read_page: ReadPage, now: str, by_itself: bool) -> ReadPage:
    """`read_page`, but nothing is erased while the wall clock cannot be believed: unless the log goes on to
    `now`, only once this process has run in step with it for a day (`by_itself`). It ends the walk and says
    so."""

    def careful(session: ReadSession, after: Place | None) -> SweepPage:
        found = read_page(session, after)
        if by_itself or not found.commands or goes_on(before := recorded_before(session, now), now):
            return found
        log.warning("retention_waits", cases=len(found.commands), present=now, recorded=before, cause=WAITS)
        return SweepPage([], None)

    return careful


def recorded_before(session: ReadSession, now: str) -> str | None:
    """The time of the last event ahead of those of the last day; None if there is none. Events are looked for
    where they stand in the log, not by their times: what a clock that was ahead once wrote has later ones."""
    today, newest = settled_by(now), session.last_position()

    def at(position: int) -> str:
        (event,) = session.events_after(position - 1, 1)
        return event.fact().time

    young, old, step = newest + 1, newest, 1
    while old > 0 and at(old) >= today:
        young, old, step = old, max(0, old - step), 2 * step
    while young - old > 1:
        middle = (young + old) // 2
        young, old = (middle, old) if at(middle) >= today else (young, middle)
    return at(old) if old else None


def over_among(cases: Sequence[Case], rows: Sequence[Policy], limits: Limits, now: str) -> list[Case]:
    """The first of the cases, in the order of their ends, whose time is over; whatever else keeps them."""
    found = []
    for case in cases:
        known = kept(case.state, rows, limits, now)
        if known is None or known.until >= now:
            break
        found.append(case)
    return found


def held(session: ReadSession, state: CaseState) -> str | None:
    """What keeps an ended case all the same, in words."""
    others = session.cases_named([each.case for each in state.links])
    threads = session.threads_named([room.thread for room in state.rooms])
    linked = {name: other.state for name, other in others.items()}
    return held_by(state, Beside(linked, {name: each.state for name, each in threads.items()}))


def _erasing(session: ReadSession, over: Sequence[Case]) -> list[EraseRetained]:
    return [EraseRetained(case.state.id) for case in over if held(session, case.state) is None]


def _place(case: Case) -> tuple[str, str]:
    return ended_at(case.state) or "", case.state.id
