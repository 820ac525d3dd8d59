"""What the connector's own endpoints do with a body that does not arrive, or is too long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aiohttp import web

from connectors import reply_endpoint
from connectors.answering import AnswersHttp
from connectors.connector import utc_now
from connectors.reply_endpoint import Server, reply_server
from connectors.webhook_receiver import BODY_BYTES, Receiver, WebhookSettings
from tests.parts.local_server import free_port

TOKEN = "Authorization: Bearer def\r\n"


def webhook(listen: str) -> Server:
    receiver = Receiver(cast(Any, None), [], lambda event: True, lambda: None)
    return receiver.server(WebhookSettings(listen=listen, path="/in"))


def replies(listen: str) -> Server:
    settings = AnswersHttp(listen=listen, token_env="REPLY_TOKEN")
    return reply_server(settings, cast(Any, None), utc_now, lambda: None)


@pytest.fixture(params=[("/in", webhook, BODY_BYTES), ("/replies", replies, reply_endpoint.BODY_BYTES)])
async def endpoint(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[int, str, int]]:
    """A listening endpoint: its port, its path, the bytes that it takes."""
    monkeypatch.setenv("REPLY_TOKEN", "def")
    path, make, most = request.param
    port, stop = free_port(), asyncio.Event()
    serving = asyncio.create_task(make(f"127.0.0.1:{port}")(stop))
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
    yield port, path, most
    stop.set()
    await serving


async def answered(port: int, path: str, length: int, *pieces: bytes) -> bytes:
    """The first line of the answer to a body of so many announced bytes, of which only the pieces come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{TOKEN}Content-Length: {length}\r\n\r\n"
    writer.write(head.encode())
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    try:
        return await asyncio.wait_for(reader.readline(), 10)
    finally:
        writer.close()


async def test_a_body_that_does_not_arrive_is_given_up(
    endpoint: tuple[int, str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, path, _ = endpoint
    monkeypatch.setattr(reply_endpoint, "BODY_S", 0.05)
    assert (await answered(port, path, 100, b"{")).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_is_too_long_is_refused(endpoint: tuple[int, str, int]) -> None:
    port, path, most = endpoint
    piece = b" " * 65_536
    line = await answered(port, path, most + 65_536, *[piece] * (most // len(piece) + 1))
    assert line.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("head", ["webhook-signature: " + "x" * 9000, "no header at all"])
async def test_what_is_no_http_is_answered_and_leaves_no_line(
    endpoint: tuple[int, str, int], head: str, caplog: pytest.LogCaptureFixture
) -> None:
    port, path, _ = endpoint
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.0 400")
    writer.close()
    assert caplog.records == []


def crashing(listen: str) -> Server:
    async def crash(request: Any) -> Any:
        raise RuntimeError("a defect")

    application = web.Application()
    application.router.add_post("/crash", crash)
    return lambda stop: reply_endpoint.serve(application, listen, "listen", stop)


@pytest.mark.parametrize("endpoint", [("/crash", crashing, 1)], indirect=True)
async def test_what_fails_in_a_handler_is_told(
    endpoint: tuple[int, str, int], caplog: pytest.LogCaptureFixture
) -> None:
    port, path, _ = endpoint
    assert b"500" in await answered(port, path, 1, b"x")
    (told,) = caplog.records
    assert told.exc_info
    assert "a defect" in str(told.exc_info[1])
