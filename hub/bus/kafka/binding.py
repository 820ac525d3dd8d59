"""CloudEvents as the hub's own documents: what the relay publishes and what the inbound role reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from hub.bus.kafka.records import Event, NotACloudEvent, event_of, out_record
from hub.ports.broker import InRecord, Mark, OutRecord


def published(topic: str, event: Mapping[str, Any], mark: Mark | None) -> OutRecord:
    """A CloudEvent in its JSON form as a record in binary mode, keyed by its subject."""
    attributes = {name: str(value) for name, value in event.items() if name != "data"}
    return out_record(topic, str(event["subject"]), Event(attributes, orjson.dumps(event["data"])), mark)


def received(record: InRecord) -> Mapping[str, Any]:
    """The event's attributes, and `data` as bytes. ValueError, in words, for what is no CloudEvent."""
    try:
        event = event_of(record)
    except NotACloudEvent as error:
        raise ValueError(str(error)) from error
    return {**event.attributes, "data": event.data or b""}
