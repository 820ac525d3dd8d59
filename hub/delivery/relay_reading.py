"""The relay's reading: which lanes' turn it is, what they have next, and what is read ahead of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from hub.ports.broker import OutRecord
from hub.ports.relaying import Relayed
from hub.ports.sealing import SealingError

log = structlog.get_logger(__name__)

LOG: Final = "log"
"""The name of the log's own lane."""
PIECES: Final = 500
"""Records of one lane in one transaction of the broker, among many lanes."""
TOGETHER: Final = 3000
"""Records that a few lanes share. A transaction costs the same whatever it holds: with two lanes behind,
1,500 records of each went 1.5 times as fast as 500 (`make bench`, relay)."""
LANES_AT_ONCE: Final = 8
REFUSED_WAIT_S: Final = 5.0
FRESH_S: Final = 5.0
"""What was read ahead for longer is read again: what an agency may see only gets tighter."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A record and its place in its lane."""

    position: int
    record: OutRecord


class RelayLane(Protocol):
    """Something that is published in order. `name` is its cursor's."""

    @property
    def name(self) -> str: ...

    @property
    def by_position(self) -> bool:
        """Whether `pieces` goes by `after`: only then can it be read before what came first is noted."""
        ...

    async def pieces(self, after: int, limit: int) -> Sequence[Piece]:
        """The next ones beyond `after`, in order; fewer than `limit` when there are no more now. A lane whose
        rows go, or are marked, once they are published gives those that are left, whatever `after` says."""
        ...

    def settled(self, pieces: Sequence[Piece]) -> Relayed:
        """What the database is to note when these, the first ones, are published."""
        ...


LanesOf = Callable[[], Sequence[RelayLane]]
"""Every lane there is now; agencies come and go."""


@dataclass(slots=True, eq=False)
class LaneState:
    lane: RelayLane
    cursor: int
    """Up to here the broker has it."""
    more: bool = True
    not_before: float = 0.0
    unnoted: bool = False
    """What it gave is published, and its rows are still as they were."""

    def wait(self, until: float) -> None:
        self.more, self.not_before = True, until


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What a lane gave beyond `after`; `full` when it may have more."""

    state: LaneState
    after: int
    pieces: Sequence[Piece] = ()
    full: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What is published as one transaction."""

    pages: Sequence[Page]
    read_at: float

    def records(self) -> list[OutRecord]:
        return [piece.record for page in self.pages for piece in page.pieces]


class RelayReading:
    """The lanes and where they are. Lanes that are behind are read while what came first is published. One
    that is not is read when its turn comes: what it gets meanwhile goes along, not a transaction later."""

    def __init__(self, lanes: LanesOf, cursors: Mapping[str, int], monotonic: Callable[[], float]) -> None:
        self._lanes_of = lanes
        self._cursors = dict(cursors)
        self._monotonic = monotonic
        self._lanes: dict[str, LaneState] = {}
        self._ahead: asyncio.Task[Batch] | None = None

    def told(self, agencies: Collection[str]) -> None:
        """The log grew: for these, and the log itself."""
        names = {LOG, *(f"{kind}/{agency}" for agency in agencies for kind in ("mailbox", "replies"))}
        for name in names & self._lanes.keys():
            self._lanes[name].more = True

    def look(self) -> None:
        """Lanes that are new are taken up, those that are gone are dropped, all are asked again."""
        wanted = {lane.name: lane for lane in self._lanes_of()}
        for name in self._lanes.keys() - wanted.keys():
            self._cursors[name] = self._lanes.pop(name).cursor
        for name, lane in wanted.items():
            self._lanes.setdefault(name, LaneState(lane, self._cursors.get(name, 0))).more = True

    def cursor(self, name: str) -> int | None:
        """None where there is no such lane."""
        return self._lanes[name].cursor if name in self._lanes else None

    def has_more(self) -> bool:
        return bool(self._ready())

    async def next(self) -> Batch:
        """What was read ahead, if it still is what comes next; else what there is now."""
        if self._ahead is not None:
            task, self._ahead = self._ahead, None
            batch = await task
            age_s = self._monotonic() - batch.read_at
            good = [page for page in batch.pages if age_s <= FRESH_S and self._is_next(page)]
            self.give_back([page for page in batch.pages if page not in good])
            if good:
                return Batch(good, batch.read_at)
        return await self._read(self._turn(self._ready()), {})

    def read_ahead(self, batch: Batch) -> None:
        """Beside the publishing of `batch`, when that is not all there is: first whose turn was not now."""
        if not any(page.full for page in batch.pages):
            return
        reached = {page.state: page.pieces[-1].position for page in batch.pages if page.full}
        now = {page.state for page in batch.pages if page.pieces}
        waiting = [state for state in self._ready() if state not in now]
        behind = [state for state in self._ready() if state in reached and state.lane.by_position]
        chosen = self._turn([*waiting, *behind])
        if chosen:
            self._ahead = asyncio.create_task(self._read(chosen, reached), name="relay reads ahead")

    def give_back(self, pages: Sequence[Page]) -> None:
        """They were not published: their lanes are to be read again."""
        for page in pages:
            page.state.more = page.state.more or bool(page.pieces)

    async def end(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    def _ready(self) -> list[LaneState]:
        now = self._monotonic()
        return [s for s in self._lanes.values() if s.more and not s.unnoted and now >= s.not_before]

    def _turn(self, ready: Sequence[LaneState]) -> list[LaneState]:
        """The first of them; the others' turn comes next. Whoever tells of more from here on is heard."""
        chosen = list(ready[:LANES_AT_ONCE])
        for state in chosen:
            state.more = False
            self._lanes[state.lane.name] = self._lanes.pop(state.lane.name)
        return chosen

    def _is_next(self, page: Page) -> bool:
        """It was not published in part, given up, held up or dropped meanwhile."""
        state = page.state
        same = self._lanes.get(state.lane.name) is state and state.cursor == page.after
        return bool(page.pieces) and same and self._monotonic() >= state.not_before

    async def _read(self, chosen: Sequence[LaneState], reached: Mapping[LaneState, int]) -> Batch:
        limit, now = max(PIECES, TOGETHER // max(1, len(chosen))), self._monotonic()
        reads = [self._page(state, reached.get(state, state.cursor), limit) for state in chosen]
        found = await asyncio.gather(*reads, return_exceptions=True)
        for failed in found:
            if isinstance(failed, BaseException):
                for state in chosen:
                    state.more = True
                raise failed
        return Batch([page for page in found if isinstance(page, Page)], now)

    async def _page(self, state: LaneState, after: int, limit: int) -> Page:
        """What the lane has next. A key that is not there holds up its own lane alone."""
        try:
            pieces = await state.lane.pieces(after, limit)
        except SealingError as error:
            log.warning("lane_waits", lane=state.lane.name, cause=str(error))
            state.wait(self._monotonic() + REFUSED_WAIT_S)
            return Page(state, after)
        full = len(pieces) >= limit
        state.more = state.more or full
        return Page(state, after, pieces, full)
