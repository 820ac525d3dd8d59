"""An endpoint that answers 500 for an hour, by a turned clock: what waited comes in order once it is back,
within the longest time between two probes; the neighbour's webhooks never wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hub.delivery.settings import DeliverySettings
from tests.delivery.delivery_world import AGENCIES, DeliveryWorld, delivery_world
from tests.delivery.receiver import Received, Receiver

KOTIM, PUPR = AGENCIES
MINUTES = 60
BACK_WITHIN_S = DeliverySettings().probe_ceilings_s[-1]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DeliveryWorld]:
    async with delivery_world(tmp_path) as made:
        yield made


@pytest.fixture
async def endpoints() -> AsyncIterator[tuple[Receiver, Receiver]]:
    """The one that fails, and a neighbour's."""
    async with AsyncExitStack() as stack:
        both = Receiver(), Receiver()
        for one in both:
            await one.start()
            stack.push_async_callback(one.stop)
        yield both


async def test_nothing_is_lost_and_the_order_is_kept(
    world: DeliveryWorld, endpoints: tuple[Receiver, Receiver]
) -> None:
    failing, healthy = endpoints
    await world.desk.put(KOTIM, failing.url, ["*"], None)
    await world.desk.put(PUPR, healthy.url, ["*"], None)
    await world.start()
    failing.behave = lambda received: 500
    for minute in range(MINUTES):
        case = await world.submit(KOTIM)
        await world.more_about(case, KOTIM)
        await world.submit(PUPR)
        await world.turn(60)
        assert len(healthy.accepted()) == minute + 1, "the neighbour waited"
    assert failing.accepted() == []
    assert len(failing.received) < MINUTES, "it is probed, not flooded"
    failing.behave = lambda received: 204
    await world.turn(BACK_WITHIN_S)
    await world.turn(1)
    _assert_whole_and_in_order(failing.received)
    assert await world.rows("pending", "dead") == []


def _assert_whole_and_in_order(received: list[Received]) -> None:
    taken = [one.event for one in received if one.answered == 204]
    assert len({event["id"] for event in taken}) == len(taken) == 2 * MINUTES
    last: dict[str, str] = {}
    for event in taken:
        assert event["sequence"] > last.get(event["subject"], "")
        last[event["subject"]] = event["sequence"]
