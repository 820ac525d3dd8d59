"""Follows the agency's own topic: an event is durable in the spool, with its place, before it counts.

The mailbox's positions are contiguous and the topic's partitions are not in step, so events wait in memory
until every one before them is there. What the topic no longer holds (it keeps a day), or never held, is
fetched from the mailbox over HTTP. So each event is taken once, in the mailbox's order, and none is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog

from connectors.broker.events import REPLY_TYPE, NotAnEvent, Record, correlation_of, event_of, mark_of
from connectors.broker.tokens import TokenSource
from connectors.broker.topics import Batch, Reading
from connectors.broker.troubles import TokenNotTaken
from connectors.broker.worker import Worker
from connectors.inbox import Inbox
from connectors.mailbox import MailboxReader
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")
POLL_MS: Final = 500
POLL_WITHIN_S: Final = 40.0
GRACE_S: Final = 1.0
"""So long an event may be late against others of other partitions."""
HELD_AT_MOST: Final = 5000
QUIET_S: Final = 30.0
"""After so long without an event the mailbox is asked whether there should be one."""
FIRST_LOOK_S: Final = 3.0
PLACES: Final = "topic_places"


@dataclass(frozen=True)
class _Held:
    partition: int
    offset: int
    event: dict[str, Any]


class TopicReader:
    """`mailbox` keeps position and incarnation in the spool; this reads and moves the same ones."""

    def __init__(
        self,
        worker: Worker[Reading],
        tokens: TokenSource,
        spool: Spool,
        inbox: Inbox,
        mailbox: MailboxReader,
        wanted: Callable[[Mapping[str, Any]], bool],
        topic: str,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker, self._tokens, self._spool, self._inbox = worker, tokens, spool, inbox
        self._mailbox, self._wanted, self._topic, self._now_s = mailbox, wanted, topic, now_s
        self._held: dict[int, _Held] = {}
        self._next: dict[int, int] = {}
        self._stale: set[str] = set()
        self._anew = True
        self._gap: tuple[int, float] | None = None
        self._filling = False
        self._turn = asyncio.Lock()
        self._incarnation = ""
        self._seen = (self._position(), now_s() - QUIET_S + FIRST_LOOK_S)
        self.on_reply: Callable[[str, Any], None] = lambda correlation, reply: None
        self.on_broker: Callable[[], None] = lambda: None

    async def step(self) -> bool:
        """One poll of the topic, and one page of the mailbox where something is missing."""
        batch = await self._poll() if len(self._held) < HELD_AT_MOST else None
        async with self._turn:
            try:
                if batch is not None:
                    await self._keep(batch)
                self._take()
                await self._fill()
            except BaseException:
                self._anew = True  # what was polled and not kept is read again
                raise
        return True

    async def compare(self) -> bool:
        """Tells the hub what took effect; after a silence, asks it whether the topic withheld something."""
        async with self._turn:
            position = self._position()
            if position != self._seen[0]:
                self._seen = (position, self._now_s())
            elif self._now_s() - self._seen[1] >= QUIET_S:
                more = await self._mailbox.page(0)
                self._trim()
                self._seen = (self._position(), self._seen[1] if more else self._now_s())
                return more
            await self._mailbox.acknowledge(position)
            return False

    # --- from the broker ----------------------------------------------------------------------------------

    async def _poll(self) -> Batch:
        await self._tokens.refresh()
        places, anew, self._anew = self._stored(), self._anew, True
        wait_ms = 0 if self._filling else POLL_MS
        try:
            batch = await self._worker.run(lambda reading: reading.poll(places, anew, wait_ms), POLL_WITHIN_S)
        except TokenNotTaken:
            self._tokens.refused()
            raise
        self._anew = False
        self.on_broker()
        return batch

    async def _keep(self, batch: Batch) -> None:
        if batch.fresh:
            self._held.clear()
            self._next = {}
        for record in batch.records:
            await self._sort(record)
            self._next[record.partition] = record.offset + 1

    async def _sort(self, record: Record) -> None:
        """A reply to whoever waits for it, an event to those that wait for their turn."""
        try:
            event = event_of(record)
        except NotAnEvent as error:
            self._pass_over(record, str(error))
            return
        if event["type"] == REPLY_TYPE:
            self.on_reply(correlation_of(record, event), event.get("data"))
            return
        mark = mark_of(record)
        if mark is None:
            self._pass_over(record, "it has no simpul-position")
        elif await self._is_current(mark[1]) and mark[0] > self._position():
            self._held[mark[0]] = _Held(record.partition, record.offset, event)

    async def _is_current(self, incarnation: str) -> bool:
        """An unknown incarnation means that the hub was restored, or that the record is older than that: the
        mailbox knows, and goes back to its start when it must."""
        if incarnation not in self._stale and incarnation != self._spool.get("incarnation"):
            await self._mailbox.learn_incarnation()
            self._trim()
            if incarnation != self._spool.get("incarnation"):
                self._stale.add(incarnation)
        return incarnation not in self._stale

    def _pass_over(self, record: Record, why: str) -> None:
        log.warning(
            "record passed over; if it was an event, it comes from the mailbox",
            partition=record.partition,
            offset=record.offset,
            reason=why,
        )

    # --- into the spool -----------------------------------------------------------------------------------

    def _take(self) -> None:
        """Whatever is contiguous, with the places up to which nothing waits any more, in one commit."""
        position = self._position()
        self._trim()
        ready: list[_Held] = []
        while position + len(ready) + 1 in self._held:
            ready.append(self._held.pop(position + len(ready) + 1))
        places = self._places()
        if not ready and places == self._stored():
            return
        with self._spool.transaction():
            for number, item in enumerate(ready, position + 1):
                self._inbox.take(item.event, self._wanted(item.event), number)
            if ready:
                self._spool.put("mailbox_position", str(position + len(ready)))
            self._spool.put(PLACES, orjson.dumps([self._topic, list(places.items())]).decode())
        if ready:
            self._mailbox.on_new()

    async def _fill(self) -> None:
        """What is missing before the first event that waits comes from the mailbox, a page at a time."""
        if not self._held:
            self._gap, self._filling = None, False
            return
        position, now_s = self._position(), self._now_s()
        if self._gap is None or (self._gap[0] != position and not self._filling):
            self._gap = (position, now_s)
        if not self._filling and now_s - self._gap[1] < GRACE_S and len(self._held) < HELD_AT_MOST:
            return
        if not self._filling:
            log.info("events that the topic does not hold are fetched over HTTP", after=position)
        more = await self._mailbox.page(0)
        self._take()
        self._filling = more and bool(self._held)

    def _trim(self) -> None:
        """Drops what was taken another way; of another incarnation all: its positions name other events."""
        incarnation = self._spool.get("incarnation")
        if incarnation != self._incarnation:
            self._incarnation = incarnation
            self._held.clear()
        position = self._position()
        for number in [number for number in self._held if number <= position]:
            del self._held[number]

    def _position(self) -> int:
        return int(self._spool.get("mailbox_position", "0"))

    def _places(self) -> dict[int, int]:
        """Where a reader that starts now must begin in each partition."""
        places = self._stored() | self._next
        for item in self._held.values():
            places[item.partition] = min(item.offset, places[item.partition])
        return places

    def _stored(self) -> dict[int, int]:
        return stored_places(self._spool.get(PLACES), self._topic)


def stored_places(stored: str, topic: str) -> dict[int, int]:
    """Partition -> offset, from what the spool holds under PLACES; another topic's count nothing."""
    name, places = orjson.loads(stored or '["", []]')
    return {int(part): int(offset) for part, offset in places} if name == topic else {}
