"""One open stream's place in its agency's mailbox: what waits to be sent on it, within bounds, and when it is
cut off. Pure asyncio: no socket, no clock of its own."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from hub.delivery.stream_pages import Entry, StreamPages
from hub.errors import SimpulError, StoreUnavailable
from hub.ports.streams import Subscriber

log = structlog.get_logger(__name__)
_chance: Final = random.Random()  # noqa: S311  # spreads, and keeps no secret

HEARTBEAT: Final = b":\n"
"""A comment. No empty line follows: nothing is dispatched by it."""
EARLY: Final = 0.2
"""Each stream's heartbeat comes up to so much early: a thousand that began together do not beat together."""
FRESH_S: Final = 5.0
"""What has waited longer is read again, since what an agency may see only gets tighter."""
STALLED_S: Final = 2.0
"""A client that has taken nothing for so long while its buffer ran over does not read."""

SLOW, TRIMMED, UNAVAILABLE, STOPPING, GONE = "slow", "trimmed", "unavailable", "stopping", "gone"


class Follower:
    """Implements `hub.ports.streams.Following`. Either live, then the agency's feed hands it what is new; or
    behind, then it reads pages of its own until it has reached the feed."""

    def __init__(
        self,
        subscriber: Subscriber,
        position: int,
        incarnation: str,
        *,
        reached: Callable[[], int],
        pages: StreamPages,
        monotonic: Callable[[], float],
        generation: Callable[[], int],
        buffer_bytes: int,
    ) -> None:
        """`reached`: up to where the feed has read. `generation`: the registry's."""
        self.subscriber = subscriber
        self.position = position
        self.incarnation = incarnation
        self.ended: str | None = None
        self.handed_out = 0
        """Events, for the metrics."""
        self._reached, self._pages = reached, pages
        self._monotonic, self._generation = monotonic, generation
        self._allowed_at = -1
        """The generation at which the subscriber was asked last."""
        self._buffer_bytes = buffer_bytes
        self._queue: list[Entry] = []
        self._queued_bytes = 0
        self._queued_at, self._queued_in = 0.0, -1
        """When the first of them came, and in which generation: an erasure raises that too."""
        self._behind = position < reached()
        self._until = subscriber.until
        self._woken = asyncio.Event()
        self._sent_at = monotonic()
        self._busy_since: float | None = self._sent_at
        """Since when it sends what it was given; None while it waits for more."""
        self._overran = False
        self._beats = False
        self._pulse = 1 - EARLY * _chance.random()

    async def next(self) -> bytes:
        self._sent_at = self._monotonic()
        self._busy_since, self._overran, self._beats = None, False, False
        while self.ended is None:
            if self._queue and not self._is_fresh():
                self._fall_behind()
            if self._queue or self._beats:
                if self._may_read():
                    return self._take()
            elif self._behind:
                await self._catch_up()
            else:
                self._woken.clear()
                await self._woken.wait()
        return b""

    def offer(self, entries: Sequence[Entry]) -> None:
        """What is new in the mailbox. More than the buffer holds is dropped, and read again when the client
        has taken what it was given."""
        if self._behind or self.ended is not None:
            return
        for entry in entries:
            if self._queue and self._queued_bytes + len(entry.wire) > self._buffer_bytes:
                self._fall_behind()
                self._overran = True
                break
            if not self._add(entry):
                break
        self._woken.set()

    def tick(self, now: float, wall: float, heartbeat_s: float, write_timeout_s: float) -> None:
        """Looks at what time does: a heartbeat, a token that expires, a client that does not read or left."""
        if self.subscriber.is_gone():
            self.end(GONE)
        elif self._busy_since is not None:
            if now - self._busy_since > (STALLED_S if self._overran else write_timeout_s):
                self.end(SLOW)
        elif now - self._sent_at >= heartbeat_s * self._pulse:
            self._beats = True
            self._woken.set()
        if wall >= self._until and self._may_read(asked_again=True):
            self._until = math.inf  # it was good beyond what was said; it is asked at each event anyway

    def ask(self) -> None:
        """Somebody's rights have changed; perhaps this one's."""
        self._may_read()

    def end(self, why: str) -> None:
        """A stream that is being written to is cut off: whatever waits in its connection is not to arrive."""
        if self.ended is not None:
            return
        self.ended = why
        self._queue.clear()
        self._woken.set()
        if self._busy_since is not None:
            self.subscriber.abort()

    def _may_read(self, *, asked_again: bool = False) -> bool:
        """Asking costs more than all else about an event: where nothing has changed, nothing is asked."""
        if self.ended is None and (why := self._why_not(asked_again)) is not None:
            self.end(why)
        return self.ended is None

    def _why_not(self, asked_again: bool) -> str | None:
        try:
            generation = self._generation()
            if generation == self._allowed_at and not (asked_again or self.subscriber.is_session):
                return None
            self._allowed_at = generation
            return self.subscriber.why_not()
        except StoreUnavailable:  # who may read is not known now
            return UNAVAILABLE

    def _take(self) -> bytes:
        self._busy_since = self._monotonic()
        if not self._queue:
            return HEARTBEAT
        taken, self._queue, self._queued_bytes = self._queue, [], 0
        self.position = taken[-1].position
        self.handed_out += len(taken)
        return taken[0].wire if len(taken) == 1 else b"".join([entry.wire for entry in taken])

    def _add(self, entry: Entry) -> bool:
        """False at a gap: what should come next was trimmed. The client hears so when it resumes."""
        seen = self._queue[-1].position if self._queue else self.position
        if entry.position <= seen:
            return True
        if entry.position != seen + 1:
            self.end(TRIMMED)
            return False
        if not self._queue:
            self._queued_at, self._queued_in = self._monotonic(), self._known_generation()
        self._queue.append(entry)
        self._queued_bytes += len(entry.wire)
        return True

    def _is_fresh(self) -> bool:
        return self._monotonic() - self._queued_at <= FRESH_S and self._queued_in == self._known_generation()

    def _known_generation(self) -> int:
        """-1 while the database is away: what waits is sent then, or ends with the stream."""
        try:
            return self._generation()
        except StoreUnavailable:
            return -1

    def _fall_behind(self) -> None:
        self._queue, self._queued_bytes, self._behind = [], 0, True

    async def _catch_up(self) -> None:
        begun = self._known_generation()
        try:
            page = await self._pages.old(self.subscriber.agency, self.position, begun)
        except SimpulError as error:
            log.warning("stream_cannot_read", cause=str(error))
            self.end(UNAVAILABLE)
            return
        if self.ended is not None or begun != self._known_generation():
            return  # still behind: it is read again
        reached = all(self._add(entry) for entry in page.entries)
        seen = self._queue[-1].position if self._queue else self.position
        self._behind = seen < self._reached()
        if reached and self._behind and not self._queue:
            self.end(TRIMMED)
