"""One attempt to publish records as one transaction: all of them or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafka import TopicPartition, errors  # type: ignore[import-untyped]
from kafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]

from hub.bus.kafka import clients
from hub.ports.broker import Mark, Outcome, OutRecord, Refusal

FLUSH_S: Final = clients.DELIVERY_MS / 1000 + 3
END_MS: Final = 10_000

PERSONAL: Final[Mapping[type[BaseException], Outcome]] = {
    errors.MessageSizeTooLargeError: Outcome(Refusal.TOO_LARGE, "The topic takes no record of this size."),
    errors.RecordListTooLargeError: Outcome(Refusal.TOO_LARGE, "The topic takes no record of this size."),
    errors.InvalidRecordError: Outcome(Refusal.INVALID, "The broker finds the record invalid."),
    errors.InvalidTimestampError: Outcome(Refusal.INVALID, "The topic does not take the record's time."),
}
"""What the broker has against one record, and will have at the next attempt."""


class Unfit(Exception):
    """A record of the batch will not be taken; which one, the library cannot tell: it blames its neighbours
    too. The producer is spoilt: after such an abort its sequence numbers are no longer the broker's."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.why)
        self.outcome = outcome


def send(producer: clients.Producer, group: str, records: Sequence[OutRecord]) -> None:
    """Raises Unfit, or the library's errors: then whether the records were published is known only to the
    marks. After either the producer must not be used again."""
    producer.begin_transaction()
    try:
        futures = [
            producer.send(record.topic, record.value, key=record.key, headers=list(record.headers))
            for record in records
        ]
    except (ValueError, TypeError) as error:
        raise Unfit(Outcome(Refusal.INVALID, f"The record cannot be sent: {error}.")) from error
    except tuple(PERSONAL) as error:
        raise Unfit(PERSONAL[type(error)]) from error
    producer.flush(FLUSH_S)
    _raise_failures(futures)
    if marks := _marks(records):
        producer.add_offsets_within(marks, group, END_MS)
    producer.commit_within(END_MS)


def _raise_failures(futures: Sequence[Any]) -> None:
    for future in futures:
        error = future.exception
        if type(error) in PERSONAL:
            raise Unfit(PERSONAL[type(error)]) from error
    for future in futures:
        if not future.succeeded():
            raise future.exception or errors.KafkaTimeoutError("a record was not acknowledged in time")


def _marks(records: Sequence[OutRecord]) -> dict[Any, Any]:
    """The last mark of each topic, as the offset of its first partition."""
    last: dict[str, Mark] = {record.topic: record.mark for record in records if record.mark is not None}
    return {
        TopicPartition(topic, 0): OffsetAndMetadata(mark.position, mark.incarnation, -1)
        for topic, mark in last.items()
    }
