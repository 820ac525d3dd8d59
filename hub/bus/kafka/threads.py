"""Where asyncio meets kafka-python: a thread that makes, uses, replaces and ends its own library objects.

The library blocks, and some of its calls do so for ever when a broker hangs. So nobody waits for it without
a limit: a thread that overstays is left behind (it tidies up by itself when it wakes), another takes its
place."""

from __future__ import annotations

import asyncio
import logging
import queue
import random
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import structlog

from hub.bus.kafka.errors import is_foreign, told
from hub.ports.broker import BrokerAway, BrokerRefused, ProducerFenced

K = TypeVar("K")
T = TypeVar("T")
log = structlog.get_logger(__name__)

WAITING: Final = 64
"""Jobs that may wait; beyond it callers are told that the broker is too slow."""
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 10.0
STOP_WITHIN_S: Final = 3.0

TOLD: Final = (BrokerAway, BrokerRefused, ProducerFenced)

Job = tuple[Callable[[Any], Any], "Future[Any]"]


@dataclass(slots=True, eq=False)
class _Life(Generic[K]):
    """One thread's jobs and its object. `left`: nobody waits for it any more."""

    jobs: queue.Queue[Job | None] = field(default_factory=lambda: queue.Queue(WAITING))
    thing: K | None = None
    left: bool = False
    thread: threading.Thread | None = None


