"""A webhook and an event that cannot be opened: it keeps its place, withheld, like everywhere else."""

from __future__ import annotations

from structlog.testing import capture_logs

from tests.delivery.delivery_world import AGENCIES, DeliveryWorld
from tests.delivery.receiver import Receiver
from tests.delivery.relaywork import RelayBench


async def test_an_altered_event_is_delivered_withheld(world: DeliveryWorld, ministry: Receiver) -> None:
    await world.desk.put(AGENCIES[0], ministry.url, ["*"], None)
    broken = await world.submit()
    RelayBench(world).alter()
    sound = await world.submit()
    with capture_logs() as lines:
        await world.start()
        ministry.behave = lambda received: 500
        await world.settle()
        ministry.behave = lambda received: 204
        await world.turn(600.0)  # read again, by itself
    assert {event["subject"]: event["data"].get("withheld") for event in ministry.accepted()} == {
        broken: True, sound: None,
    }  # fmt: skip
    assert [row["state"] for row in await world.rows()] == ["done", "done"]
    (told,) = [line for line in lines if line["event"] == "event_cannot_be_opened"]
    assert set(told) == {"event", "log_level", "event_id", "log_position", "cause"}
