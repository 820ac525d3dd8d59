"""The library's reader, taught to pass what it cannot open: such a record, or the rest of such a batch, comes
out as one record whose value is `Unreadable`, and what follows is read. The library would raise for ever at
the same place, or take all memory; a poll is bounded in bytes, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kafka.consumer.fetcher import Fetcher  # type: ignore[import-untyped]
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch  # type: ignore[import-untyped]
from kafka.record.memory_records import MemoryRecords  # type: ignore[import-untyped]

from hub.bus.kafka.opening import BROKEN, Unopened, record_in, record_span, unpacked
from hub.ports.broker import Unread

ENOUGH_BYTES: Final = 16 * 1024 * 1024
"""Of one poll: then no further records are added to it."""
AT_ONCE: Final = 8
"""Records between two looks at how many bytes a poll has already."""
BATCH_FORMAT: Final = 2
CODEC: Final = DefaultRecordBatch.CODEC_MASK


class Unreadable(bytes):
    """The empty value of a record that stands for what could not be read: the offsets from `first` to its
    own, and why."""

    first: int
    kind: Unread
    why: str


class Batch(DefaultRecordBatch):  # type: ignore[misc]  # the library is untyped
    """Gives its records as the library does, and never raises."""

    _buffer: bytearray
    _pos: int
    _num_records: int
    _next_record_index: int
    _decompressed: bool

    def __init__(self, data: memoryview) -> None:
        super().__init__(data)
        self._given_to = self.base_offset
        self._shut: Unopened | None = None

    def _maybe_uncompress(self) -> None:
        """Called by the library before the first record of a batch that it gives out."""
        if self._decompressed:
            return
        self._decompressed = True
        try:
            self._buffer = unpacked(memoryview(self._buffer)[self._pos :], self.attributes & CODEC)
        except Unopened as shut:
            # a new one: the one raised holds the frames in which the batch was unpacked
            self._shut, self._buffer = Unopened(shut.kind, str(shut)), bytearray()
        self._pos = 0

    def __next__(self) -> Any:
        if not self._decompressed:  # a control batch, which the broker wrote itself
            return super().__next__()
        if self._next_record_index >= self._num_records or self._given_to > self.last_offset:
            raise StopIteration
        if self._shut is not None:
            return self._unreadable(self.last_offset, self._shut)
        try:
            start, end = record_span(self._buffer, self._pos)
        except Unopened as shut:
            return self._unreadable(self.last_offset, shut)
        self._pos = end
        self._next_record_index += 1
        return self._record(start, end)

    next = __next__

    def _record(self, start: int, end: int) -> Any:
        try:
            found = record_in(self._buffer, start, end)
            offset = self.base_offset + found.offset_delta
            if not self._given_to <= offset <= self.last_offset:
                raise Unopened(Unread.BROKEN, BROKEN)
        except Unopened as shut:
            at = max(self._given_to, self.base_offset + self._next_record_index - 1)
            return self._unreadable(min(at, self.last_offset), shut)
        self._given_to = offset + 1
        by_broker = self.timestamp_type == self.LOG_APPEND_TIME
        at_ms = self.max_timestamp if by_broker else self.first_timestamp + found.after_ms
        return DefaultRecord(
            end - start, offset, at_ms, self.timestamp_type, found.key, found.value, found.headers
        )

    def _unreadable(self, offset: int, shut: Unopened) -> Any:
        value = Unreadable()
        value.first, value.kind, value.why = self._given_to, shut.kind, str(shut)
        self._given_to = offset + 1
        return DefaultRecord(0, offset, self.max_timestamp, self.timestamp_type, None, value, shut.headers)


class Batches(MemoryRecords):  # type: ignore[misc]  # the library is untyped
    """What one fetch gave of a partition."""

    __slots__ = ()

    def next_batch(self) -> Any:
        """A batch of a format before 2, which a broker converts when it takes it, is the library's."""
        piece = self._next_slice
        if piece is None or piece[self.MAGIC_OFFSET] < BATCH_FORMAT:
            return super().next_batch()
        self._cache_next()
        return Batch(piece)


class _Parts(Fetcher.PartitionRecords):  # type: ignore[misc]  # the library is untyped
    def __init__(self, fetch_offset: int, part: Any, records: MemoryRecords, **more: Any) -> None:
        super().__init__(fetch_offset, part, Batches(records._buffer), **more)


def bound(consumer: Any) -> None:
    """From now on the consumer reads so."""
    fetcher = consumer._fetcher
    fetcher.PartitionRecords = _Parts
    fetcher.fetched_records = _bounded(fetcher.fetched_records)


Fetched = tuple[dict[Any, list[Any]], bool]


def _bounded(fetched: Callable[..., Fetched]) -> Callable[..., Fetched]:
    """The same, AT_ONCE records at a time, until it is enough."""
    failed: list[Exception] = []

    def bounded(max_records: int, update_offsets: bool = True) -> Fetched:
        if failed:
            raise failed.pop()
        found: dict[Any, list[Any]] = {}
        left, size, more = max_records, 0, True
        while left > 0 and size < ENOUGH_BYTES:
            try:
                some, more = fetched(min(left, AT_ONCE), update_offsets=update_offsets)
            except Exception as error:
                if not found:
                    raise
                failed.append(error)  # what was taken is not given again: first it, then the error
                break
            if not some:
                break
            for part, records in some.items():
                found.setdefault(part, []).extend(records)
                left -= len(records)
                size += sum(len(one.key or b"") + len(one.value or b"") for one in records)
        return found, more

    return bounded
