"""What the desk makes of records that are the hub's trouble, or that crash it: none is answered with "try
again", and none holds up the others for ever."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from hub.bus.kafka.binding import received
from hub.errors import Unavailable
from hub.ports.broker import InRecord
from hub.ports.sealing import SealBroken
from hub.service.batch import CRASHED_CAUSE
from hub.service.inbound import InboundDesk
from hub.service.requests import Refuse
from hub.store.relaying import RelayTables
from schemas.registry import Registry as Schemas
from tests.service.hubworld import KOTIM, PUPR, HubWorld, complaint

TOPIC = f"simpul.inbound.{PUPR}"


def command(name: str, subject: str, body: object, topic: str = TOPIC) -> InRecord:
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"perintah-1"),
        ("ce_source", b"urn:uji"),
        ("ce_type", f"id.simpul.command.{name}.v1".encode()),
        ("ce_subject", subject.encode()),
        ("content-type", b"application/json"),
    )
    return InRecord(topic, 0, 7, None, headers, orjson.dumps(body), 0)


def _desk(hub: object, world: HubWorld) -> InboundDesk:
    return InboundDesk(hub, Schemas.load(), world.core.registry.agencies, received, "simpul.")  # type: ignore[arg-type]


async def test_a_hub_that_stops_answers_no_record(world: HubWorld) -> None:
    """A 503 is for who can ask again; a record's place would move beyond it."""
    _, leg = world.forwarded((PUPR, "lead"))
    async with world.serving() as hub:
        desk = _desk(hub, world)
        taken = command("progress", leg, {"text": "Tim di lokasi."})
        assert not isinstance((await desk.prepare(taken)).command, Refuse)
        hub.readers.close()
        with pytest.raises(Unavailable):
            await desk.prepare(taken)


async def test_a_record_about_an_altered_case_becomes_a_dead_letter(world: HubWorld) -> None:
    """Masking what the officer wrote opens the reporter's own values, and they cannot be opened."""
    case_id, leg = world.forwarded((PUPR, "lead"))
    world.sql("UPDATE identities SET sealed = zeroblob(60) WHERE case_id = ?", case_id)
    before = world.version(case_id)
    async with world.serving() as hub:
        desk, taken = _desk(hub, world), command("progress", leg, {"text": "Tim di lokasi."})
        with pytest.raises(SealBroken):
            await desk.prepare(taken)
        (answer,) = world.run(desk.crashed(taken))
    assert answer.status == 500
    (letter,) = RelayTables(world.core.store).unpublished_dead_letters(9)
    assert (letter.id, letter.agency, letter.cause) == (f"{TOPIC}/0/7", PUPR, CRASHED_CAUSE)
    assert letter.sha256, "by which a redrive knows the record"
    assert RelayTables(world.core.store).next_offsets([(TOPIC, 0)]) == {(TOPIC, 0): (8, "")}
    assert world.version(case_id) == before


async def test_places_of_a_topic_that_was_made_anew_are_others(world: HubWorld) -> None:
    """Its offsets begin again: what is known of the same ones of its predecessor is no reason to pass over
    anything."""
    broken = InRecord(TOPIC, 0, 7, None, (), b"rusak", 0)
    table = RelayTables(world.core.store)
    async with world.serving() as hub:
        desk = _desk(hub, world)
        for topic_id, offset in (("", 7), ("AAA", 8), ("BBB", 7), ("BBB", 6)):
            record = replace(broken, topic_id=topic_id, offset=offset)
            world.run(await desk.prepare(record))
    places = [f"{TOPIC}/0/7", f"{TOPIC}@AAA/0/8", f"{TOPIC}@BBB/0/7"]
    assert sorted(letter.id for letter in table.unpublished_dead_letters(9)) == places
    answers = [
        f"{answer.topic}/{answer.partition}/{answer.offset}" for answer in table.record_answers(PUPR, 9)
    ]
    assert sorted(answers) == places
    assert table.next_offsets([(TOPIC, 0)]) == {(TOPIC, 0): (8, "BBB")}


@pytest.mark.parametrize("name", ["content-type", "correlation-id", "ce_id"])
async def test_a_header_without_a_value_crashes_nothing(world: HubWorld, name: str) -> None:
    """Kafka allows it."""
    topic = f"simpul.inbound.{KOTIM}"
    headers = ((name, None),)
    taken = InRecord(topic, 0, 7, None, headers, orjson.dumps(complaint()), 0)  # type: ignore[arg-type]
    async with world.serving() as hub:
        request = await _desk(hub, world).prepare(taken)
    assert request.origin is not None
    assert request.origin.correlation == f"{topic}/0/7"
    assert isinstance(request.command, Refuse) == (name == "ce_id"), "an event without its attributes is none"
