"""What deliveries left to be written: collected, and saved in one transaction a few times a second, rows and
the cursors that rest on them together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from hub.delivery.endpoint import Endpoint
from hub.delivery.saving import Saving
from hub.errors import SimpulError
from hub.ports.deliveries import DeliveryRow, Progress

log = structlog.get_logger(__name__)


class Unsaved:
    """Bounded by its user: `count` says how many were put since the last save (one that is put
    again counts again), and sending stops when they are too many."""

    def __init__(self, saving: Saving, interval_s: float, rows: int) -> None:
        self._saving_to = saving
        self._interval_s = interval_s
        self._rows_at_once = rows
        self._rows: dict[Endpoint, dict[int, DeliveryRow]] = {}
        self._full = asyncio.Event()
        self._something = asyncio.Event()
        self._saving = asyncio.Lock()
        self.count = 0

    def put(self, endpoint: Endpoint, row: DeliveryRow) -> None:
        """The row as it now stands; replaces one of that position that is not saved yet."""
        rows = self._rows.setdefault(endpoint, {})
        rows[row.position] = row
        self.count += 1
        self._something.set()
        if self.count >= self._rows_at_once:
            self._full.set()

    def moved(self, endpoint: Endpoint) -> None:
        """The cursor or the health changed, without a row."""
        self._rows.setdefault(endpoint, {})
        self._something.set()

    async def run(self, saved: Callable[[], None]) -> None:
        """Saves as long as the task lives; `saved` is told after each time."""
        while True:
            await self._something.wait()
            await _wait(self._full, self._interval_s)
            if not await self.save():
                await asyncio.sleep(1.0)  # the database is away; what waits is bounded
            saved()

    async def save(self) -> bool:
        """Writes what there is; False if the database did not take it: then it stays for the next time."""
        async with self._saving:
            taken, self._rows, count = self._rows, {}, self.count
            self.count = 0
            self._full.clear()
            self._something.clear()
            progress = [_progress(endpoint, rows) for endpoint, rows in taken.items() if not endpoint.closed]
            if not progress:
                return True
            try:
                await self._saving_to.save(progress)
            except SimpulError as error:
                log.warning("delivery_rows_wait", cause=str(error), rows=count)
                self._take_back(taken, count)
                return False
            except Exception:  # nothing that waits may be lost, and the saving must go on
                log.exception("delivery_rows_crashed", rows=count)
                self._take_back(taken, count)
                return False
            return True

    def _take_back(self, taken: dict[Endpoint, dict[int, DeliveryRow]], count: int) -> None:
        """Newer rows of the same position win over those that could not be saved."""
        newer, self._rows = self._rows, taken
        self.count += count
        for endpoint, rows in newer.items():
            self._rows.setdefault(endpoint, {}).update(rows)
        self._something.set()


def _progress(endpoint: Endpoint, rows: dict[int, DeliveryRow]) -> Progress:
    health = endpoint.health
    return Progress(
        agency=endpoint.agency,
        webhook_id=endpoint.webhook.id,
        generation=endpoint.webhook.generation,
        cursor=endpoint.lanes.cursor,
        active=not health.off,
        failures=health.failures,
        paused_until=endpoint.steady.moment(health.paused_until),
        cause=health.cause,
        rows=list(rows.values()),
    )


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):  # `wait_for` may swallow a cancel
            await event.wait()
    except TimeoutError:
        return
