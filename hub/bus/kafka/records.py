"""CloudEvents on Kafka: binary mode written, binary and structured mode read.

Source: Kafka Protocol Binding for CloudEvents 1.0.2, sections 3.2 (binary) and 3.3 (structured)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from hub.ports.broker import BrokerError, Headers, InRecord, Mark, OutRecord

POSITION: Final = "simpul-position"
INCARNATION: Final = "simpul-incarnation"
CONTENT_TYPE: Final = "content-type"
PREFIX: Final = "ce_"
STRUCTURED: Final = "application/cloudevents"
JSON: Final = "application/json"
REQUIRED: Final = ("specversion", "id", "source", "type")
SHOWN: Final = 50
NAME: Final = re.compile(r"[a-z0-9]{1,40}")


class NotACloudEvent(BrokerError):
    """The record is no CloudEvent 1.0; the message says what is missing or wrong, by header or member."""


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent as its sender meant it, whichever mode it came in. `attributes` are text, as in headers
    (`datacontenttype` among them); `data` are the bytes of the payload, None for none."""

    attributes: Mapping[str, str]
    data: bytes | None


def out_record(topic: str, key: str, event: Event, mark: Mark | None = None) -> OutRecord:
    """In binary mode, with its place in the log in two headers of ours."""
    headers: list[tuple[str, bytes]] = [
        (CONTENT_TYPE if name == "datacontenttype" else PREFIX + name, value.encode())
        for name, value in event.attributes.items()
    ]
    if mark is not None:
        headers.append((POSITION, b"%d" % mark.position))
        headers.append((INCARNATION, mark.incarnation.encode()))
    return OutRecord(topic, key.encode(), tuple(headers), event.data, mark)


def event_of(record: InRecord) -> Event:
    """The record's event; NotACloudEvent."""
    headers = _texts(record.headers)
    media_type = headers.get(CONTENT_TYPE, "")
    if media_type.lower().startswith(STRUCTURED):
        event = _structured(media_type, record.value)
    else:
        event = _binary(headers, media_type, record.value)
    _check(event.attributes)
    return event


def _texts(headers: Headers) -> dict[str, str]:
    """By name in lower case; only those that the binding knows must be text, and only once."""
    texts: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower != CONTENT_TYPE and not lower.startswith(PREFIX):
            continue
        if lower in texts:
            raise NotACloudEvent(f"The header {_shown(name)} is there twice; send it once.")
        try:
            texts[lower] = (value or b"").decode()
        except UnicodeDecodeError as error:
            raise NotACloudEvent(f"The header {_shown(name)} is not UTF-8 text.") from error
    return texts


def _binary(headers: Mapping[str, str], media_type: str, value: bytes | None) -> Event:
    attributes = {name.removeprefix(PREFIX): text for name, text in headers.items() if name != CONTENT_TYPE}
    if media_type:
        attributes["datacontenttype"] = media_type
    return Event(attributes, value)


def _structured(media_type: str, value: bytes | None) -> Event:
    if not re.match(r"application/cloudevents\+json\s*(;|$)", media_type, re.IGNORECASE):
        raise NotACloudEvent(f"content-type is {_shown(media_type)}; send application/cloudevents+json.")
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError as error:
        raise NotACloudEvent(f"The value is not JSON ({error}).") from error
    if not isinstance(document, dict):
        raise NotACloudEvent("The value is JSON, but not an object.")
    return Event(_attributes(document), _data(document))


def _attributes(document: dict[str, Any]) -> dict[str, str]:
    members = {name: value for name, value in document.items() if name not in ("data", "data_base64")}
    attributes = {name: _text(name, value) for name, value in members.items() if value is not None}
    if "data" in document:
        attributes.setdefault("datacontenttype", JSON)
    return attributes


def _text(name: str, value: object) -> str:
    """An attribute's canonical text (CloudEvents 1.0, type system)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    raise NotACloudEvent(f"The attribute {_shown(name)} is neither text, a whole number, nor true or false.")


def _data(document: dict[str, Any]) -> bytes | None:
    if (encoded := document.get("data_base64")) is not None:
        return _decoded(encoded)
    data = document.get("data")
    if data is None:
        return None
    if isinstance(data, str) and not _is_json(str(document.get("datacontenttype") or JSON)):
        return data.encode()
    try:
        return orjson.dumps(data)
    except TypeError as error:  # orjson reads deeper than it writes
        raise NotACloudEvent("data is nested too deep; send it flat.") from error


def _decoded(encoded: object) -> bytes:
    try:
        return base64.b64decode(str(encoded), validate=True)
    except ValueError as error:  # binascii's own is one, and so is what it says of letters beyond ASCII
        raise NotACloudEvent(f"data_base64 is not base64 ({error}).") from error


def _check(attributes: Mapping[str, str]) -> None:
    for name in REQUIRED:
        if not attributes.get(name):
            raise NotACloudEvent(
                f"{name} is missing: as the header {PREFIX}{name} (binary mode), or in the JSON object with "
                "content-type application/cloudevents+json (structured mode)."
            )
    if attributes["specversion"] != "1.0":
        raise NotACloudEvent(f"specversion is {_shown(attributes['specversion'])}; 1.0 is needed.")
    for name in attributes:
        if not NAME.fullmatch(name):
            raise NotACloudEvent(f"{_shown(name)} cannot be the name of an attribute: a-z and 0-9 only.")


def _shown(text: str) -> str:
    """A sender's words in a cause: cut, and in ASCII, as they go into dead letters and answers."""
    return ascii(text[:SHOWN])[1:-1]


def _is_json(media_type: str) -> bool:
    kind = media_type.partition(";")[0].strip().lower()
    return kind.endswith(("+json", "/json"))
