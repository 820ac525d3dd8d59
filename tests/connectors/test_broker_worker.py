"""The thread beside the broker: whoever waits for it may be cancelled at any moment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from connectors.broker.worker import WAITING, Worker
from connectors.errors import BrokerAway


class Thing:
    def close(self) -> None:
        pass


@pytest.fixture
def worker() -> Iterator[Worker[Thing]]:
    made = Worker("percobaan", Thing)
    yield made
    if (thread := made.stop()) is not None:
        thread.join(5)


async def test_a_cancel_that_meets_the_result_is_not_swallowed(worker: Worker[Thing]) -> None:
    go_on, next_one = threading.Event(), threading.Event()
    task = asyncio.create_task(worker.run(lambda thing: go_on.wait(20), 20))
    after = asyncio.create_task(worker.run(lambda thing: next_one.set(), 20))
    await asyncio.sleep(0)
    go_on.set()
    assert next_one.wait(20)  # the result is on its way to the event loop, which stands still here
    asyncio.get_running_loop().call_soon(task.cancel)
    await asyncio.wait({task, after})
    assert task.cancelled()


async def test_a_job_that_says_timeout_speaks_of_itself(worker: Worker[Thing]) -> None:
    def late(thing: Thing) -> None:
        raise TimeoutError("the job's own")

    with pytest.raises(TimeoutError, match="the job's own"):
        await worker.run(late, 20)


async def test_leaving_meets_a_line_that_has_just_become_full(worker: Worker[Thing]) -> None:
    go_on, busy = threading.Event(), threading.Event()

    def hold(thing: Thing) -> None:
        busy.set()
        go_on.wait(20)

    calls = [asyncio.create_task(worker.run(hold, 20))]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(busy.wait, 20)
    calls += [asyncio.create_task(worker.run(hold, 20)) for _ in range(WAITING)]
    await asyncio.sleep(0)
    assert worker._life is not None
    worker._life._jobs.full = lambda: False  # type: ignore[method-assign]  # as it was a moment ago
    thread = worker.stop()
    go_on.set()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, BrokerAway) for one in ended) == WAITING
    assert thread is not None
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()
