"""Connections that behave badly: bodies that stop, what is no HTTP, expectations; and HEAD."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import orjson
import pytest

from hub.api import bodies
from tests.api.checking import Reply
from tests.api.conftest import Caller, House


async def raw(house: House, sent: bytes) -> Reply:
    """What comes back for these bytes until the hub closes the connection."""
    address = urlsplit(house.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent)
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.read()
    writer.close()
    first, *lines = head.decode().split("\r\n")
    headers = {name.title(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    return Reply(int(first.split()[1]), headers, body)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"halo\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
        (b"POST /v1/complaints HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: foo\r\n\r\n", 417),
    ],
)
async def test_what_is_no_http_gets_a_problem(house: House, sent: bytes, status: int) -> None:
    reply = await raw(house, sent)
    assert reply.status == status, reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Server"] == "simpul"
    assert reply.json["status"] == status
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_continue_is_met(app: Caller) -> None:
    reply = await app.send(
        "POST", "/v1/submissions/missing", orjson.dumps({"references": ["A"]}), expect100=True
    )
    assert reply.status == 200


async def slowly(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    await asyncio.Event().wait()  # the rest never comes


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/v1/complaints", "application/json"),
        ("/v1/complaints/batch", "application/x-ndjson"),
        ("/v1/attachments", "text/plain"),
        ("/v1/webhook/secret", "application/json"),
    ],
)
async def test_a_body_that_stops_is_a_408(
    app: Caller, monkeypatch: pytest.MonkeyPatch, path: str, media: str
) -> None:
    monkeypatch.setattr(bodies, "WHOLE_S", 0.05)
    monkeypatch.setattr(bodies, "STALLED_S", 0.05)
    reply = await app.send("POST", path, data=slowly(b"{"), headers={"Content-Type": media})
    assert reply.status == 408, reply.text
    assert reply.headers["Connection"] == "close"


async def test_head_is_get_without_a_body(house: House, app: Caller) -> None:
    case = await app.submit()
    headers = {"Authorization": f"Bearer {app.token}"}
    for path in ("/healthz", "/openapi.json", "/v1/cases", f"/v1/cases/{case['id']}"):
        async with house.http.get(house.url + path, headers=headers) as got:
            length = len(await got.read())
        async with house.http.head(house.url + path, headers=headers) as response:
            assert (response.status, await response.read()) == (200, b"")
            assert response.headers["Content-Length"] == str(length)
            assert response.headers.get("ETag") == got.headers.get("ETag")
    async with house.http.head(house.url + "/v1/cases") as response:
        assert response.status == 401


async def test_a_parameter_that_nobody_takes_is_named(app: Caller) -> None:
    case = await app.submit()
    data = {"data": b"a;b\n", "headers": {"Content-Type": "text/csv"}}
    file = (await app.send("POST", "/v1/attachments", **data)).json["id"]
    await app.put("/v1/webhook", {"url": "https://93.184.216.34/simpul", "event_types": ["*"]})
    for path in (f"/v1/cases/{case['id']}", "/v1/agencies/bbws", f"/v1/attachments/{file}", "/v1/webhook"):
        reply = await app.get(f"{path}?aneh=1")
        assert (reply.status, reply.pointers) == (422, ["aneh"])
    assert (await app.get("/v1/agencies/tidak-ada?aneh=1")).status == 404
    assert (await app.get("/openapi.json?aneh=1")).status == 200
    assert (await app.get("/docs?aneh=1")).status == 200
