"""A header of which a request has one is there twice: nobody guesses which of them counts."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import orjson
import pytest
from multidict import CIMultiDict

from tests.accounts.conftest import officer
from tests.api.checking import Reply
from tests.api.conftest import House, complaint


async def sent(
    house: House, method: str, path: str, headers: list[tuple[str, str]], data: bytes = b""
) -> Reply:
    """As they are: aiohttp's own client would send one of two."""
    given = [("Host", "hub.test"), ("Content-Length", str(len(data))), ("Connection", "close"), *headers]
    head = "".join(f"{name}: {value}\r\n" for name, value in given)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(house.url.rpartition(":")[2]))
    writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data)
    async with asyncio.timeout(10):
        first, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status, *lines = first.decode().split("\r\n")
    told = CIMultiDict([tuple(line.split(": ", 1)) for line in lines])  # type: ignore[misc]
    reply = Reply(int(status.split()[1]), told, body)
    house.checker.check(method, path, reply)
    return reply


def refused(reply: Reply, name: str) -> None:
    assert reply.status == 400, reply.text
    assert reply.json["type"] == "urn:simpul:problem:header-twice"
    assert name in reply.json["detail"]


@pytest.mark.parametrize("case", [str.lower, str.title])
async def test_two_authorizations(house: House, case: Any) -> None:
    """Neither a good one beside a bad one, nor one of somebody else's, nor the same twice."""
    app, other = await house.caller("kab-kotim"), await house.caller("bbws")
    for second in ("Bearer x", f"Bearer {other.token}", f"Bearer {app.token}"):
        both = [("Authorization", f"Bearer {app.token}"), (case("authorization"), second)]
        refused(await sent(house, "GET", "/v1/cases", both), "Authorization")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Idempotency-Key", ("satu", "dua")),
        ("If-Match", ('"1"', '"2"')),
        ("If-Match", ("*", '"2"')),
        ("Content-Encoding", ("identity", "gzip")),
    ],
)
async def test_two_of_what_a_write_has_one_of(house: House, name: str, values: tuple[str, str]) -> None:
    app = await house.caller("kab-kotim")
    body = complaint("kab-kotim")
    headers = [("Authorization", f"Bearer {app.token}"), ("Content-Type", "application/json")]
    headers += [(name, value) for value in values]
    refused(await sent(house, "POST", "/v1/complaints", headers, orjson.dumps(body)), name)
    assert (await app.get("/v1/cases")).json["items"] == [], "nothing was taken"


async def test_two_positions_of_a_stream(house: House) -> None:
    app = await house.caller("kab-kotim")
    headers = [("Authorization", f"Bearer {app.token}"), ("Last-Event-ID", "1"), ("Last-Event-ID", "2")]
    refused(await sent(house, "GET", "/v1/stream", headers), "Last-Event-ID")


async def test_two_csrf_tokens(house: House) -> None:
    browser = await officer(house)
    (cookie,) = browser.cookies.items()
    headers = [("Cookie", "=".join(cookie)), ("X-CSRF-Token", str(browser.csrf)), ("X-CSRF-Token", "x")]
    refused(await sent(house, "DELETE", "/v1/session", headers), "X-CSRF-Token")


async def test_two_at_the_token_endpoint_are_its_own_error(house: House) -> None:
    client, secret = house.client("kab-kotim")
    basic = "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()
    form = "application/x-www-form-urlencoded"
    headers = [("Authorization", basic), ("Authorization", "Basic eDp5"), ("Content-Type", form)]
    reply = await sent(house, "POST", "/oauth/token", headers, b"grant_type=client_credentials")
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "twice",
    [
        b"Content-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n",
        b"Content-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 2\r\n",
        b"Content-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n",
    ],
)
@pytest.mark.parametrize("path", [b"/v1/complaints", b"/v1/session"])
async def test_two_of_what_frames_the_body(house: House, path: bytes, twice: bytes) -> None:
    app = await house.caller("kab-kotim")
    port = int(house.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    bearer = f"Authorization: Bearer {app.token}\r\n".encode()
    writer.write(b"POST " + path + b" HTTP/1.1\r\nHost: hub.test\r\n" + bearer + twice + b"\r\n{}")
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert head.split()[1] == b"400", head
    assert b"application/problem+json" in head


async def test_what_may_come_twice_still_may(house: House) -> None:
    app = await house.caller("kab-kotim")
    headers = [("Authorization", f"Bearer {app.token}"), ("Accept", "text/html"), ("Accept", "*/*")]
    headers += [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-For", "203.0.113.8")]
    assert (await sent(house, "GET", "/v1/cases", headers)).status == 200
