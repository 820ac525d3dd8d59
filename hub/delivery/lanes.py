"""The order of one agency's deliveries: a lane a subject, one delivery of a lane at a time. Pure.

The rules: a lane's deliveries end one after the other in mailbox order; a lane whose head waits for a retry
keeps its later ones, as rows; the cursor passes a position only when it is settled: delivered, passed over,
or kept in a row. So whatever is lost with the process is read again from the cursor, and nothing is skipped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heappop, heappush
from typing import Final

APART: Final = "\0apart/"
"""Begins the lane name of a redelivery, which stands outside its subject's order."""


@dataclass(slots=True, eq=False)
class Parcel:
    """One event on its way. `body` is None where it must be read again before it is sent, `read_in` the
    generation of the registry in which it was read; `row_id` is set once it is kept as a row; `due` is in
    steady seconds (`Steady`); `probe` and `down` as the last attempt left them."""

    position: int
    event_id: str
    subject: str
    type: str
    body: bytes | None = None
    read_in: int = -1
    row_id: str | None = None
    created_at: str | None = None
    attempts: int = 0
    due: float = 0.0
    apart: bool = False
    probe: bool = False
    down: bool = False

    @property
    def lane(self) -> str:
        return f"{APART}{self.position}" if self.apart else self.subject


class Place(StrEnum):
    READY = "ready"
    BUSY = "busy"
    TIMED = "timed"


@dataclass(slots=True)
class Lane:
    queue: deque[Parcel] = field(default_factory=deque)
    place: Place = Place.READY


