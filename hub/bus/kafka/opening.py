"""What a record batch holds, opened with bounds: how much it unpacks to, how long a record is, how many
headers it has. The library's own decoding has none, and a batch of 37 KB can unpack to gigabytes.

Source: Kafka's record batch format, magic 2 (https://kafka.apache.org/documentation/#recordbatch)."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from typing import Final, Protocol

import zstandard
from kafka.record.util import decode_varint  # type: ignore[import-untyped]

from hub.ports.broker import Unread

LARGEST_BATCH: Final = 64 * 1024 * 1024
"""Bytes of a batch, unpacked."""
LARGEST_RECORD: Final = 4 * 1024 * 1024
"""Bytes of a record with key and headers, unpacked: as many as the hub publishes itself (`clients`)."""
MOST_HEADERS: Final = 1_000
"""An empty header takes two bytes on the wire and fifty times as many in memory."""
PIECE: Final = 256 * 1024

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
NAMES: Final = {SNAPPY: "snappy", LZ4: "lz4"}
TAKEN: Final = "none, gzip and zstd"

Header = tuple[str, bytes | None]


class Unopened(Exception):
    """It cannot be read; the text says why, and what to do. `headers`: those that could be read."""

    def __init__(self, kind: Unread, why: str, headers: list[Header] | None = None) -> None:
        super().__init__(why)
        self.kind = kind
        self.headers = headers or []


@dataclass(frozen=True, slots=True)
class Plain:
    """A record within its batch: time and offset count from the batch's first."""

    after_ms: int
    offset_delta: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpacked(packed: memoryview, codec: int, limit: int = LARGEST_BATCH) -> bytearray:
    """The batch's records. Unopened beyond `limit` bytes, for a codec that is not taken and for broken data;
    never holds much more than `limit`."""
    if codec == NONE:
        return bytearray(packed)
    try:
        return _within(_reader(packed, codec), limit)
    except (zstandard.ZstdError, zlib.error, EOFError, OSError) as error:
        raise Unopened(
            Unread.BROKEN, "what is compressed cannot be unpacked. Send it again, uncompressed."
        ) from error


def _reader(packed: memoryview, codec: int) -> _Reader:
    if codec == GZIP:
        return gzip.GzipFile(fileobj=io.BytesIO(packed))
    if codec == ZSTD:
        made: _Reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        return made
    name = NAMES.get(codec, f"codec {codec}")
    raise Unopened(
        Unread.CODEC,
        f"it is compressed with {name}, which is not taken here; compression.type may be {TAKEN}. Set one of "
        "these at your producer and send it again.",
    )


def _within(reader: _Reader, limit: int) -> bytearray:
    found = bytearray()
    while piece := reader.read(PIECE):
        if len(found) + len(piece) > limit:
            raise Unopened(
                Unread.TOO_LARGE,
                f"the batch unpacks to more than {limit:,} bytes. Send less in one batch (batch.size).",
            )
        found += piece
    return found


def record_span(batch: bytearray, at: int) -> tuple[int, int]:
    """(start, end) of the record whose length stands at `at`; Unopened when it does not fit the batch."""
    try:
        length, start = decode_varint(batch, at)
    except (ValueError, IndexError) as error:
        raise Unopened(Unread.BROKEN, BROKEN) from error
    if length < 0 or start + length > len(batch):
        raise Unopened(Unread.BROKEN, BROKEN)
    return start, start + length


def record_in(batch: bytearray, start: int, end: int) -> Plain:
    """The record that lies there; Unopened."""
    if end - start > LARGEST_RECORD:
        why = f"the record has {end - start:,} bytes; at most {LARGEST_RECORD:,} are read."
        raise Unopened(Unread.TOO_LARGE, why)
    try:
        return _parsed(bytes(memoryview(batch)[start:end]))
    except (ValueError, IndexError) as error:
        raise Unopened(Unread.BROKEN, BROKEN) from error


BROKEN: Final = "its bytes are no record of Kafka's format. Send it again."


def _parsed(data: bytes) -> Plain:
    """ValueError and IndexError where the bytes contradict themselves."""
    after_ms, at = decode_varint(data, 1)  # the first byte holds attributes, of which none is in use
    offset_delta, at = decode_varint(data, at)
    key, at = _field(data, at)
    value, at = _field(data, at)
    headers, at = _headers(data, at)
    if at != len(data):
        raise ValueError("the record's length is not that of its parts")
    return Plain(after_ms, offset_delta, key, value, headers)


def _headers(data: bytes, at: int) -> tuple[list[Header], int]:
    count, at = decode_varint(data, at)
    if count > MOST_HEADERS:
        why = f"the record has {count:,} headers; at most {MOST_HEADERS:,} are read."
        raise Unopened(Unread.TOO_LARGE, why)
    headers: list[Header] = []
    unnamed = 0
    for number in range(1, count + 1):
        name, at = _field(data, at)
        value, at = _field(data, at)
        try:
            headers.append(((name or b"").decode(), value))
        except UnicodeDecodeError:
            unnamed = unnamed or number
    if unnamed:
        why = (
            f"the name of its header number {unnamed} is not UTF-8 text. Name it in ASCII and send it again."
        )
        raise Unopened(Unread.BROKEN, why, headers)
    return headers, at


def _field(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Bytes with their length before them; a negative length is null."""
    size, at = decode_varint(data, at)
    if size < 0:
        return None, at
    if at + size > len(data):
        raise ValueError("a part is longer than its record")
    return data[at : at + size], at + size
