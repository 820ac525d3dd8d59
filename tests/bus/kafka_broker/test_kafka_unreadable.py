"""What a producer may send and nobody can open, on a real broker: it is named, and the rest is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.record import default_records

from hub.bus.kafka.fetching import AT_ONCE, ENOUGH_BYTES
from hub.bus.kafka.opening import LARGEST_BATCH
from hub.bus.kafka.origin import record_at
from hub.bus.kafka.source import KafkaSource
from hub.ports.broker import InRecord, Unread
from tests.bus.kafka_broker.brokerwork import Bench, read_until

MIB = 1024 * 1024
Read = Callable[[str, int], Awaitable[list[InRecord]]]


@pytest.fixture
async def read(bench: Bench) -> AsyncIterator[Read]:
    """The first records of a topic, without one poll that fails."""
    made: list[KafkaSource] = []

    async def start(topic: str, count: int) -> list[InRecord]:
        async def nothing(_: object) -> dict[Any, Any]:
            return {}

        source = KafkaSource(bench.endpoint, bench.prefix + "inbound", nothing)
        made.append(source)
        source.subscribe([topic])
        await source.start()
        found, batches = await read_until(source, lambda got: len(got) >= count, 20)
        assert source.away is None
        assert all(_size(batch.records) <= ENOUGH_BYTES + AT_ONCE * MIB for batch in batches)
        return found

    yield start
    for source in made:
        await source.stop()


def _size(records: Any) -> int:
    return sum(len(one.value or b"") for one in records)


def send(bench: Bench, topic: str, *values: bytes, headers: Any = (), **options: Any) -> None:
    """All of them in one batch, as a producer of the agency's own."""
    producer = KafkaProducer(
        bootstrap_servers=bench.bootstrap,
        max_request_size=1 << 30,
        batch_size=sum(len(value) for value in values) + MIB,
        linger_ms=200,
        enable_idempotence=False,
        **options,
    )
    sent = [producer.send(topic, value, headers=list(headers)) for value in values]
    producer.flush()
    assert [one.get(10).offset for one in sent]
    producer.close()


@pytest.mark.parametrize("codec", ["zstd", "gzip"])
async def test_a_bomb_is_one_flaw_and_what_is_behind_it_is_read(bench: Bench, read: Read, codec: str) -> None:
    topic = bench.topic("inbound.a", **{"max.message.bytes": str(4 * MIB)})
    send(bench, topic, b"before")
    send(bench, topic, b" " * (2 * LARGEST_BATCH), compression_type=codec)
    send(bench, topic, b"behind")
    before, bomb, behind = await read(topic, 3)
    assert (before.value, bomb.value, behind.value) == (b"before", None, b"behind")
    assert bomb.flaw is not None and bomb.flaw.kind is Unread.TOO_LARGE
    assert bomb.flaw.why.startswith(f"{topic}, partition 0, offset 1: the batch unpacks to more than")
    again = record_at(bench.endpoint, topic, 0, 1)
    assert again is not None and again.flaw == bomb.flaw, "a redrive finds no more"


async def test_a_codec_that_is_not_taken_is_one_flaw(
    bench: Bench, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = bench.topic("inbound.a")
    send(bench, topic, b"before")
    monkeypatch.setitem(KafkaProducer._COMPRESSORS, "snappy", (lambda: True, 2))
    monkeypatch.setattr(default_records.codecs, "has_snappy", lambda: True)
    monkeypatch.setattr(default_records, "snappy_encode", _snappy)
    send(bench, topic, b" " * 3000, b" " * 3000, b" " * 3000, compression_type="snappy")
    monkeypatch.undo()
    send(bench, topic, b"behind")
    before, snappy, behind = await read(topic, 3)
    assert (before.value, snappy.offset, behind.value) == (b"before", 3, b"behind")
    assert snappy.flaw is not None and snappy.flaw.kind is Unread.CODEC
    assert "offsets 1 to 3: it is compressed with snappy" in snappy.flaw.why


async def test_a_header_whose_name_is_no_text_is_one_flaw(bench: Bench, read: Read) -> None:
    class Odd(str):
        def encode(self, *_: object) -> bytes:
            return b"\xff\xfe"

    topic = bench.topic("inbound.a")
    send(bench, topic, b"{}", headers=[("correlation-id", b"K-1"), (Odd("zz"), b"1")])
    send(bench, topic, b"behind")
    odd, behind = await read(topic, 2)
    assert odd.flaw is not None and odd.flaw.kind is Unread.BROKEN and "header number 2" in odd.flaw.why
    assert odd.headers == (("correlation-id", b"K-1"),)
    assert behind.value == b"behind" and behind.flaw is None


async def test_a_poll_holds_few_bytes_however_much_was_packed_into_a_fetch(bench: Bench, read: Read) -> None:
    """Sixty records of 1 MiB in a batch of some kilobytes, three times: a poll would else hold all."""
    topic = bench.topic("inbound.a")
    for _ in range(3):
        send(bench, topic, *[b" " * MIB] * 60, compression_type="zstd")
    found = await read(topic, 180)
    assert [one.offset for one in found] == list(range(180))
    assert all(one.flaw is None for one in found)


def _snappy(data: bytes) -> bytes:
    """Runs of one byte as copies, all else as literals: enough for a broker to take it."""
    rest, out = len(data), b""
    while rest:
        out += bytes([rest & 127 | (128 if rest > 127 else 0)])
        rest >>= 7
    at = 0
    while at < len(data):
        run = 0
        while at and run < 64 and data[at + run : at + run + 1] == data[at - 1 : at]:
            run += 1
        out += bytes([(run - 1) << 2 | 2, 1, 0]) if run else b"\0" + data[at : at + 1]
        at += run or 1
    return out
