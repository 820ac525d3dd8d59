"""Where asyncio meets kafka-python: a thread that makes, uses, replaces and ends its own library object.

Nobody waits for it without a limit: a thread that overstays is left behind, tidies up when it wakes, and
another takes its place."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Generic, Protocol, TypeVar

from connectors.errors import BrokerAway


class Closeable(Protocol):
    def close(self) -> None:
        """Ends it within a second or two; raises nothing."""


K = TypeVar("K", bound=Closeable)
T = TypeVar("T")
WAITING: Final = 16
"""Jobs that may wait."""


class Worker(Generic[K]):
    """Runs jobs over one object, one after the other. After a failure the object is not trusted again."""

    def __init__(self, name: str, make: Callable[[], K]) -> None:
        """`make` raises ConnectorError when there is no broker; it must be bounded in time."""
        self._name, self._make = name, make
        self._life: _Life[K] | None = None
        self._stopped = False

    async def run(self, job: Callable[[K], T], limit_s: float) -> T:
        """The job's result; BrokerAway when there is none within `limit_s`."""
        if self._stopped:
            raise BrokerAway(f"{self._name} is stopping")
        if self._life is None or self._life.left:
            self._life = _Life(self._name, self._make)
        life = self._life
        waited = asyncio.wrap_future(life.give(job))
        try:
            await asyncio.wait((waited,), timeout=limit_s)  # `wait_for` may swallow a cancel
            if waited.done():
                return waited.result()
        finally:
            waited.cancel()
        life.leave()
        raise BrokerAway(f"the broker gave no answer within {limit_s:g} s")

    def stop(self) -> threading.Thread | None:
        """Asks the thread to end, and gives it to be joined; one that hangs dies with the process."""
        self._stopped = True
        if self._life is None:
            return None
        self._life.leave()
        return self._life.thread


class _Life(Generic[K]):
    """One thread, its jobs and its object."""

    def __init__(self, name: str, make: Callable[[], K]) -> None:
        self._make = make
        self._jobs: queue.Queue[tuple[Callable[[K], Any], Future[Any]] | None] = queue.Queue(WAITING)
        self._thing: K | None = None
        self.left = False
        self.thread = threading.Thread(target=self._work, name=name, daemon=True)
        self.thread.start()

    def give(self, job: Callable[[K], T]) -> Future[T]:
        future: Future[T] = Future()
        try:
            self._jobs.put_nowait((job, future))
        except queue.Full:
            raise BrokerAway(f"{WAITING} calls wait for the broker already") from None
        return future

    def leave(self) -> None:
        """Ends after the job that is under way; whoever waits is told."""
        self.left = True
        try:
            self._jobs.put_nowait(None)  # wakes a thread that waits for a job
        except queue.Full:
            return  # one that has jobs looks at `left` after the next

    def _work(self) -> None:
        while not self.left:
            item = self._jobs.get()
            if item is not None:
                self._serve(*item)
        while not self._jobs.empty():
            item = self._jobs.get_nowait()
            if item is not None and item[1].set_running_or_notify_cancel():
                item[1].set_exception(BrokerAway("the connection was given up"))
        self._drop()

    def _serve(self, job: Callable[[K], Any], future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            if self._thing is None:
                self._thing = self._make()
            result = job(self._thing)
        except BaseException as error:
            self._drop()
            future.set_exception(error)
        else:
            future.set_result(result)

    def _drop(self) -> None:
        thing, self._thing = self._thing, None
        if thing is not None:
            thing.close()
