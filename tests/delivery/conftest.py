"""The delivery room's fixtures: a hub without HTTP, and a ministry's endpoint."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.delivery.delivery_world import DeliveryWorld, delivery_world  # noqa: E402
from tests.delivery.receiver import Receiver  # noqa: E402


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DeliveryWorld]:
    async with delivery_world(tmp_path) as made:
        yield made


@pytest.fixture
async def ministry() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()
