"""A batch's way into the bulk lane: prepared once, put in line in order, waiting while the queue is full."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from auth.principal import Principal
from hub.errors import Internal, Problem, Unavailable
from hub.service.hub import Hub
from hub.service.requests import Request, Result

FIRST_WAIT_S: Final = 0.02
LONGEST_WAIT_S: Final = 0.5


@dataclass(slots=True)
class Chunk:
    """Some lines on their way: what was refused beforehand stands in `results`, the rest is `written`."""

    results: list[Result]
    places: list[int] = field(default_factory=list)
    written: asyncio.Future[list[Result]] | None = None

    async def settled(self) -> list[Result]:
        """A result a line, in order, each durable."""
        if self.written is not None:
            for place, result in zip(self.places, await self.written, strict=True):
                self.results[place] = result
        return self.results


class BulkIntake:
    """One batch of one caller. `wait_s`: how long the whole batch may stand before a full queue."""

    def __init__(self, hub: Hub, principal: Principal, wait_s: float, monotonic: Callable[[], float]) -> None:
        self._hub = hub
        self._principal = principal
        self._left_s = wait_s
        self._monotonic = monotonic

    async def offer(self, documents: Sequence[Any | Problem]) -> Chunk:
        """At most BULK_CHUNK lines, in the queue when this returns; a Problem passes through in its place.
        When the queue stays full, the lines' results say so (503)."""
        chunk = Chunk([Internal("not reached")] * len(documents))
        requests: list[Request] = []
        for place, document in enumerate(documents):
            try:
                if isinstance(document, Problem):
                    raise document
                requests.append(await self._hub.desk.prepare_aside(self._principal, document))
                chunk.places.append(place)
            except Problem as refused:
                # Its traceback holds this frame, which holds the chunk, which would hold it: a circle.
                chunk.results[place] = refused.with_traceback(None)
        if requests:
            try:
                chunk.written = await self._queued(requests)
            except Unavailable as full:
                for place in chunk.places:
                    chunk.results[place] = full.with_traceback(None)
        return chunk

    async def _queued(self, requests: Sequence[Request]) -> asyncio.Future[list[Result]]:
        pause_s = FIRST_WAIT_S
        while True:
            try:
                return self._hub.writer.submit(requests, bulk=True)
            except Unavailable:
                if self._left_s <= 0:
                    raise
            wait_s = min(self._left_s, pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # jitter, no secret
            started = self._monotonic()
            await asyncio.sleep(wait_s)
            self._left_s -= max(wait_s, self._monotonic() - started)
            pause_s = min(2 * pause_s, LONGEST_WAIT_S)