class Lanes:
    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self.read_to = cursor
        self.in_memory = 0
        """Parcels without a row."""
        self.in_rows = 0
        self.busy = 0
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[str] = deque()
        self._timers: list[tuple[float, int, str]] = []
        self._settled: set[int] = set()

    def restore(self, pending: Iterable[Parcel], settled: Iterable[int]) -> None:
        """Takes up where a process ended: rows by position, and finished positions beyond the cursor."""
        for parcel in pending:
            self._append(parcel)
            self._settle(parcel.position)
        for position in settled:
            self._settle(position)

    def knows(self, position: int) -> bool:
        """Whether a position that was read is settled already: after a restart it may be."""
        return position <= self.cursor or position in self._settled

    def pass_over(self, position: int) -> None:
        self.read_to = max(self.read_to, position)
        self._settle(position)

    def add(self, parcel: Parcel) -> bool:
        """A parcel read from the mailbox, in order of position. True if it must be kept as a row now,
        because its lane waits for a retry (`park` it then)."""
        self.read_to = max(self.read_to, parcel.position)
        lane = self._append(parcel)
        return lane.queue[0] is not parcel and lane.queue[0].row_id is not None

    def add_apart(self, parcel: Parcel) -> bool:
        """A redelivery; False if it is under way already."""
        parcel.apart = True
        if parcel.lane in self._lanes:
            return False
        self._append(parcel, first=True)
        return True

    def hasten(self, position: int, now: float) -> bool:
        """A retry asked for now; False if no lane waits with it."""
        for name, lane in self._lanes.items():
            if lane.place is Place.TIMED and lane.queue[0].position == position:
                self._retime(name, lane, now)
                return True
        return False

    def hasten_down(self, now: float) -> None:
        """The endpoint is back: whatever failed only because it was down may go."""
        for name, lane in self._lanes.items():
            if lane.place is Place.TIMED and lane.queue[0].down:
                self._retime(name, lane, now)

    def mark_down(self) -> None:
        """The endpoint is down, as it was before this process began."""
        for lane in self._lanes.values():
            lane.queue[0].down = True

    def take(self, now: float) -> Parcel | None:
        """The next parcel that may be sent, now under way; None if all wait."""
        self._release(now)
        if not self._ready:
            return None
        lane = self._lanes[self._ready.popleft()]
        lane.place = Place.BUSY
        self.busy += 1
        return lane.queue[0]

    def take_probe(self, now: float) -> Parcel | None:
        """Like `take`; where all wait for their time, the one that is due first."""
        parcel = self.take(now)
        if parcel is None and (due := self.next_due()) is not None:
            parcel = self.take(due)
        return parcel

    def finished(self, parcel: Parcel) -> None:
        """Delivered or dead: the lane goes on."""
        lane = self._lanes[parcel.lane]
        lane.queue.popleft()
        self._forget(parcel)
        self._settle(parcel.position)
        self.busy -= 1
        if lane.queue:
            self._make_ready(parcel.lane, lane)
        else:
            del self._lanes[parcel.lane]

    def retry_at(self, parcel: Parcel, due: float) -> list[Parcel]:
        """The parcel stays at the head of its lane until `due`. Gives those behind it that must be kept as
        rows now; the parcel itself is first where it has none."""
        lane = self._lanes[parcel.lane]
        parcel.due = due
        self.busy -= 1
        self._time(parcel.lane, lane)
        return [waiting for waiting in lane.queue if waiting.row_id is None]

    def park(self, parcel: Parcel, row_id: str) -> None:
        """The parcel has a row from now on; its body need not be held."""
        parcel.row_id, parcel.body = row_id, None
        self.in_memory -= 1
        self.in_rows += 1
        self._settle(parcel.position)

    def put_back(self, parcel: Parcel, due: float) -> None:
        """An attempt that the hub itself could not make: as if it had not begun, and not before `due`."""
        lane = self._lanes.get(parcel.lane)
        if lane is None or lane.place is not Place.BUSY or lane.queue[0] is not parcel:
            return
        parcel.due = due
        self.busy -= 1
        self._time(parcel.lane, lane)

    def next_due(self) -> float | None:
        """When the next waiting lane may go; None when none waits."""
        while self._timers and not self._is_timed(self._timers[0]):
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def is_empty(self) -> bool:
        return not self._lanes

    def drop_bodies(self) -> None:
        """While the endpoint is down nothing but positions is held."""
        for lane in self._lanes.values():
            for parcel in lane.queue:
                parcel.body = None

    def _append(self, parcel: Parcel, *, first: bool = False) -> Lane:
        if parcel.row_id is None:
            self.in_memory += 1
        else:
            self.in_rows += 1
        lane = self._lanes.get(parcel.lane)
        if lane is None:
            lane = self._lanes[parcel.lane] = Lane()
            lane.queue.append(parcel)
            if parcel.due > 0:
                self._time(parcel.lane, lane)
            else:
                self._make_ready(parcel.lane, lane, first=first)
        else:
            lane.queue.append(parcel)
        return lane

    def _forget(self, parcel: Parcel) -> None:
        if parcel.row_id is None:
            self.in_memory -= 1
        else:
            self.in_rows -= 1

    def _make_ready(self, name: str, lane: Lane, *, first: bool = False) -> None:
        lane.place = Place.READY
        if first:
            self._ready.appendleft(name)
        else:
            self._ready.append(name)

    def _time(self, name: str, lane: Lane) -> None:
        lane.place = Place.TIMED
        heappush(self._timers, (lane.queue[0].due, lane.queue[0].position, name))

    def _retime(self, name: str, lane: Lane, due: float) -> None:
        lane.queue[0].due = due
        self._time(name, lane)

    def _is_timed(self, timer: tuple[float, int, str]) -> bool:
        """Timers are not taken back; one that no longer fits its lane is passed over."""
        due, position, name = timer
        lane = self._lanes.get(name)
        return (
            lane is not None
            and lane.place is Place.TIMED
            and (lane.queue[0].due, lane.queue[0].position) == (due, position)
        )

    def _release(self, now: float) -> None:
        while (due := self.next_due()) is not None and due <= now:
            name = heappop(self._timers)[2]
            self._make_ready(name, self._lanes[name])

    def _settle(self, position: int) -> None:
        if position <= self.cursor:
            return
        self._settled.add(position)
        while self.cursor + 1 in self._settled:
            self.cursor += 1
            self._settled.discard(self.cursor)
        self.read_to = max(self.read_to, self.cursor)
