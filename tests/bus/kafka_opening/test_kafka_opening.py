"""What cannot be opened: bounded, named, and nothing raises. Batches are written by the library."""

from __future__ import annotations

import gc
import gzip
import struct
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.util import calc_crc32c

from hub.bus.kafka.fetching import Batch, Batches, Unreadable
from hub.bus.kafka.opening import (
    GZIP,
    LARGEST_BATCH,
    LARGEST_RECORD,
    LZ4,
    MOST_HEADERS,
    NONE,
    PIECE,
    SNAPPY,
    ZSTD,
    Unopened,
    unpacked,
)
from hub.ports.broker import Unread

MIB = 1024 * 1024
Row = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
TEXTS = st.text(max_size=20)
ROWS = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=50),
        st.none() | st.binary(max_size=200),
        st.lists(st.tuples(TEXTS, st.none() | st.binary(max_size=20)), max_size=4),
    ),
    min_size=1,
    max_size=8,
)


def built(rows: list[Row], codec: int = NONE, first: int = 10) -> bytes:
    made = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 30)
    for number, (key, value, headers) in enumerate(rows):
        made.append(number, 1_700_000_000_000 + number, key, value, headers)
    data = bytearray(made.build())
    struct.pack_into(">q", data, 0, first)
    return bytes(data)


def with_codec(data: bytes, codec: int) -> bytes:
    """The same bytes, said to be compressed with it."""
    made = bytearray(data)
    struct.pack_into(">h", made, DefaultRecordBatch.ATTRIBUTES_OFFSET, codec)
    crc = calc_crc32c(memoryview(made)[DefaultRecordBatch.ATTRIBUTES_OFFSET :])
    struct.pack_into(">I", made, DefaultRecordBatch.CRC_OFFSET, crc)
    return bytes(made)


def read(data: bytes) -> list[tuple[object, ...]]:
    return [(r.offset, r.timestamp, r.key, r.value, r.headers) for r in Batch(memoryview(data))]


@given(ROWS, st.sampled_from([NONE, GZIP, ZSTD]))
def test_what_is_whole_comes_as_the_library_gives_it(rows: list[Row], codec: int) -> None:
    data = built(rows, codec)
    plain = [(r.offset, r.timestamp, r.key, r.value, r.headers) for r in DefaultRecordBatch(data)]
    assert read(data) == plain


@given(ROWS, st.data())
def test_bytes_that_were_altered_never_raise_and_the_offset_comes_to_the_end(
    rows: list[Row], data: st.DataObject
) -> None:
    made = bytearray(built(rows))
    start = DefaultRecordBatch.HEADER_STRUCT.size
    for _ in range(data.draw(st.integers(1, 4))):
        made[data.draw(st.integers(start, len(made) - 1))] = data.draw(st.integers(0, 255))
    found = list(Batch(memoryview(bytes(made))))
    assert 1 <= len(found) <= len(rows)
    offsets = [one.offset for one in found]
    assert offsets == sorted(set(offsets)) and offsets[0] >= 10 and offsets[-1] <= 10 + len(rows) - 1
    flaws = [one for one in found if isinstance(one.value, Unreadable)]
    assert len(found) == len(rows) or offsets[-1] == 10 + len(rows) - 1
    assert all(one.value.first <= one.offset for one in flaws)


@pytest.mark.parametrize(("codec", "name"), [(SNAPPY, "snappy"), (LZ4, "lz4"), (6, "codec 6")])
def test_a_codec_that_is_not_taken_is_named_with_those_that_are(codec: int, name: str) -> None:
    data = with_codec(built([(None, b"a", []), (None, b"b", []), (None, b"c", [])]), codec)
    batch = Batch(memoryview(data))
    assert batch.validate_crc()
    (one,) = batch
    assert (one.offset, one.value.first, one.value.kind) == (12, 10, Unread.CODEC)
    assert name in one.value.why and "none, gzip and zstd" in one.value.why


@pytest.mark.parametrize("codec", [GZIP, ZSTD])
def test_a_small_batch_that_unpacks_to_much_is_given_up_early(codec: int) -> None:
    bomb = b" " * (64 * MIB)
    packed = gzip.compress(bomb, 1) if codec == GZIP else zstandard.compress(bomb)
    del bomb
    tracemalloc.start()
    try:
        with pytest.raises(Unopened, match="more than 1,048,576 bytes") as refused:
            unpacked(memoryview(packed), codec, limit=MIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.value.kind is Unread.TOO_LARGE
    assert peak < 2 * MIB + 8 * PIECE


@pytest.mark.parametrize("codec", [GZIP, ZSTD])
def test_compressed_bytes_that_are_broken_are_told(codec: int) -> None:
    (one,) = Batch(memoryview(with_codec(built([(None, b"abc" * 50, [])]), codec)))
    assert one.value.kind is Unread.BROKEN and "cannot be unpacked" in one.value.why


def test_one_record_that_is_too_long_leaves_its_neighbours() -> None:
    rows: list[Row] = [(None, b"1", []), (None, b" " * (LARGEST_RECORD + 1), []), (None, b"3", [])]
    before, long, after = read(built(rows, ZSTD))
    assert (before[3], after[3]) == (b"1", b"3")
    assert isinstance(long[3], Unreadable) and long[3].kind is Unread.TOO_LARGE
    assert (long[0], long[3].first) == (11, 11)


def test_headers_are_counted_before_they_are_read() -> None:
    rows: list[Row] = [(None, b"1", [("", None)] * (MOST_HEADERS + 1)), (None, b"2", [])]
    many, next_one = read(built(rows))
    assert isinstance(many[3], Unreadable) and "1,001 headers" in many[3].why
    assert next_one[3] == b"2"


def test_a_header_name_that_is_no_text_leaves_the_other_headers() -> None:
    data = built([(None, b"1", [("correlation-id", b"K-1"), ("zz", b"x")])]).replace(b"zz", b"\xff\xfe")
    (one,) = Batch(memoryview(data))
    assert one.headers == [("correlation-id", b"K-1")]
    assert "header number 2 is not UTF-8" in one.value.why


def test_batches_follow_each_other() -> None:
    """In one fetch: what is behind one that cannot be opened is read."""
    first = with_codec(built([(None, b"a", []), (None, b"b", [])], first=0), SNAPPY)
    records = Batches(first + built([(None, b"c", [])], first=2) + b"\0\0\0")
    found = []
    while (batch := records.next_batch()) is not None:
        found += [(one.offset, one.value) for one in batch]
    assert found == [(1, b""), (2, b"c")]


def test_a_bomb_leaves_nothing_behind_until_the_collector_comes() -> None:
    """A fetch may hold many of them."""
    data = built([(None, b" " * (LARGEST_BATCH + MIB), [])], ZSTD)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(3):
            (one,) = Batch(memoryview(data))
            assert one.value.kind is Unread.TOO_LARGE
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert left < MIB
