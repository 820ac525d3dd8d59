"""What was published last, as the broker tells it: the marks lie in the offsets of a group that nobody reads
with. A transaction that nobody ends would hide them for ever; so it is ended here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import structlog
from kafka import TopicPartition, errors  # type: ignore[import-untyped]
from kafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]

from hub.bus.kafka import clients
from hub.bus.kafka.endpoint import BrokerListener
from hub.ports.broker import BrokerAway, Mark

log = structlog.get_logger(__name__)

END_MS: Final = 5_000
NOT_READY: Final = (
    errors.NotCoordinatorError,
    errors.CoordinatorNotAvailableError,
    errors.CoordinatorLoadInProgressError,
)


def read_marks(
    endpoint: BrokerListener, producer: clients.Producer, group: str, topics: Collection[str]
) -> dict[str, Mark | None]:
    """Each topic's mark; None where there is none. `producer` is initialised, with no transaction begun.
    BrokerAway says what is waited for. Only a group's reader of committed records waits for offsets whose
    transaction is just being closed."""
    reader = clients.consumer(endpoint, group)
    try:
        return {topic: _settled(reader, producer, group, topic) for topic in sorted(topics)}
    finally:
        clients.close_consumer(reader)


def _settled(reader: clients.Consumer, producer: clients.Producer, group: str, topic: str) -> Mark | None:
    try:
        try:
            return _mark(reader, topic)
        except errors.UnstableOffsetCommitError:
            log.warning("kafka_marks_left_open", group=group, topic=topic)
            _end_what_was_left(producer, group, topic)
            return _mark(reader, topic)
    except (errors.UnstableOffsetCommitError, *NOT_READY) as error:
        raise BrokerAway(f"{group}: {_waits_for(error, group, topic)} ({_name(error)})") from error


def _mark(reader: clients.Consumer, topic: str) -> Mark | None:
    stored = reader.stored(TopicPartition(topic, 0), clients.REQUEST_MS)
    return None if stored is None or stored.offset < 0 else Mark(stored.metadata, stored.offset)


def _end_what_was_left(producer: clients.Producer, group: str, topic: str) -> None:
    """Every transaction of our id was ended when this producer took over, as far as the coordinator of
    transactions knows. What the group's coordinator still holds open for us it has lost sight of; the end of
    any transaction of ours over the group makes it let go. An abort: a mark that was never committed must
    count for nothing, and one that was, and is lost, costs a record twice, never a record."""
    producer.begin_transaction()
    producer.add_offsets_within({TopicPartition(topic, 0): OffsetAndMetadata(0, "", -1)}, group, END_MS)
    producer.abort_within(END_MS)


def _waits_for(error: Exception, group: str, topic: str) -> str:
    if isinstance(error, errors.UnstableOffsetCommitError):
        return (
            f"what was published last to {topic} cannot be told, since somebody else's transaction over the "
            f"group {group} is not finished; it is waited for"
        )
    return (
        f"the broker that keeps the group {group} is not ready to say what was published last; it is waited "
        "for. If it lasts for minutes, look into that broker's log for 'Failed to load metadata from "
        "__consumer_offsets', and restart that broker"
    )


def _name(error: Exception) -> str:
    return type(error).__name__.removesuffix("Error")
