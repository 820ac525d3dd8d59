"""Endpoints that answer wrongly, endlessly, late or not at all: each attempt ends as an Answer with a cause,
within bounds, and no connection serves again whose state is in doubt. On both event loops (conftest.py)."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.delivery import wire
from hub.delivery.answers import Outcome
from hub.delivery.sender import Sender
from tests.delivery.delivery_world import until
from tests.delivery.raw_endpoint import OK, RawEndpoint, Reader, Writer, message, sender_of


async def test_the_request_is_one_piece_with_its_length(endpoint: RawEndpoint, sender: Sender) -> None:
    answer = await sender.send(message(endpoint))
    assert (answer.outcome, answer.status) == (Outcome.DELIVERED, 200)
    head, _, body = endpoint.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /simpul HTTP/1.1"
    assert f"Host: 127.0.0.1:{endpoint.port}" in lines
    assert "webhook-id: 1" in lines and "Content-Length: 10" in lines
    assert body == b'{"id":"1"}'


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "is not HTTP/1.1"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "is not HTTP/1.1"),
        (b"<html>halo</html>\r\n\r\n", "is not HTTP/1.1"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "is not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "is not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "is not HTTP/1.1"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
            "is not HTTP/1.1",
        ),
        (b"HTTP/1.1 200 OK\r\nServer: ngin", "in the middle of its answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "in the middle of its answer"),
        (b"", "without an answer"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
            "another protocol",
        ),
    ],
)
async def test_what_is_no_answer(endpoint: RawEndpoint, sender: Sender, said: bytes, cause: str) -> None:
    endpoint.script = endpoint.hanging_up_after(said)
    answer = await sender.send(message(endpoint))
    assert (answer.outcome, answer.status) == (Outcome.DOWN, None)
    assert answer.cause is not None and cause in answer.cause
    assert endpoint.connections == 1  # a new connection without an answer is not tried again at once


@pytest.mark.parametrize(
    ("first", "more"),
    [(b"HTTP/1.1 200 OK\r\n", b"X-Isi: penuh\r\n" * 100), (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50)],
)
async def test_a_head_without_an_end(
    endpoint: RawEndpoint, sender: Sender, first: bytes, more: bytes
) -> None:
    async def endless(reader: Reader, writer: Writer) -> None:
        await endpoint.request(reader)
        writer.write(first)
        while True:
            writer.write(more)
            await writer.drain()
            await asyncio.sleep(0)

    endpoint.script = endless
    answer = await sender.send(message(endpoint))
    assert answer.outcome is Outcome.DOWN and "larger than 16384 bytes" in (answer.cause or "")
    await until(lambda: endpoint.ended == 1)


async def test_a_body_without_an_end_costs_the_connection_and_nothing_else(
    endpoint: RawEndpoint, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "ANSWER_BODY_S", 60.0)  # it ends by its bytes

    async def endless(reader: Reader, writer: Writer) -> None:
        await endpoint.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0)

    endpoint.script = endless
    assert (await sender.send(message(endpoint))).outcome is Outcome.DELIVERED
    await until(lambda: endpoint.ended == 1)


async def test_a_dripping_body_is_not_waited_for(
    endpoint: RawEndpoint, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "ANSWER_BODY_S", 0.05)
    stop = asyncio.Event()

    async def drip(reader: Reader, writer: Writer) -> None:
        await endpoint.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await stop.wait()
        writer.write(b"x")
        await reader.readexactly(1)

    endpoint.script = drip
    async with asyncio.timeout(2):
        for _ in range(3):
            assert (await sender.send(message(endpoint))).outcome is Outcome.DELIVERED
    assert endpoint.connections == 3
    stop.set()
    await until(lambda: endpoint.ended == 3)


async def test_interim_answers_are_passed_over(endpoint: RawEndpoint, sender: Sender) -> None:
    endpoint.script = endpoint.answering(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n"
        b"HTTP/1.1 503 Sibuk\r\nContent-Length: 0\r\n\r\n",
        OK,
    )
    answer = await sender.send(message(endpoint))
    assert (answer.status, answer.outcome, answer.retry_after) == (503, Outcome.DOWN, None)
    assert (await sender.send(message(endpoint))).status == 200
    assert endpoint.connections == 1


@pytest.mark.parametrize(
    ("raw", "heard"), [(b"120", "120"), (b"\xff\xfe", "\xff\xfe"), (b"1\r\nRetry-After: 2", "1")]
)
async def test_retry_after_is_passed_on(
    endpoint: RawEndpoint, sender: Sender, raw: bytes, heard: str
) -> None:
    endpoint.script = endpoint.answering(
        b"HTTP/1.1 503 Sibuk\r\nretry-after: %b\r\nContent-Length: 0\r\n\r\n" % raw
    )
    answer = await sender.send(message(endpoint))
    assert (answer.outcome, answer.retry_after) == (Outcome.BUSY, heard)


async def test_silence_and_a_dripping_head_end_with_the_time(endpoint: RawEndpoint) -> None:
    async def drip(reader: Reader, writer: Writer) -> None:
        await endpoint.request(reader)
        for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1000):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.01)

    sender = sender_of(total_timeout_s=0.2)
    for script in (drip, lambda reader, writer: reader.read()):
        endpoint.script = script
        answer = await sender.send(message(endpoint))
        assert (answer.outcome, answer.cause) == (Outcome.DOWN, "no answer within 0.2 s")
    sender.close()


@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda status, headers, body: b"HTTP/1.1 " + status + b" x\r\n" + headers + b"\r\n" + body,
            st.one_of(st.integers(0, 1200).map(lambda n: b"%d" % n), st.binary(max_size=4)),
            st.lists(
                st.sampled_from(
                    [
                        b"Content-Length: 3\r\n",
                        b"Transfer-Encoding: chunked\r\n",
                        b"Retry-After: x\r\n",
                        b": \r\n",
                    ]
                )
            ).map(b"".join),
            st.binary(max_size=50),
        ),
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_nothing_that_an_endpoint_says_raises(
    endpoint: RawEndpoint, sender: Sender, said: bytes
) -> None:
    endpoint.script = endpoint.hanging_up_after(said)
    answer = await sender.send(message(endpoint))
    assert answer.cause is not None or (answer.status is not None and 200 <= answer.status < 300)
