"""A consultation asked and answered by records of agencies' own topics: the same acts as by HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from hub.domain.commands import Advise, Consult, Escalate, Reply, Verify
from hub.ports.broker import InRecord
from hub.service.inbound import InboundDesk
from schemas.registry import Registry as Schemas
from tests.service.hubworld import KOTIM, PLN, HubWorld


def decode(record: InRecord) -> Mapping[str, Any]:
    event = orjson.loads(record.value or b"{}")
    return event | {"data": orjson.dumps(event["data"])}


def record(agency: str, offset: int, name: str, subject: str, body: dict[str, Any]) -> InRecord:
    event = {"id": f"e-{offset}", "type": f"id.simpul.command.{name}.v1", "subject": subject, "data": body}
    headers = (("content-type", b"application/cloudevents+json"),)
    return InRecord(f"simpul.inbound.{agency}", 0, offset, None, headers, orjson.dumps(event), 0)


async def test_asked_and_answered_by_topic(world: HubWorld) -> None:
    case_id = world.forwarded()[0]
    async with world.serving() as hub:
        desk = InboundDesk(hub, Schemas.load(), world.core.registry.agencies, decode, "simpul.")
        body = {"agency": PLN, "question": "Tiang ini aset Anda?"}
        asked = await desk.prepare(record(KOTIM, 1, "consultation", case_id, body))
        assert isinstance(asked.command, Consult)
        (outcome,) = await hub.writer.submit([asked])
        assert (outcome.status, outcome.kind, outcome.ids[0]) == (201, "consultation", case_id)
        told = await desk.prepare(record(PLN, 1, "verdict", outcome.ids[1], {"verdict": "ours"}))
        assert isinstance(told.command, Advise)
        (answered,) = await hub.writer.submit([told])
        assert (answered.status, answered.ids) == (200, outcome.ids)
        assert answered.case.state.consultations[0].verdict == "ours"


async def test_the_reporters_reply_and_the_escalation_by_topic(world: HubWorld) -> None:
    """The same rows as by HTTP: masked, in the source's name alone, and with the reporter's agreement."""
    case_id = world.submitted()
    world.do(world.request(Verify(case_id, "incomplete", "Nomor tiang?")))
    async with world.serving() as hub:
        desk = InboundDesk(hub, Schemas.load(), world.core.registry.agencies, decode, "simpul.")
        told = await desk.prepare(record(KOTIM, 1, "reply", case_id, {"text": "Marlina Tundan: tiang 14."}))
        assert isinstance(told.command, Reply)
        assert "Marlina" not in told.command.text
        other = await desk.prepare(record(PLN, 1, "reply", case_id, {"text": "Bukan kami."}))
        silent = await desk.prepare(record(KOTIM, 2, "escalation", case_id, {"reason": "Lama."}))
        agreed = {"reason": "Lama.", "reporter_agrees": True}
        early = await desk.prepare(record(KOTIM, 3, "escalation", case_id, agreed))
        assert isinstance(early.command, Escalate)
        results = await hub.writer.submit([told, other, silent, early])
    assert [result.status for result in results] == [200, 404, 422, 409]
    assert world.read(lambda s: s.case(case_id)).state.status == "submitted"
