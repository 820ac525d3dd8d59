"""CloudEvents on Kafka: binary mode written, binary and structured mode read (Kafka binding 1.0.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from schemas.events import event_type

POSITION: Final = "simpul-position"
INCARNATION: Final = "simpul-incarnation"
CORRELATION: Final = "correlation-id"
REPLY_TYPE: Final = event_type("reply")
_STRUCTURED: Final = re.compile(r"application/cloudevents\+json\s*(;|$)", re.IGNORECASE)

Headers = Sequence[tuple[str, bytes]]


class NotAnEvent(ValueError):
    """A record that is no CloudEvent in JSON; the text says why."""


@dataclass(frozen=True)
class Record:
    """What the broker gave."""

    partition: int
    offset: int
    headers: Headers
    value: bytes | None

    def header(self, name: str) -> str:
        """A header as text, by its name in any case; "" when it is not there."""
        found = next((value for key, value in self.headers if key.lower() == name), b"")
        return (found or b"").decode("utf-8", "replace")


@dataclass(frozen=True)
class Command:
    """What goes to the hub. `id` is the idempotency key, `correlation` comes back with the reply."""

    id: str
    name: str
    subject: str
    key: str
    body: bytes
    correlation: str

    def headers(self, source: str, now: datetime) -> list[tuple[str, bytes]]:
        """Binary mode; the body is the record's value."""
        attributes = {
            "specversion": "1.0",
            "id": self.id,
            "source": source,
            "type": event_type(f"command.{self.name}"),
            "subject": self.subject,
            "time": now.isoformat(timespec="milliseconds"),
        }
        headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items() if value]
        return [*headers, ("content-type", b"application/json"), (CORRELATION, self.correlation.encode())]


def event_of(record: Record) -> dict[str, Any]:
    """The event as the mailbox would give it, in either mode; raises NotAnEvent."""
    media_type = record.header("content-type")
    if media_type.lower().startswith("application/cloudevents"):
        if not _STRUCTURED.match(media_type):
            raise NotAnEvent(f"content-type is {media_type}")
        event: dict[str, Any] = _json(record.value)
    else:
        event = _binary(record)
    for name in ("id", "type"):
        if not isinstance(event.get(name), str) or not event[name]:
            raise NotAnEvent(f"{name} is missing")
    return event


def mark_of(record: Record) -> tuple[int, str] | None:
    """(position in the mailbox, incarnation of the hub); None for what stands in no mailbox."""
    position, incarnation = record.header(POSITION), record.header(INCARNATION)
    return (int(position), incarnation) if position.isdigit() and incarnation else None


def correlation_of(record: Record, event: dict[str, Any]) -> str:
    """Which record a reply answers."""
    return str(event.get("correlationid") or record.header(CORRELATION) or event.get("subject") or "")


def _binary(record: Record) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for name, value in record.headers:
        if name.lower().startswith("ce_"):
            event[name.lower().removeprefix("ce_")] = (value or b"").decode("utf-8", "replace")
    if not event:
        raise NotAnEvent("it has no ce_ headers")
    event["datacontenttype"] = record.header("content-type") or "application/json"
    if record.value:
        event["data"] = _json(record.value, members=False)
    return event


def _json(value: bytes | None, members: bool = True) -> Any:
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError as error:
        raise NotAnEvent("its value is not JSON") from error
    if members and not isinstance(document, dict):
        raise NotAnEvent("its value is no JSON object")
    return document
