"""The delivery room's fixtures: a hub without HTTP, and a ministry's endpoint."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvloop

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from hub.delivery.sender import Sender  # noqa: E402
from tests.delivery.delivery_world import DeliveryWorld, delivery_world  # noqa: E402
from tests.delivery.raw_endpoint import RawEndpoint, sender_of  # noqa: E402
from tests.delivery.receiver import Receiver  # noqa: E402
from tests.delivery.relaywork import RelayBench  # noqa: E402

ON_BOTH_LOOPS = ("test_hostile_endpoints.py", "test_kept_connections.py")
"""Transports are the event loop's own, and the hub runs on uvloop."""


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.name in ON_BOTH_LOOPS:
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DeliveryWorld]:
    async with delivery_world(tmp_path) as made:
        yield made


@pytest.fixture
def bench(world: DeliveryWorld) -> RelayBench:
    return RelayBench(world)


@pytest.fixture
async def ministry() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def endpoint() -> AsyncIterator[RawEndpoint]:
    made = RawEndpoint()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    made = sender_of()
    yield made
    made.close()
