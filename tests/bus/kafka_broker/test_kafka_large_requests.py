"""One agency's token, and what its connections may announce: the broker makes room for a request as soon as
its size is said."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hub.bus.kafka import clients, layout, wire
from hub.bus.kafka.publisher import KafkaPublisher
from tests.bus.kafka_broker.brokerwork import Bench, publish_all, record
from tests.bus.kafka_broker.tokens import Issuer
from tests.parts import kafka

PATIENCE_S = 20.0
ANNOUNCED = 100 * 1024 * 1024
"""What a broker takes by default."""
HEAP_MB = 128
EACH = 5 * 1024 * 1024


@pytest.fixture
def token(mortal_node: kafka.Node) -> str:
    issuer = Issuer()
    issuer.publish(mortal_node)
    return issuer.token("klien-a")


def _string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _asked(by: socket.socket, key: int, number: int, body: bytes) -> bytes:
    request = struct.pack(">hhi", key, 1, number) + _string("klien-a") + body
    by.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _exactly(by, 4))
    return _exactly(by, size)


def _exactly(by: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (some := by.recv(size - len(data))):
            raise EOFError
        data += some
    return data


@contextlib.contextmanager
def signed_in(node: kafka.Node, token: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", node.agency), PATIENCE_S) as by:
        _asked(by, wire.SASL_HANDSHAKE, 1, _string("OAUTHBEARER"))
        said = f"n,,\x01auth=Bearer {token}\x01\x01".encode()
        answer = _asked(by, wire.SASL_AUTHENTICATE, 2, struct.pack(">i", len(said)) + said)
        assert answer[4:6] == b"\0\0", answer
        yield by


def cut(by: socket.socket) -> bool:
    try:
        return by.recv(1) == b""
    except ConnectionError:
        return True


async def test_whoever_announces_a_large_request_is_cut_and_nobody_else_notices(
    mortal_node: kafka.Node, token: str
) -> None:
    with ExitStack() as held:
        rude = [held.enter_context(signed_in(mortal_node, token)) for _ in range(8)]
        for by in rude:
            by.sendall(struct.pack(">i", ANNOUNCED))
        assert [cut(by) for by in rude] == [True] * len(rude)
        assert await wire.sign_in(("127.0.0.1", mortal_node.agency), token, None, PATIENCE_S)
    assert "OutOfMemoryError" not in mortal_node.said()


async def test_as_many_announced_as_would_fill_its_heap_leave_the_broker_alive(
    mortal_node: kafka.Node, mortal_bench: Bench, token: str
) -> None:
    """Each within what is taken: together they wait for room, and once they have gone all is as before."""
    with ExitStack() as held:
        for _ in range(2 * HEAP_MB * 1024 * 1024 // EACH):
            by = held.enter_context(signed_in(mortal_node, token))
            by.sendall(struct.pack(">i", EACH))
    assert await wire.sign_in(("127.0.0.1", mortal_node.agency), token, None, PATIENCE_S)
    assert mortal_bench.topic("sesudahnya")
    assert "OutOfMemoryError" not in mortal_node.said()


def test_a_sign_in_is_small(mortal_node: kafka.Node) -> None:
    """Before it nobody is known."""
    with socket.create_connection(("127.0.0.1", mortal_node.agency), PATIENCE_S) as by:
        by.sendall(struct.pack(">i", 500_000))
        assert cut(by)


async def test_the_largest_record_that_the_hub_publishes_is_taken(
    publisher: KafkaPublisher, bench: Bench
) -> None:
    topic = bench.topic("besar", **{"max.message.bytes": str(layout.MAX_MESSAGE_BYTES)})
    largest = record(topic, 1, size=clients.MAX_RECORD_BYTES - 1024)
    (outcome,) = await publish_all(publisher, [largest])
    assert outcome.refused is None
