"""Starts attempts: whose turn it is, how many at once, and when to look again. Every agency with a webhook
has an `Endpoint`; free places go round among those that have something to send."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine
from heapq import heappop, heappush
from typing import Any, Final

import structlog

from hub.delivery.courier import Courier
from hub.delivery.endpoint import Endpoint
from hub.delivery.lanes import Parcel
from hub.delivery.pages import Pages
from hub.delivery.settings import OWN_FAILURE_WAIT_S, DeliverySettings
from hub.delivery.steady import Steady
from hub.delivery.unsaved import Unsaved
from hub.errors import SimpulError
from hub.ports.clock import Clock, rfc3339

log = structlog.get_logger(__name__)

STARTS_A_STEP: Final = 32
"""Attempts that may begin in one step of the event loop, about 2 ms of it: who waits for an answer of the hub
waits for no more than that, however many endpoints have something to get."""


class Dispatcher:
    """Lives on the event loop; every method but `drain` returns at once. With an injected clock, `tick` does
    what the loop's timer would do."""

    def __init__(
        self,
        courier: Courier,
        pages: Pages,
        unsaved: Unsaved,
        clock: Clock,
        steady: Steady,
        settings: DeliverySettings,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_send` is asked before each attempt: False once another process may deliver."""
        self._may_send = may_send
        self.endpoints: dict[str, Endpoint] = {}
        self._courier = courier
        self._pages = pages
        self._unsaved = unsaved
        self._clock, self._steady = clock, steady
        self._settings = settings
        self._turns: deque[Endpoint] = deque()
        self._due: list[tuple[float, str]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._attempts: set[asyncio.Task[None]] = set()
        self._reads: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._started = 0

    @property
    def in_flight(self) -> int:
        return len(self._attempts)

    def told(self, agencies: Collection[str]) -> None:
        """These agencies have something new in their mailboxes (a `hub.ports.bus.Listener`)."""
        for agency in agencies:
            endpoint = self.endpoints.get(agency)
            if endpoint is not None:
                endpoint.behind = True
                self._queue(endpoint)
        self.give_turns()

    def take_up(self, endpoint: Endpoint) -> None:
        """A new or changed endpoint, or one with something to do."""
        self.endpoints[endpoint.agency] = endpoint
        self._queue(endpoint)
        self.give_turns()

    def drop(self, agency: str) -> None:
        endpoint = self.endpoints.pop(agency, None)
        if endpoint is not None:
            endpoint.closed = True

    def tick(self) -> None:
        """Looks at every endpoint whose time has come."""
        now = self._now()
        while self._due and self._due[0][0] <= now:
            due, agency = heappop(self._due)
            endpoint = self.endpoints.get(agency)
            if endpoint is not None and endpoint.armed == due:
                endpoint.armed = None
                self._queue(endpoint)
        self.give_turns()
        self._set_timer()

    def give_turns(self) -> None:
        """One parcel of each endpoint in turn, as long as there are free places."""
        now = self._now()
        while self._turns and self._has_room():
            endpoint = self._turns.popleft()
            parcel = endpoint.next(now)
            if parcel is None:
                endpoint.queued = False
                self._look_further(endpoint)
            else:
                self._turns.append(endpoint)
                self._count_start()
                self._spawn(self._attempts, self._attempt(endpoint, parcel))

    async def drain(self, timeout_s: float) -> None:
        """Starts nothing more; waits for what is under way, and cancels it when the time is over. What is
        cancelled is sent again at the next start, under the same id."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        under_way = self._attempts | self._reads
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def settle(self) -> None:
        """Waits until nothing is under way and all is saved."""
        while True:
            under_way = self._attempts | self._reads
            if under_way:
                await asyncio.wait(under_way)
            await self._unsaved.save()  # it waits for one that is under way, too
            self.give_turns()
            if not (self._attempts or self._reads or self._unsaved.count):
                return

    async def _attempt(self, endpoint: Endpoint, parcel: Parcel) -> None:
        """One parcel after the other of this endpoint, for as long as there is room for everybody."""
        following: Parcel | None = parcel
        try:
            while following is not None:
                parcel = following
                try:
                    await self._courier.deliver(endpoint, parcel)
                except Exception:
                    log.exception("delivery_crashed", agency=endpoint.agency, position=parcel.position)
                    self._courier.postpone(endpoint, parcel)
                following = self._following(endpoint)
        finally:
            self._queue(endpoint)

    def _following(self, endpoint: Endpoint) -> Parcel | None:
        """To go on in the same step of the event loop spares a delivery two more, each of which is long while
        the hub has much to take in. Who goes on holds no place that somebody else waits for."""
        if not self._has_room():
            return None
        parcel = endpoint.next(self._now())
        if parcel is not None:
            self._count_start()
        self._read_on(endpoint)
        return parcel

    def _count_start(self) -> None:
        if self._started == 0:
            asyncio.get_running_loop().call_soon(self._step)
        self._started += 1

    def _step(self) -> None:
        """The event loop has been round once: who had to wait for that goes on."""
        waiting, self._started = self._started >= STARTS_A_STEP, 0
        if waiting:
            self.give_turns()

    async def _read(self, endpoint: Endpoint) -> None:
        """The next page of the agency's mailbox into its lanes."""
        endpoint.behind = False  # whatever comes from here on sets it again
        lanes, now = endpoint.lanes, rfc3339(self._clock.now())
        limit = self._settings.window - lanes.in_memory
        try:
            entries = await self._pages.read(endpoint.agency, lanes.read_to, limit, endpoint.types, now)
        except SimpulError as error:
            log.warning("mailbox_not_read", agency=endpoint.agency, cause=str(error))
            self._arm(endpoint, self._now() + OWN_FAILURE_WAIT_S)
            return
        finally:
            endpoint.reading = False
        endpoint.behind = endpoint.behind or len(entries) == limit
        for position, parcel in entries:
            self._enter(endpoint, position, parcel, now)
        self._queue(endpoint)
        self.give_turns()

    def _enter(self, endpoint: Endpoint, position: int, parcel: Parcel | None, now: str) -> None:
        lanes = endpoint.lanes
        while lanes.read_to + 1 < position:  # trimmed at the front, by policy
            lanes.pass_over(lanes.read_to + 1)
        if parcel is None or lanes.knows(position):
            lanes.pass_over(position)
            self._unsaved.moved(endpoint)
        elif lanes.add(parcel):
            self._courier.keep(endpoint, parcel, now)

    def _look_further(self, endpoint: Endpoint) -> None:
        """It has nothing to send now: read on, and know when to look again."""
        self._read_on(endpoint)
        due = endpoint.next_due()
        if due is not None:
            self._arm(endpoint, due)

    def _read_on(self, endpoint: Endpoint) -> None:
        if endpoint.wants_page():
            endpoint.reading = True
            self._spawn(self._reads, self._read(endpoint))

    def _arm(self, endpoint: Endpoint, due: float) -> None:
        if endpoint.armed is None or due < endpoint.armed:
            endpoint.armed = due
            heappush(self._due, (due, endpoint.agency))
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due and not self._stopping:
            delay = max(self._due[0][0] - self._now(), 0.001)
            self._timer = asyncio.get_running_loop().call_later(delay, self.tick)

    def _queue(self, endpoint: Endpoint) -> None:
        if not endpoint.queued and not endpoint.closed:
            endpoint.queued = True
            self._turns.append(endpoint)

    def _has_room(self) -> bool:
        return (
            not self._stopping
            and self._may_send()
            and self._started < STARTS_A_STEP
            and len(self._attempts) < self._settings.in_flight
            and self._unsaved.count < self._settings.unsaved_rows
        )

    def _spawn(self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._attempts.discard(task)
        self._reads.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery_task_crashed", exc_info=error)
        self.give_turns()

    def _now(self) -> float:
        return self._steady.now()