class KafkaThread(Generic[K]):
    """Runs jobs over one library object, one after the other. `make` is tried again, with growing pauses,
    until it works; `end` closes an object, poisoned or not, and should raise nothing. Both must be bounded in
    time."""

    def __init__(self, name: str, make: Callable[[], K], end: Callable[[K], None]) -> None:
        self._name = name
        self._make = make
        self._end = end
        self._life: _Life[K] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None
        self._pause_s = FIRST_PAUSE_S
        self._try_at = 0.0
        self._job_failed = False
        self._answered: BaseException | None = None
        self.away: str | None = None
        self._stopping = False

    async def start(self) -> None:
        """Begins to connect; waits for nothing."""
        quiet()
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._stopping = False
        self._begin()

    async def run(self, job: Callable[[K], T], limit_s: float) -> T:
        """The job's result. BrokerAway when there is no connection, or no result within `limit_s`; what the
        library raises comes in the port's words, and its object is replaced."""
        if self._life is None or self._ended is None:
            raise BrokerAway(f"{self._name}: it is stopping")
        life, future = self._life, Future[T]()
        try:
            life.jobs.put_nowait((job, future))
        except queue.Full:
            raise BrokerAway(f"{self._name}: {WAITING} calls wait for the broker already") from None
        waited = asyncio.wrap_future(future)
        try:
            await asyncio.wait((waited, self._ended), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if waited.done():
                return waited.result()
        finally:
            waited.cancel()
        if self._ended.done():
            raise BrokerAway(f"{self._name}: it was stopped before the broker answered")
        why = f"{self._name}: the broker gave no answer within {limit_s:g} s"
        self._leave(life, why)
        raise BrokerAway(why)

    def ask(self, question: Callable[[], Awaitable[T]], limit_s: float) -> T:
        """For jobs: awaits something on the event loop, from the thread."""
        if self._loop is None or self._loop.is_closed():
            raise BrokerAway(f"{self._name}: it is stopping")

        async def awaited() -> T:
            return await question()

        answer = asyncio.run_coroutine_threadsafe(awaited(), self._loop)
        try:
            return answer.result(limit_s)
        except BaseException as error:
            answer.cancel()
            self._answered = error
            raise

    async def stop(self) -> None:
        """Ends the object and the thread within STOP_WITHIN_S, or leaves the thread behind."""
        self._stopping = True
        life, self._life = self._life, None
        if life is None or life.thread is None:
            return
        life.left = True
        _hurry(life.jobs)
        await asyncio.to_thread(life.thread.join, STOP_WITHIN_S)
        if life.thread.is_alive():
            log.warning("kafka_thread_left_behind", name=self._name)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    # --- the thread ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        life: _Life[K] = _Life()
        life.thread = threading.Thread(target=self._work, args=(life,), name=self._name, daemon=True)
        self._life = life
        life.thread.start()

    def _leave(self, life: _Life[K], why: str) -> None:
        if self._life is not life:
            return
        life.left = True
        _hurry(life.jobs)
        self._gone(why)
        self._begin()

    def _work(self, life: _Life[K]) -> None:
        try:
            while not life.left:
                try:
                    item = life.jobs.get(timeout=None if life.thing else self._until_next_try())
                except queue.Empty:
                    self._connect(life)
                    continue
                if item is None:
                    break
                self._serve(life, *item)
        finally:
            self._finish(life)

    def _serve(self, life: _Life[K], job: Callable[[K], T], future: Future[T]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        if life.thing is None and time.monotonic() >= self._try_at:
            self._connect(life)
        if life.thing is None:
            future.set_exception(BrokerAway(self.away or f"{self._name}: not connected yet"))
            return
        try:
            result = job(life.thing)
        except BaseException as error:
            future.set_exception(self._after_failure(life, error))
        else:
            if not life.left:
                self._well()
            future.set_result(result)

    def _after_failure(self, life: _Life[K], error: BaseException) -> BaseException:
        """After an error its object is not trusted again, unless it was the answer to a question of ours that
        failed; a new one is made after a pause: one that connects well and fails at every job must not become
        a storm of connections. An error that nobody foresaw may have left the library's state half done."""
        foreseen = is_foreign(error) or isinstance(error, TOLD)
        answered, self._answered = self._answered is error, None
        if answered and not foreseen:
            return error
        self._drop(life)
        if life.left:
            return BrokerAway(f"{self._name}: the connection was given up")
        said = told(error, self._name) if is_foreign(error) else error
        if not isinstance(said, ProducerFenced):
            self._job_failed = True
            self._gone(str(said))
            self._pause()
        return said

    def _connect(self, life: _Life[K]) -> None:
        """Tries once. The first failure is logged, and the return; not the tries in between."""
        try:
            life.thing = self._make()
        except Exception as error:
            if life.left:
                return
            self._gone(str(told(error, self._name)) if is_foreign(error) else str(error))
            self._pause()
            if not is_foreign(error) and not isinstance(error, TOLD):
                log.exception("kafka_connect_crashed", name=self._name)
            return
        if not life.left and not self._job_failed:
            self._well()

    def _well(self) -> None:
        self._pause_s, self._try_at, self._job_failed = FIRST_PAUSE_S, 0.0, False
        if self.away is not None:
            log.info("kafka_back", name=self._name)
            self.away = None

    def _pause(self) -> None:
        pause_s = self._pause_s * random.uniform(0.5, 1.0)  # noqa: S311  # jitter is no secret
        self._try_at = time.monotonic() + pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def _until_next_try(self) -> float:
        return max(0.0, self._try_at - time.monotonic())

    def _gone(self, why: str) -> None:
        if self.away is None and not self._stopping:
            log.warning("kafka_away", name=self._name, cause=why)
        self.away = why

    def _drop(self, life: _Life[K]) -> None:
        thing, life.thing = life.thing, None
        if thing is None:
            return
        try:
            self._end(thing)
        except Exception:  # else the thread would end, and its callers would wait for nothing
            log.exception("kafka_close_crashed", name=self._name)

    def _finish(self, life: _Life[K]) -> None:
        """Whoever still waits is told; nothing is left open."""
        life.left = True
        while True:
            try:
                item = life.jobs.get_nowait()
            except queue.Empty:
                break
            if item is not None and item[1].set_running_or_notify_cancel():
                item[1].set_exception(BrokerAway(f"{self._name}: the connection was given up"))
        self._drop(life)


def _hurry(jobs: queue.Queue[Job | None]) -> None:
    """Wakes a thread that waits for a job; one that has jobs looks at `left` after the next."""
    try:
        jobs.put_nowait(None)
    except queue.Full:
        return


def quiet() -> None:
    """The library logs each of its own attempts as errors; what matters is said here, once."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
