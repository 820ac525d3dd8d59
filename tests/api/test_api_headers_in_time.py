"""A connection whose request's headers never become complete is cut; one that is idle between
requests stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import orjson
import pytest

from hub.api import bodies, protocol
from tests.api.conftest import Caller, House

SHORT_S = 0.1
LONG_S = 30.0
PROBE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def rest(self) -> bytes:
        """All until the hub closes."""
        async with asyncio.timeout(5):
            return await self.reader.read()

    async def answer(self) -> int:
        async with asyncio.timeout(5):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await self.reader.readexactly(int(length.partition(b":")[2]))
        return int(head.split()[1])

    async def trickle(self, data: bytes) -> None:
        """One byte after the other, for longer than headers may take."""
        for byte in data:
            if self.writer.is_closing():
                return
            self.send(bytes([byte]))
            await asyncio.sleep(SHORT_S / 10)


@asynccontextmanager
async def connected(house: House) -> AsyncIterator[Wire]:
    address = urlsplit(house.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


def limit(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(protocol, "HEADERS_S", seconds)


def problem(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    found = orjson.loads(body)
    assert int(head.split()[1]) == found["status"]
    return found["status"], found["type"].rpartition(":")[2]


async def test_who_sends_nothing_is_cut(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, SHORT_S)
    async with connected(house) as wire:
        assert await wire.rest() == b""


@pytest.mark.parametrize("begun", [b"G", PROBE[:-2], PROBE[:-2] + b"X-Slow: a"])
async def test_who_stops_in_its_headers_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    limit(monkeypatch, SHORT_S)
    async with connected(house) as wire:
        wire.send(begun)
        assert problem(await wire.rest()) == (408, "request-headers-timeout")


async def test_a_byte_now_and_then_is_no_excuse(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, SHORT_S)
    async with connected(house) as wire, asyncio.TaskGroup() as group:
        trickling = group.create_task(wire.trickle(PROBE[:-2] + b"X-Slow: " + b"a" * 100))
        assert problem(await wire.rest())[0] == 408
        trickling.cancel()


async def test_so_for_each_further_request(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its own first byte on."""
    limit(monkeypatch, LONG_S)
    async with connected(house) as wire:
        wire.send(PROBE)
        assert await wire.answer() == 200
        limit(monkeypatch, SHORT_S)
        wire.send(PROBE[:20])
        assert problem(await wire.rest())[0] == 408


async def test_a_request_in_pieces_is_in_time_again_and_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is a request's, not the connection's."""
    limit(monkeypatch, 0.5)
    async with connected(house) as wire:
        for _ in range(3):
            wire.send(PROBE[:9])
            await asyncio.sleep(0.2)
            wire.send(PROBE[9:])
            assert await wire.answer() == 200


async def test_between_requests_it_may_rest(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty line after a body, as some clients send it, begins no request."""
    async with connected(house) as wire:
        wire.send(PROBE)
        assert await wire.answer() == 200
        limit(monkeypatch, SHORT_S)
        wire.send(b"\r\n")
        await asyncio.sleep(SHORT_S * 3)
        wire.send(PROBE)
        assert await wire.answer() == 200


async def test_a_body_has_its_own_time(house: House, app: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    body = orjson.dumps({"references": ["A"]})
    head = (
        f"POST /v1/submissions/missing HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {app.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    async with connected(house) as wire:
        wire.send(PROBE)
        assert await wire.answer() == 200
        limit(monkeypatch, SHORT_S)
        for _ in range(2):
            wire.send(head + body[:1])
            await wire.trickle(body[1:])
            assert await wire.answer() == 200
        monkeypatch.setattr(bodies, "WHOLE_S", SHORT_S)
        wire.send(head + body[:5])
        assert await wire.answer() == 408


async def test_an_answer_under_way_is_not_cut(
    house: House, app: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun behind it waits for its end, and then has no time left."""
    get = f"GET /v1/mailbox?wait=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {app.token}\r\n\r\n".encode()
    async with connected(house) as wire:
        wire.send(get)
        await asyncio.sleep(SHORT_S / 2)
        limit(monkeypatch, SHORT_S)
        wire.send(PROBE[:20])
        assert await wire.answer() == 200
        assert problem(await wire.rest())[0] == 408
