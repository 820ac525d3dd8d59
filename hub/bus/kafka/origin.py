"""One record at its place: for what was dead and is tried again while the broker still keeps it."""

from __future__ import annotations

import time
from typing import Final

from kafka import TopicPartition  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from hub.bus.kafka import clients
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.errors import told
from hub.bus.kafka.reading import records_of
from hub.ports.broker import BrokerAway, InRecord

WITHIN_S: Final = 10.0


def record_at(endpoint: BrokerListener, topic: str, partition: int, offset: int) -> InRecord | None:
    """The record, None when it is no longer kept. Blocks for up to WITHIN_S; raises BrokerAway and what else
    the port knows."""
    place = TopicPartition(topic, partition)
    try:
        reader = clients.consumer(endpoint, "simpul-redrive", max_poll_records=1)
    except KafkaError as error:
        raise told(error, "reading the record") from error
    try:
        reader.assign([place])
        first = reader.beginning_offsets([place], timeout_ms=clients.REQUEST_MS)[place]
        last = reader.end_offsets([place], timeout_ms=clients.REQUEST_MS)[place]
        if not first <= offset < last:
            return None
        reader.seek(place, offset)
        return _poll(reader, offset)
    except KafkaError as error:
        raise told(error, "reading the record") from error
    finally:
        clients.close_consumer(reader)


def _poll(reader: object, offset: int) -> InRecord | None:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        for record in records_of(reader.poll(timeout_ms=500), {}):  # type: ignore[attr-defined]
            return record if record.offset == offset else None
    raise BrokerAway(f"The broker gave no record within {WITHIN_S:g} s.")
