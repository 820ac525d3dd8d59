"""The database's clock is set back an hour: a lease whose holder is gone must not keep its role from others
until that hour is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.service.leased import TTL_S
from hub.store.leases import LeaseTable
from tests.delivery.delivery_world import DeliveryWorld, delivery_world

HOUR_S = 3600.0
SLEWED_S = 0.2


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DeliveryWorld]:
    async with delivery_world(tmp_path) as made:
        yield made


def _set_clock_back(world: DeliveryWorld, by_s: float) -> None:
    """What was written before lies so much further ahead."""
    with world.store.writing() as connection:
        connection.execute("UPDATE leases SET until = until + ?", (by_s,))


async def test_a_lease_from_before_the_clock_was_set_back_is_taken_over(world: DeliveryWorld) -> None:
    leases = LeaseTable(world.store)
    gone = leases.acquire("relay", "a", TTL_S)
    _set_clock_back(world, HOUR_S)
    taken = leases.acquire("relay", "b", TTL_S)
    assert gone is not None and taken is not None and taken.token > gone.token
    assert taken.until < gone.until + HOUR_S
    assert leases.renew(gone, TTL_S) is None


async def test_a_clock_that_is_nudged_takes_no_lease_away(world: DeliveryWorld) -> None:
    leases = LeaseTable(world.store)
    held = leases.acquire("relay", "a", TTL_S)
    _set_clock_back(world, SLEWED_S)
    assert held is not None
    assert leases.acquire("relay", "b", TTL_S) is None
    assert leases.renew(held, TTL_S) is not None
