"""Publishes batches as transactions, with the marks that make repeating harmless."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import errors  # type: ignore[import-untyped]

from hub.bus.kafka import clients, transaction
from hub.bus.kafka.directory import TopicDescription, closed, look_up
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.marks import read_marks
from hub.bus.kafka.threads import KafkaThread
from hub.ports.broker import ACKNOWLEDGED, BrokerAway, Mark, Outcome, OutRecord, ProducerFenced, Refusal

PUBLISH_WITHIN_S: Final = 40.0
LOOK_AGAIN_S: Final = 5.0
TOPICS_AT_ONCE: Final = 1000

Known = dict[str, Mark | None]


@dataclass(slots=True, eq=False)
class _Connection:
    """What one thread holds. `marks` are the topics whose mark was read since this producer took over."""

    producer: clients.Producer
    admin: Any
    began: bool = False
    topics: dict[str, tuple[TopicDescription, float]] = field(default_factory=dict)
    marks: Known = field(default_factory=dict)


class KafkaPublisher:
    """Implements `hub.ports.broker.Publisher`. The marks lie in the offsets of a consumer group that nobody
    reads with, named as the transactional id: what belongs to a transaction there is committed with it."""

    def __init__(
        self, endpoint: BrokerListener, transactional_id: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoint = endpoint
        self._id = transactional_id
        self._clock = clock
        self._fenced = False
        self._thread: KafkaThread[_Connection] = KafkaThread(
            f"publisher {transactional_id}", self._connect, _end
        )

    @property
    def away(self) -> str | None:
        return self._thread.away

    async def start(self) -> None:
        self._fenced = False
        await self._thread.start()

    async def stop(self) -> None:
        await self._thread.stop()

    async def publish(self, records: Sequence[OutRecord]) -> list[Outcome]:
        if self._fenced:
            raise ProducerFenced("another process publishes under this transactional id now")
        if not records:
            return []
        try:
            return await self._thread.run(lambda held: self._publish(held, records), PUBLISH_WITHIN_S)
        except ProducerFenced:
            self._fenced = True
            raise

    # --- on the thread ------------------------------------------------------------------------------------

    def _connect(self) -> _Connection:
        producer = clients.producer(self._endpoint, self._id)
        try:
            return _Connection(producer, clients.admin(self._endpoint))
        except BaseException:
            producer.discard()
            raise

    def _publish(self, held: _Connection, records: Sequence[OutRecord]) -> list[Outcome]:
        if self._fenced:  # a batch that waited while another was fenced
            raise ProducerFenced("another process publishes under this transactional id now")
        if not held.began:
            held.producer.take_over()  # fences whoever came before; what they left open is ended
            held.began = True
        outcomes = self._fit(held, records)
        self._read_marks(held, records)
        left = [
            index
            for index, record in enumerate(records)
            if outcomes[index] is ACKNOWLEDGED and not _published(held.marks, record)
        ]
        self._send(held, records, left, outcomes)
        return outcomes

    def _send(
        self, held: _Connection, records: Sequence[OutRecord], left: list[int], outcomes: list[Outcome]
    ) -> None:
        """As one transaction; when the broker finds one of them unfit, in halves until it stands alone."""
        if not left:
            return
        try:
            transaction.send(held.producer, self._id, [records[index] for index in left])
        except transaction.Unfit as unfit:
            self._renew(held)
            if len(left) == 1:
                outcomes[left[0]] = unfit.outcome
                return
            middle = len(left) // 2
            self._send(held, records, left[:middle], outcomes)
            self._send(held, records, left[middle:], outcomes)
        except errors.TopicAuthorizationFailedError as error:
            raise BrokerAway("the right to write a topic was withdrawn meanwhile; publish again") from error
        else:
            for index in left:
                if (mark := records[index].mark) is not None:
                    held.marks[records[index].topic] = mark

    def _renew(self, held: _Connection) -> None:
        held.producer.discard()
        held.producer = clients.producer(self._endpoint, self._id)
        held.producer.take_over()

    def _fit(self, held: _Connection, records: Sequence[OutRecord]) -> list[Outcome]:
        topics = self._topics(held, {record.topic for record in records})
        refused = {name: _refused(found) for name, found in topics.items()}
        return [
            refused[record.topic] or _too_large(record, clients.MAX_RECORD_BYTES) or ACKNOWLEDGED
            for record in records
        ]

    def _topics(self, held: _Connection, names: set[str]) -> dict[str, TopicDescription]:
        """Existing topics are believed to stay; the others are looked up again after a while."""
        now = self._clock()
        unknown = [name for name in names if held.topics.get(name, (None, 0.0))[1] <= now]
        for start in range(0, len(unknown), TOPICS_AT_ONCE):
            for name, found in look_up(held.admin, unknown[start : start + TOPICS_AT_ONCE]).items():
                usable = found.exists and found.may_write
                held.topics[name] = (found, float("inf") if usable else now + LOOK_AGAIN_S)
        return {name: held.topics.get(name, (TopicDescription(name), 0.0))[0] for name in names}

    def _read_marks(self, held: _Connection, records: Sequence[OutRecord]) -> None:
        """Of topics that this producer has not published to yet."""
        wanted = {record.topic for record in records if record.mark is not None} - held.marks.keys()
        wanted = {topic for topic in wanted if _refused(held.topics[topic][0]) is None}
        if wanted:
            held.marks |= read_marks(self._endpoint, held.producer, self._id, wanted)


def _end(held: _Connection) -> None:
    held.producer.discard()
    clients.close_admin(held.admin)


def _published(marks: Known, record: OutRecord) -> bool:
    known = marks.get(record.topic) if record.mark else None
    return (
        record.mark is not None
        and known is not None
        and known.incarnation == record.mark.incarnation
        and record.mark.position <= known.position
    )


def _refused(found: TopicDescription) -> Outcome | None:
    why = closed(found, "WRITE")
    return Outcome(*why) if why else None


def _too_large(record: OutRecord, limit: int) -> Outcome | None:
    """By an upper estimate of the record's size on the wire (record batch version 2)."""
    size = 128 + len(record.key or b"") + len(record.value or b"")
    size += sum(len(name.encode()) + len(value) + 10 for name, value in record.headers)
    if size <= limit:
        return None
    return Outcome(
        Refusal.TOO_LARGE, f"The record has {size} bytes, {limit} are the most that a topic takes."
    )
