"""A wall clock that is set ahead or back neither hurries nor delays a webhook that waits, which is measured
by the monotonic clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.delivery.delivery_world import AGENCIES, DeliveryWorld, delivery_world
from tests.delivery.receiver import Receiver

KOTIM = AGENCIES[0]
HOUR_S = 3600.0
DOWN_AT = 5
"""So many subjects that fail, and the endpoint is paused."""
both_ways = pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])


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


async def _failing(world: DeliveryWorld, ministry: Receiver, subjects: int) -> None:
    """As many events failed, and the endpoint works again."""
    ministry.behave = lambda received: 500
    await world.desk.put(KOTIM, ministry.url, ["*"], None)
    await world.start()
    for _ in range(subjects):
        await world.submit()
    await world.settle()
    assert ministry.accepted() == []
    ministry.behave = lambda received: 204


def _set_wall_clock(world: DeliveryWorld, by_s: float) -> None:
    world.clock.moment += timedelta(seconds=by_s)


@both_ways
async def test_a_retry_comes_in_its_time(world: DeliveryWorld, ministry: Receiver, jump_s: float) -> None:
    await _failing(world, ministry, 1)
    _set_wall_clock(world, jump_s)
    await world.turn(5)
    assert ministry.accepted() == []
    await world.turn(6)
    assert len(ministry.accepted()) == 1


@both_ways
async def test_a_paused_endpoint_is_probed_in_time(
    world: DeliveryWorld, ministry: Receiver, jump_s: float
) -> None:
    await _failing(world, ministry, DOWN_AT)
    _set_wall_clock(world, jump_s)
    await world.turn(11)
    assert len(ministry.accepted()) == DOWN_AT


@both_ways
async def test_a_row_says_when_by_the_clock_that_was_set(
    world: DeliveryWorld, ministry: Receiver, jump_s: float
) -> None:
    await _failing(world, ministry, 0)
    ministry.behave = lambda received: 500
    _set_wall_clock(world, jump_s)
    await world.submit()
    await world.settle()
    (row,) = await world.rows("pending")
    now = world.clock.now().isoformat(timespec="seconds")[:19]
    later = (world.clock.now() + timedelta(seconds=11)).isoformat(timespec="seconds")[:19]
    assert now <= row["next_attempt_at"][:19] <= later


async def test_who_takes_over_after_the_clock_was_set_back_waits_no_longer_than_was_meant(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await _failing(world, ministry, 1)
    await world.stop()
    _set_wall_clock(world, -HOUR_S)
    await world.start()
    await world.turn(11)
    assert len(ministry.accepted()) == 1
