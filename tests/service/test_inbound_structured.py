"""A CloudEvent sent as one JSON object (structured mode) is judged as strictly as a body by HTTP, by the
bytes that its sender wrote."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from hub.bus.kafka.binding import received
from hub.errors import NotJson
from hub.ports.broker import InRecord
from hub.service import strict_json
from hub.service.inbound import InboundDesk
from hub.service.requests import Refuse, Request
from schemas.registry import Registry as Schemas
from tests.service.hubworld import KOTIM, HubWorld, complaint

BODY = orjson.dumps(complaint("K-1"))
TWICE = BODY[:-1] + b',"title":"yang kedua"}'
DEEP = b"[" * 300 + b"]" * 300
TYPES = ["application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8"]


def record(data: bytes, media_type: str = TYPES[0], more: bytes = b"") -> InRecord:
    event = (
        b'{"specversion":"1.0","id":"kirim-1","source":"/aplikasi","type":"id.simpul.command.complaint.v1",'
        b'%s"data":%s}' % (more, data)
    )
    headers = (("content-type", media_type.encode()),)
    return InRecord(f"simpul.inbound.{KOTIM}", 0, 7, None, headers, event, 0)


async def prepared(world: HubWorld, taken: InRecord) -> Request:
    async with world.serving() as hub:
        desk = InboundDesk(hub, Schemas.load(), world.core.registry.agencies, received, "simpul.")
        return await desk.prepare(taken)


@pytest.mark.parametrize("media_type", TYPES)
async def test_a_right_one_is_taken(world: HubWorld, media_type: str) -> None:
    """The names of media types have no case."""
    (answer,) = world.run(await prepared(world, record(BODY, media_type)))
    assert answer.status == 201


@pytest.mark.parametrize("data", [TWICE, DEEP, b"[" * 2000 + b"]" * 2000])
async def test_it_is_told_what_a_body_by_http_is_told(world: HubWorld, data: bytes) -> None:
    with pytest.raises(NotJson) as by_http:
        strict_json.parse(data)
    request = await prepared(world, record(data))
    assert isinstance(request.command, Refuse)
    refused = request.command.problem
    assert (refused.status, str(refused)) == (400, str(by_http.value))


async def test_a_member_of_the_event_itself_stands_once(world: HubWorld) -> None:
    """Of two ids nobody knows which was meant, and the event takes effect once by its id."""
    request = await prepared(world, record(BODY, more=b'"id":"kirim-2",'))
    assert isinstance(request.command, Refuse)
    assert "'id' stands twice" in str(request.command.problem)


async def test_a_large_one_is_too_large_before_anybody_parses_it(world: HubWorld) -> None:
    taken = record(BODY)
    request = await prepared(world, replace(taken, value=b" " * (1 << 20) + (taken.value or b"")))
    assert isinstance(request.command, Refuse)
    assert request.command.problem.status == 413
