"""Where asyncio meets the database to write: the process's one writer thread, which takes batches.
`readers.py` reads; files go through `asyncio.to_thread` (`files.py`), Kafka has threads of its own
(`hub/bus/kafka/`)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import structlog

from hub.errors import Held, Internal, StoreUnavailable, Unavailable
from hub.ports.bus import Committed
from hub.service.batch import BatchRunner
from hub.service.requests import Request, Result

T = TypeVar("T")
log = structlog.get_logger(__name__)

BATCH: Final = 256
BULK_CHUNK: Final = 64
QUEUE: Final = 4096
"""Requests that may wait; beyond it a caller gets 503 rather than an ever longer wait."""
BULK_SHARE: Final = 4
"""The bulk lane holds a quarter of that, so that imports never shut out who waits for an answer."""
PATIENCE: Final = 8
"""After so many batches without room for it, a bulk chunk goes first, so that an import ends."""
JOBS: Final = 1024
JOBS_AT_ONCE: Final = 16
STOP_S: Final = 10.0
"""So long the end of the hub waits for what its threads have begun."""

FAILED: Final = "The hub failed and does not know whether this was stored; send it again the same way."
DEFERRED_S: Final = 5.0
"""So long a request waits for a case that other processes hold; then its caller is told to try again."""


class Waiting(NamedTuple):
    """Requests, where their results are awaited, and whether they are bulk. `since`: when they were first put
    off because another process held their case; None if they were not."""

    requests: Sequence[Request]
    future: asyncio.Future[list[Result]]
    bulk: bool
    since: float | None = None


class Writer:
    """The process's one writer. Requests wait in two bounded lanes, interactive before bulk, and go in
    batches of whatever waits, at most 256; none waits when the writer is idle."""

    def __init__(
        self, runner: BatchRunner, committed: Callable[[Sequence[Committed]], None], queue: int = QUEUE
    ) -> None:
        self._runner = runner
        self._committed = committed
        self._interactive: deque[Waiting] = deque()
        self._bulk: deque[Waiting] = deque()
        self._jobs: deque[tuple[Callable[[], object], asyncio.Future[object]]] = deque()
        self._waiting = {False: 0, True: 0}
        self._limits = {False: queue, True: max(BULK_CHUNK, queue // BULK_SHARE)}
        self._passed_over = 0
        self.ran: Callable[[int, float], None] = lambda size, seconds: None
        """Told, on the writer's thread, of each batch: its size and its seconds."""
        self.refused: Callable[[str], None] = lambda cause: None
        """Told, on the writer's thread, why the database did not take a job's write."""
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """What waits is still written; then the thread ends. One that has not ended in STOP_S is told of in
        the log: the store is closed under it."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, STOP_S)
            if self._thread.is_alive():
                log.error("writer_not_ended", after_s=STOP_S, waiting=self.waiting)

    @property
    def waiting(self) -> int:
        """Requests that are queued or under way."""
        return sum(self._waiting.values())

    def submit(self, requests: Sequence[Request], *, bulk: bool = False) -> asyncio.Future[list[Result]]:
        """A future of a result a request. At most BATCH requests at once: more would never fit."""
        if len(requests) > BATCH:
            raise ValueError(f"{len(requests)} requests at once; at most {BATCH} fit into a batch")
        if self._loop is None or self._stopping:
            raise Unavailable("The hub is starting or stopping; try again in a moment.", retry_after_s=2)
        if self._waiting[bulk] + len(requests) > self._limits[bulk]:
            raise Unavailable("The hub has too much to do; try again in a moment.", retry_after_s=1)
        self._waiting[bulk] += len(requests)
        future: asyncio.Future[list[Result]] = self._loop.create_future()
        (self._bulk if bulk else self._interactive).append(Waiting(requests, future, bulk))
        self._wake.set()
        return future

    async def run(self, job: Callable[[], T]) -> T:
        """Runs a write that is no command (cursors, delivery rows) on the writer's thread."""
        if self._loop is None or self._stopping:
            raise Unavailable("The hub is starting or stopping; try again in a moment.", retry_after_s=2)
        if len(self._jobs) >= JOBS:
            raise Unavailable("The hub has too much to do; try again in a moment.", retry_after_s=1)
        future: asyncio.Future[object] = self._loop.create_future()
        self._jobs.append((job, future))
        self._wake.set()
        return await future  # type: ignore[return-value]  # the queue is untyped

    def _work(self) -> None:
        """Ends only when it is told to. Whatever else fails here, the hub has no other writer."""
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._interactive or self._bulk or self._jobs:
                try:
                    self._run_jobs()
                    self._run_batch()
                except Exception as error:
                    _report("writer_stumbled", error)
            if self._stopping and not self._wake.is_set():
                return

    def _run_batch(self) -> None:
        """Whoever waits is answered first; only then the batch is logged and measured."""
        taken = self._take()
        if not taken:
            return
        batch = [request for waiting in taken for request in waiting.requests]
        crash: BaseException | None = None
        started = time.perf_counter()
        try:
            results, commits = self._runner.run(batch)
        except BaseException as error:  # the runner answers for each request; this is its own end
            crash = error
            results, commits = [Unavailable(FAILED, retry_after_s=5)] * len(batch), []
        self._call(self._deliver, taken, results, commits)
        if crash is not None:
            _report("batch_crashed", crash, size=len(batch))
        self.ran(len(batch), time.perf_counter() - started)

    def _take(self) -> list[Waiting]:
        """Interactive ones first, then one bulk chunk if there is room: who comes next need not wait for a
        long import."""
        taken: list[Waiting] = []
        if self._bulk and self._passed_over >= PATIENCE:
            taken.append(self._bulk.popleft())
        room = BATCH - sum(len(waiting.requests) for waiting in taken)
        while self._interactive and len(self._interactive[0].requests) <= room:
            taken.append(self._interactive.popleft())
            room -= len(taken[-1].requests)
        if self._bulk and not (taken and taken[0].bulk) and len(self._bulk[0].requests) <= room:
            taken.append(self._bulk.popleft())
        served = any(waiting.bulk for waiting in taken)
        self._passed_over = 0 if served or not self._bulk else self._passed_over + 1
        return taken

    def _run_jobs(self) -> None:
        for _ in range(min(len(self._jobs), JOBS_AT_ONCE)):
            job, future = self._jobs.popleft()
            try:
                result = job()
            except Exception as error:
                self._call(_fail, future, error)
                if isinstance(error, StoreUnavailable):
                    self.refused(str(error))
            except BaseException as error:
                self._call(_fail, future, Internal("The hub failed on this."))
                _report("job_crashed", error)
            else:
                self._call(_resolve, future, result)

    def _call(self, function: Callable[..., None], *args: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *args)

    def _deliver(
        self, taken: Sequence[Waiting], results: Sequence[Result], commits: Sequence[Committed]
    ) -> None:
        start = 0
        for waiting in taken:
            end = start + len(waiting.requests)
            self._waiting[waiting.bulk] -= len(waiting.requests)
            self._answer(waiting, list(results[start:end]))
            start = end
        if commits:
            self._committed(commits)

    def _answer(self, waiting: Waiting, results: list[Result]) -> None:
        """Whoever's case another process held goes to the front of the next batch, and its neighbours in the
        same call wait for it; those in other calls do not."""
        again = [place for place, result in enumerate(results) if isinstance(result, Held)]
        since = waiting.since or time.monotonic()
        late = time.monotonic() - since > DEFERRED_S
        if not again or waiting.future.done() or late or self._stopping:
            _resolve(waiting.future, results)
            return
        inner: asyncio.Future[list[Result]] = waiting.future.get_loop().create_future()
        inner.add_done_callback(lambda done: _merge(waiting.future, results, again, done.result()))
        deferred = Waiting([waiting.requests[place] for place in again], inner, waiting.bulk, since)
        self._waiting[waiting.bulk] += len(again)
        (self._bulk if waiting.bulk else self._interactive).appendleft(deferred)
        self._wake.set()


def _report(event: str, error: BaseException, **more: object) -> None:
    """To the log, which must not be what ends the writer."""
    with contextlib.suppress(Exception):
        log.error(event, exc_info=error, **more)


def _merge(
    future: asyncio.Future[list[Result]],
    results: list[Result],
    places: Sequence[int],
    later: Sequence[Result],
) -> None:
    for place, result in zip(places, later, strict=True):
        results[place] = result
    _resolve(future, results)


def _resolve(future: asyncio.Future[T], result: T) -> None:
    if not future.done():  # a caller that hung up has cancelled it
        future.set_result(result)


def _fail(future: asyncio.Future[object], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
