"""What could not be read at all on an inbound topic: one dead letter with its cause, and an answer."""

from __future__ import annotations

import pytest

from hub.bus.kafka.binding import received
from hub.ports.broker import Flaw, Headers, InRecord, Unread
from hub.service.inbound import InboundDesk
from hub.store.relaying import RelayTables
from schemas.registry import Registry as Schemas
from tests.service.hubworld import PUPR, HubWorld

TOPIC = f"simpul.inbound.{PUPR}"
WHY = f"{TOPIC}, partition 0, offsets 5 to 7: it is compressed with snappy."


@pytest.mark.parametrize(
    ("kind", "status"), [(Unread.CODEC, 415), (Unread.TOO_LARGE, 413), (Unread.BROKEN, 400)]
)
@pytest.mark.parametrize(
    ("headers", "correlation"), [((), f"{TOPIC}/0/7"), ((("correlation-id", b"K-1"),), "K-1")]
)
async def test_it_is_a_dead_letter_and_answered_and_its_place_is_kept(
    world: HubWorld, kind: Unread, status: int, headers: Headers, correlation: str
) -> None:
    record = InRecord(TOPIC, 0, 7, None, headers, None, 0, flaw=Flaw(kind, WHY))
    async with world.serving() as hub:
        agencies = world.core.registry.agencies
        desk = InboundDesk(hub, Schemas.load(), agencies, received, "simpul.")  # type: ignore[arg-type]
        request = await desk.prepare(record)
        (answer,) = world.run(request)
    assert (answer.status, str(answer)) == (status, WHY)
    assert request.origin is not None and request.origin.correlation == correlation
    (letter,) = RelayTables(world.core.store).unpublished_dead_letters(9)
    assert (letter.id, letter.agency) == (f"{TOPIC}/0/7", PUPR)
    assert letter.cause.endswith(WHY)
