"""The meeting of asyncio and a blocking library: limits, replacement, pauses and the end."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from typing import NoReturn

import pytest

from hub.bus.kafka.threads import WAITING, KafkaThread
from hub.ports.broker import BrokerAway


class Things:
    """Stands for the library's objects: numbered, and it is known which were ended."""

    def __init__(self, failures: int = 0) -> None:
        self.numbers = itertools.count(1)
        self.failures = failures
        self.tries = 0
        self.ended: list[int] = []

    def make(self) -> int:
        self.tries += 1
        if self.tries <= self.failures:
            raise ConnectionRefusedError("nobody listens")
        return next(self.numbers)


async def started(things: Things) -> KafkaThread[int]:
    thread = KafkaThread("uji", things.make, things.ended.append)
    await thread.start()
    return thread


async def patiently(thread: KafkaThread[int]) -> int:
    deadline = time.monotonic() + 20
    while True:
        try:
            return await thread.run(lambda thing: thing, 5)
        except BrokerAway:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


async def test_it_connects_by_itself_and_says_why_it_is_away() -> None:
    things = Things(failures=2)
    thread = await started(things)
    while thread.away is None:
        await asyncio.sleep(0.01)
    assert "nobody listens" in thread.away
    assert await patiently(thread) == 1
    assert thread.away is None and things.tries == 3
    await thread.stop()
    assert things.ended == [1]


async def test_a_job_that_overstays_is_left_behind_and_tidies_up_when_it_wakes() -> None:
    things, wake = Things(), threading.Event()
    thread = await started(things)
    assert await patiently(thread) == 1
    queued = asyncio.create_task(_after(0.05, thread))
    with pytest.raises(BrokerAway, match=r"no answer within 0\.2 s"):
        await thread.run(lambda thing: wake.wait(20), 0.2)
    assert await patiently(thread) == 2
    assert things.ended == []
    wake.set()
    with pytest.raises(BrokerAway):
        await queued
    while things.ended != [1]:
        await asyncio.sleep(0.01)
    assert thread.away is None
    await thread.stop()


async def _after(delay_s: float, thread: KafkaThread[int]) -> int:
    await asyncio.sleep(delay_s)
    return await thread.run(lambda thing: thing, 10)


async def test_after_a_failure_of_the_library_its_object_is_replaced_after_a_pause() -> None:
    def fail(thing: int) -> NoReturn:
        raise ConnectionResetError("cut")

    things = Things()
    thread = await started(things)
    for _ in range(3):
        assert await patiently(thread) > 0
        with pytest.raises(BrokerAway, match="cut"):
            await thread.run(fail, 5)
        with pytest.raises(BrokerAway, match="cut"):  # not tried at once
            await thread.run(lambda thing: thing, 5)
    assert things.ended == [1, 2, 3]
    assert things.tries <= 4
    await thread.stop()


async def test_an_error_that_nobody_foresaw_comes_through_and_replaces_the_object() -> None:
    """It may have left the library's state half done."""
    thread = await started(things := Things())
    await patiently(thread)
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda thing: thing // 0, 5)
    assert await patiently(thread) == 2 and things.ended == [1]
    await thread.stop()


async def test_the_queue_is_bounded_and_a_stop_answers_everybody() -> None:
    thread, wake = await started(Things()), threading.Event()
    await patiently(thread)
    waiting = [asyncio.create_task(thread.run(lambda thing: wake.wait(30), 30)) for _ in range(WAITING + 1)]
    await asyncio.sleep(0.05)
    waiting += [asyncio.create_task(thread.run(lambda thing: True, 30)) for _ in range(3)]
    await asyncio.sleep(0)  # they ask before it stops
    begun = time.monotonic()
    await thread.stop()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert time.monotonic() - begun < 5
    wake.set()
    assert {type(answer) for answer in answers} == {BrokerAway}
    assert any("calls wait" in str(answer) for answer in answers)
    with pytest.raises(BrokerAway, match="stopping"):
        await thread.run(lambda thing: thing, 5)


async def test_a_job_may_ask_the_event_loop() -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 41

    thread = await started(Things())
    await patiently(thread)
    assert await thread.run(lambda thing: thing + thread.ask(answer, 5), 5) == 42
    await thread.stop()
