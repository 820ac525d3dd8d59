"""Live streams of mailboxes: what is new is read and rendered once an agency and wake, and handed in memory
to all streams of that agency in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from hub.delivery.following import GONE, STOPPING, UNAVAILABLE, Follower
from hub.delivery.stream_metrics import StreamMetrics
from hub.delivery.stream_pages import State, StreamPages
from hub.delivery.stream_places import StreamPlaces
from hub.errors import Erased, SimpulError, StoreUnavailable, Unavailable
from hub.ports.clock import Clock
from hub.ports.streams import Following, Subscriber

log = structlog.get_logger(__name__)

TICK_S: Final = 0.25
"""So soon a revoked client's stream ends that has nothing to send; one that has ends before it is sent."""
AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """`buffer_bytes`: what may wait for one client. `most` streams in this process, `most_per_agency` of each
    agency in it."""

    heartbeat_s: float = 15.0
    write_timeout_s: float = 30.0
    buffer_bytes: int = 512 * 1024
    most: int = 2000
    most_per_agency: int = 200


class _Feed:
    """One agency's mailbox, read up to `position`."""

    __slots__ = ("agency", "behind", "followers", "position", "task")

    def __init__(self, agency: str, position: int) -> None:
        self.agency, self.position = agency, position
        self.followers: set[Follower] = set()
        self.behind = False
        self.task: asyncio.Task[None] | None = None


class LiveStreams:
    """Implements `hub.ports.streams.Streams`, for the event loop alone. `generation` is the registry's: when
    it grows, every stream is asked whether it may still be read. With an injected clock, `tick` does what the
    task of its own would do."""

    def __init__(
        self,
        pages: StreamPages,
        clock: Clock,
        settings: StreamSettings,
        metrics: StreamMetrics,
        generation: Callable[[], int],
    ) -> None:
        self._pages, self._clock, self._settings = pages, clock, settings
        self._metrics, self._generation = metrics, generation
        self._known_generation = -1
        self._feeds: dict[str, _Feed] = {}
        self._places = StreamPlaces(settings.most, settings.most_per_agency)
        self._watch: asyncio.Task[None] | None = None
        self._closing = False

    def told(self, agencies: Collection[str]) -> None:
        """These agencies have something new in their mailboxes (a `hub.ports.bus.Listener`)."""
        for agency in agencies:
            feed = self._feeds.get(agency)
            if feed is not None:
                self._read_on(feed)

    async def follow(self, subscriber: Subscriber, after: int | None) -> Follower:
        agency = subscriber.agency
        self._refuse_if_closing()
        self._places.take(subscriber)
        self._metrics.open(self._places.taken)
        try:
            state = await self._pages.state(agency)
            if after is not None and after < state.first - 1:
                raise Erased(
                    f"The mailbox starts at position {state.first} now; what came before is no longer kept.",
                    code="mailbox-trimmed",
                    extra={"first": state.first},
                )
            self._refuse_if_closing()
        except BaseException:
            self._release(subscriber)
            raise
        return self._joined(subscriber, after, state)

    def leave(self, following: Following) -> None:
        assert isinstance(following, Follower)
        following.end(GONE)
        agency = following.subscriber.agency
        feed = self._feeds[agency]
        feed.followers.discard(following)
        if not feed.followers:
            del self._feeds[agency]
            if feed.task is not None:
                feed.task.cancel()
        self._release(following.subscriber)
        self._metrics.ended(following.ended or GONE, following.handed_out)

    def tick(self) -> None:
        now, wall, settings = self._clock.monotonic(), self._clock.now().timestamp(), self._settings
        followers = self._followers()
        for follower in followers:
            follower.tick(now, wall, settings.heartbeat_s, settings.write_timeout_s)
        generation = self._generation()
        if generation != self._known_generation:
            self._known_generation = generation
            for follower in followers:
                follower.ask()

    async def close(self) -> None:
        self._closing = True
        for follower in self._followers():
            follower.end(STOPPING)
        tasks = [self._watch, *(feed.task for feed in self._feeds.values())]
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    # --- inside --------------------------------------------------------------------------------------------

    def _followers(self) -> list[Follower]:
        return [follower for feed in self._feeds.values() for follower in feed.followers]

    def _release(self, subscriber: Subscriber) -> None:
        self._places.give_back(subscriber)
        self._metrics.open(self._places.taken)

    def _refuse_if_closing(self) -> None:
        if self._closing:
            raise Unavailable("The hub is stopping; try again in a moment.", retry_after_s=2)

    def _joined(self, subscriber: Subscriber, after: int | None, state: State) -> Follower:
        feed = self._feeds.get(subscriber.agency)
        is_new = feed is None
        if feed is None:
            feed = self._feeds[subscriber.agency] = _Feed(subscriber.agency, state.head)
        joined = feed
        follower = Follower(
            subscriber,
            max(state.head, feed.position) if after is None else after,
            state.incarnation,
            reached=lambda: joined.position,
            pages=self._pages,
            monotonic=self._clock.monotonic,
            generation=self._generation,
            buffer_bytes=self._settings.buffer_bytes,
        )
        feed.followers.add(follower)
        if is_new:
            self._read_on(feed)  # for what came after `state` was read, of which nobody told this feed
        if self._watch is None:
            self._watch = asyncio.create_task(self._watching())
        return follower

    def _read_on(self, feed: _Feed) -> None:
        feed.behind = True
        if feed.task is None and not self._closing:
            feed.task = asyncio.create_task(self._reading(feed))

    async def _reading(self, feed: _Feed) -> None:
        try:
            while feed.behind:
                feed.behind = False
                await self._read_page(feed)
        except Exception:  # its streams must not go on without it
            log.exception("stream_feed_crashed", agency=feed.agency)
            for follower in tuple(feed.followers):
                follower.end(UNAVAILABLE)
        finally:
            feed.task = None

    async def _read_page(self, feed: _Feed) -> None:
        try:
            begun = self._generation()
            page = await self._pages.news(feed.agency, feed.position)
            erased = begun != self._generation()  # perhaps; so it is read again
        except SimpulError as error:
            log.warning("stream_feed_cannot_read", agency=feed.agency, cause=str(error))
            feed.behind = True
            await asyncio.sleep(AGAIN_S)
            return
        if erased:
            feed.behind = True
            return
        feed.behind = feed.behind or page.more
        if page.entries:
            feed.position = page.entries[-1].position
            for follower in tuple(feed.followers):
                follower.offer(page.entries)

    async def _watching(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            with suppress(StoreUnavailable):  # readiness tells of it; streams that send something end by it
                self.tick()
