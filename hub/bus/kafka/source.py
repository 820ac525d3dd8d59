"""Reads topics as a member of a group, from the offsets that the hub itself keeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from hub.bus.kafka import clients
from hub.bus.kafka.directory import TopicDescription, closed, look_up
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.reading import Reading, records_of
from hub.bus.kafka.standstill import Standstill, flaws_of
from hub.bus.kafka.threads import KafkaThread
from hub.ports.broker import BrokerAway, InBatch, NextOffsets, Notice, TopicClosed, Trouble

POLL_MS: Final = 500
SLICE_MS: Final = 100
REST_S: Final = 0.15
SPINS: Final = 0.4
"""More processor time than this share of a slice that found nothing, and the library is spinning."""
POLL_WITHIN_S: Final = 60.0
ANSWER_WITHIN_S: Final = 20.0
LOOK_EVERY_S: Final = 10.0
MAX_RECORDS: Final = 1024
"""Of one poll: whoever works through more keeps its group waiting, when it is to share anew; with fewer, the
reader stands idle more often while the last of them are written."""


class KafkaSource:
    """Implements `hub.ports.broker.Source`. `next_offsets` is asked at every assignment; at most
    `max_records` come with one poll."""

    def __init__(
        self,
        endpoint: BrokerListener,
        group: str,
        next_offsets: NextOffsets,
        max_records: int = MAX_RECORDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._group = group
        self._next_offsets = next_offsets
        self._max_records = max_records
        self._clock = clock
        self._topics: frozenset[str] = frozenset()
        self._told: dict[str, TopicClosed] = {}
        self._notices: list[Notice] = []
        self._standstill = Standstill(clock)
        self._under_way: asyncio.Task[InBatch] | None = None
        self._thread: KafkaThread[Reading] = KafkaThread(f"reader {group}", self._connect, Reading.close)

    @property
    def away(self) -> str | None:
        return self._thread.away or self._standstill.cause

    async def start(self) -> None:
        await self._thread.start()

    def subscribe(self, topics: Collection[str]) -> None:
        self._topics = frozenset(topics)

    async def poll(self) -> InBatch:
        """A caller that gives up loses nothing: the next one gets the batch that was under way."""
        if self._under_way is None:
            job = self._thread.run(self._poll, POLL_WITHIN_S)
            self._under_way = asyncio.create_task(job)
        waited = self._under_way
        try:
            return await asyncio.shield(waited)
        finally:
            if waited.done() and self._under_way is waited:
                self._under_way = None

    async def stop(self) -> None:
        await self._thread.stop()
        if self._under_way is not None:
            await asyncio.gather(self._under_way, return_exceptions=True)
            self._under_way = None

    # --- on the thread ------------------------------------------------------------------------------------

    def _connect(self) -> Reading:
        consumer = clients.consumer(self._endpoint, self._group, max_poll_records=self._max_records)
        try:
            return Reading(consumer, clients.admin(self._endpoint))
        except BaseException:
            clients.close_consumer(consumer)
            raise

    def _poll(self, held: Reading) -> InBatch:
        """Raises only while it holds no records: what the library gave out it will not give again."""
        self._look(held)
        held.find_forgotten()
        self._place(held)
        found = self._records(held)
        if found:
            self._standstill.moved()
        else:
            self._place(held)
            self._watch(held)
        notices, self._notices = tuple(self._notices), []
        return InBatch(records_of(found, held.topic_ids), *held.changes(), notices)

    def _records(self, held: Reading) -> Mapping[Any, Collection[Any]]:
        """The library's poll spins while a heartbeat is overdue, as beside a hanging coordinator: then most
        of the time is slept here instead."""
        until = time.monotonic() + POLL_MS / 1000
        while (left := until - time.monotonic()) > 0:
            used, began = time.thread_time(), time.monotonic()
            slice_ms = min(SLICE_MS, max(1, int(left * 1000)))
            held.consumer.go_on_joining()
            found: Mapping[Any, Collection[Any]] = held.consumer.poll(
                timeout_ms=slice_ms, max_records=self._max_records
            )
            if found or held.unplaced:
                return found
            if time.thread_time() - used > SPINS * (time.monotonic() - began):
                time.sleep(min(REST_S, max(0.0, until - time.monotonic())))
        return {}

    def _watch(self, held: Reading) -> None:
        """A reader that stands still is replaced, as one whose connection failed."""
        if not self._standstill.is_due():
            return
        if why := self._standstill.judge(flaws_of(held, self._group)):
            self._notices.append(Notice(Trouble.STOOD_STILL, ", ".join(sorted(held.readable)), -1, why))
            raise BrokerAway(why)

    def _look(self, held: Reading) -> None:
        """Whether each topic is there and may be read: at every change of the set, and from time to time.
        It is also how one hears that the broker is away: reading alone would say nothing, for ever."""
        if held.wanted == self._topics and self._clock() < held.look_at:
            return
        wanted = self._topics
        topics = look_up(held.admin, wanted)
        held.subscribe({name for name, found in topics.items() if closed(found, "READ") is None})
        held.wanted, held.look_at = wanted, self._clock() + LOOK_EVERY_S
        held.renewed(topics)
        self._tell(topics)

    def _tell(self, topics: Mapping[str, TopicDescription]) -> None:
        """Each trouble once, when it begins."""
        now = {name: shut for name, found in topics.items() if (shut := closed(found, "READ"))}
        for name, (trouble, why) in sorted(now.items()):
            if self._told.get(name) is not trouble:
                self._notices.append(Notice(trouble, name, -1, why))
        self._told = {name: trouble for name, (trouble, _) in now.items()}

    def _place(self, held: Reading) -> None:
        """Seeks in what was just assigned. Until that has worked nothing of it is read."""
        if parts := frozenset(held.unplaced):
            answer = self._thread.ask(lambda: self._next_offsets(parts), ANSWER_WITHIN_S)
            self._notices += held.place(parts, answer)
