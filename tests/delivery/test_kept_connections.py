"""Which connections serve again and which never do. On both event loops (conftest.py)."""

from __future__ import annotations

import asyncio

import pytest

from hub.delivery import connections
from hub.delivery.answers import Outcome
from hub.delivery.connections import Connections
from hub.delivery.sender import Sender
from tests.delivery.delivery_world import until
from tests.delivery.raw_endpoint import OK, RawEndpoint, Reader, Writer, message, sender_of


async def test_two_answers_to_one_request_answer_no_second_one(endpoint: RawEndpoint, sender: Sender) -> None:
    endpoint.script = endpoint.answering(b"HTTP/1.1 500 Rusak\r\nContent-Length: 0\r\n\r\n" + OK)
    for count in (1, 2):
        assert (await sender.send(message(endpoint))).status == 500
        assert endpoint.connections == count


async def test_what_comes_unasked_ends_the_connection(endpoint: RawEndpoint, sender: Sender) -> None:
    unasked = asyncio.Event()

    async def script(reader: Reader, writer: Writer) -> None:
        await endpoint.request(reader)
        writer.write(OK)
        await unasked.wait()
        writer.write(OK)
        await endpoint.request(reader)

    endpoint.script = script
    await sender.send(message(endpoint))
    unasked.set()
    await until(lambda: endpoint.ended == 1)
    endpoint.script = endpoint.answering(b"HTTP/1.1 202 Diterima\r\nContent-Length: 0\r\n\r\n")
    assert (await sender.send(message(endpoint))).status == 202
    assert endpoint.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Akhir: 1\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_connections_that_are_kept(endpoint: RawEndpoint, sender: Sender, answer: bytes) -> None:
    endpoint.script = endpoint.answering(answer)
    for _ in range(3):
        assert (await sender.send(message(endpoint))).outcome is Outcome.DELIVERED
    assert endpoint.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_connections_that_are_not_kept(endpoint: RawEndpoint, sender: Sender, answer: bytes) -> None:
    endpoint.script = endpoint.answering(answer)
    for count in (1, 2):
        assert (await sender.send(message(endpoint))).outcome is Outcome.DELIVERED
        assert endpoint.connections == count
    await until(lambda: endpoint.ended == 2)


async def test_an_answer_before_the_request_is_written_ends_the_connection(
    endpoint: RawEndpoint, sender: Sender
) -> None:
    async def hasty(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Terlalu besar\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        while await reader.read(65536):
            await asyncio.sleep(0.01)

    endpoint.script = hasty
    answer = await sender.send(message(endpoint, b"x" * 32_000_000))
    assert (answer.outcome, answer.status) == (Outcome.REFUSED, 413)
    endpoint.script = endpoint.answering(OK)
    assert (await sender.send(message(endpoint))).status == 200
    assert endpoint.connections == 2


async def test_a_kept_connection_that_was_closed_is_replaced_once(
    endpoint: RawEndpoint, sender: Sender
) -> None:
    async def once(reader: Reader, writer: Writer) -> None:
        await endpoint.request(reader)
        writer.write(OK)
        await endpoint.request(reader)  # and no answer to that

    endpoint.script = once
    await sender.send(message(endpoint))
    assert (await sender.send(message(endpoint))).outcome is Outcome.DELIVERED
    assert (endpoint.connections, len(endpoint.requests)) == (2, 3)
    endpoint.script = endpoint.hanging_up_after(b"")
    answer = await sender.send(message(endpoint))  # the kept one, and a new one
    assert "without an answer" in (answer.cause or "")
    assert (endpoint.connections, len(endpoint.requests)) == (3, 5)


async def test_a_kept_connection_that_ends_in_an_answer_is_not_replaced(
    endpoint: RawEndpoint, sender: Sender
) -> None:
    async def script(reader: Reader, writer: Writer) -> None:
        await endpoint.request(reader)
        writer.write(OK)
        await endpoint.request(reader)
        writer.write(b"HTTP/1.1 2")

    endpoint.script = script
    await sender.send(message(endpoint))
    answer = await sender.send(message(endpoint))
    assert "in the middle of its answer" in (answer.cause or "")
    assert endpoint.connections == 1


async def test_what_idles_is_closed_after_its_time(
    endpoint: RawEndpoint, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SWEEP_S", 0.02)
    monkeypatch.setattr(connections, "KEEPALIVE_S", 0.05)
    await sender.send(message(endpoint))
    await until(lambda: endpoint.ended == 1)


async def test_the_pool_is_bounded_and_gives_up_who_drains_before_who_idles(endpoint: RawEndpoint) -> None:
    sender = sender_of(in_flight=3)
    pool: Connections = sender._connections
    await sender.send(message(endpoint))
    endpoint.script = endpoint.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
    endpoint_of_others = RawEndpoint()
    await endpoint_of_others.start()
    endpoint_of_others.script = endpoint.script
    for _ in range(6):
        assert (await sender.send(message(endpoint_of_others))).outcome is Outcome.DELIVERED
        assert len(pool) <= 3
    assert endpoint.ended == 0
    await sender.send(message(endpoint))
    assert endpoint.connections == 1
    sender.close()
    await until(lambda: endpoint.ended == 1)
    await endpoint_of_others.stop()
