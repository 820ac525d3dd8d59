"""The CloudEvents binding: round trips, the CloudEvents SDK as the other side, and records that are none."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings import kafka as sdk
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from hub.bus.kafka.records import Event, NotACloudEvent, event_of, out_record
from hub.ports.broker import Headers, InRecord, Mark, OutRecord

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=40)
EXTENSION = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20).filter(
    lambda name: name not in ("data", "time", "dataschema", "subject", "datacontenttype", "partitionkey")
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
WHEN = datetime(2026, 11, 1, 8, 15, tzinfo=UTC)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, str]:
    extensions = draw(st.dictionaries(EXTENSION, TEXT, max_size=3))
    required = {"specversion": "1.0", "id": draw(TEXT), "source": draw(TEXT), "type": draw(TEXT)}
    return (
        extensions
        | required
        | {
            "datacontenttype": "application/json",
            "subject": draw(TEXT),
            "time": "2026-11-01T08:15:00Z",
        }
    )


def received(record: OutRecord) -> InRecord:
    return InRecord(record.topic, 0, 0, record.key, record.headers, record.value, 0)


def given_record(headers: Headers, value: bytes | None) -> InRecord:
    return InRecord("t", 0, 0, None, headers, value, 0)


@given(attributes(), st.none() | st.binary(max_size=50), TEXT, st.integers(0, 2**62))
def test_what_is_written_is_read(
    given_attributes: dict[str, str], data: bytes | None, incarnation: str, position: int
) -> None:
    event, mark = Event(given_attributes, data), Mark(incarnation, position)
    record = received(out_record("t", "kasus", event, mark))
    assert event_of(record) == event
    headers = dict(record.headers)
    assert headers["simpul-position"] == str(position).encode()
    assert headers["simpul-incarnation"] == incarnation.encode()
    assert record.key == b"kasus"


@given(attributes(), OBJECT)
def test_the_sdk_reads_what_we_write(given_attributes: dict[str, str], data: dict[str, Any]) -> None:
    record = out_record("t", "kasus", Event(given_attributes, orjson.dumps(data)), Mark("a", 1))
    message = sdk.KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value or b"")
    event = sdk.from_kafka(message, JSONFormat(), CloudEvent)
    found = {name: str(value) for name, value in event.get_attributes().items() if name != "partitionkey"}
    assert found == given_attributes | {"time": str(WHEN)}
    assert event.get_data() == data


@given(attributes(), OBJECT, st.booleans())
def test_we_read_what_the_sdk_writes(
    given_attributes: dict[str, str], data: dict[str, Any], structured: bool
) -> None:
    write = sdk.to_structured if structured else sdk.to_binary
    message = write(CloudEvent(given_attributes | {"time": WHEN}, data), JSONFormat())
    value = message.value.encode() if isinstance(message.value, str) else message.value
    event = event_of(given_record(tuple(message.headers.items()), value))
    assert event.attributes == given_attributes
    assert orjson.loads(event.data or b"") == data


@given(attributes(), OBJECT)
def test_both_modes_mean_the_same(given_attributes: dict[str, str], data: dict[str, Any]) -> None:
    document = given_attributes | {"data": data}
    headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    structured = event_of(given_record(headers, orjson.dumps(document)))
    binary = event_of(received(out_record("t", "k", Event(given_attributes, orjson.dumps(data)))))
    assert structured == binary


CE = (("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/a"), ("ce_type", b"t"))
AS_OBJECT = (("content-type", b"application/cloudevents+json"),)
WHOLE = {"specversion": "1.0", "id": "1", "source": "/a", "type": "t"}


@pytest.mark.parametrize(
    ("headers", "value", "said"),
    [
        ((), b"{}", "specversion is missing: as the header ce_specversion"),
        (CE[:3], b"{}", "type is missing"),
        ((*CE[1:], ("ce_specversion", b"0.3")), b"{}", "1.0 is needed"),
        ((*CE, ("ce_subject", b"\xff")), b"{}", "ce_subject is not UTF-8"),
        ((*CE, ("CE_ID", b"2")), b"{}", "CE_ID is there twice"),
        ((*CE, ("ce_Ünsinn", b"2")), b"{}", "cannot be the name of an attribute"),
        (AS_OBJECT, b"[]", "not an object"),
        (AS_OBJECT, b"{", "not JSON"),
        (AS_OBJECT, None, "not JSON"),
        (AS_OBJECT, orjson.dumps(WHOLE | {"tags": ["x"]}), "tags is neither text"),
        (AS_OBJECT, orjson.dumps(WHOLE | {"data_base64": "!"}), "not base64"),
        (AS_OBJECT, orjson.dumps(WHOLE | {"data_base64": "é"}), "not base64"),
        (AS_OBJECT, orjson.dumps(WHOLE)[:-1] + b',"data":' + b"[" * 300 + b"]" * 300 + b"}", "too deep"),
        (
            (("content-type", b"application/cloudevents-batch+json"),),
            b"[]",
            "send application/cloudevents+json",
        ),
    ],
)
def test_what_is_no_cloudevent_is_refused_in_words(headers: Headers, value: bytes | None, said: str) -> None:
    with pytest.raises(NotACloudEvent, match=re.escape(said)):
        event_of(given_record(headers, value))


@pytest.mark.parametrize(
    "headers",
    [
        (*CE[1:], ("ce_specversion", b"1" * 3_000_000)),
        (*CE[1:], ("ce_specversion", b"\x01" * 3_000_000)),
        (("content-type", b"application/cloudevents+xml" + b"\x01\n" * 1_000_000),),
        (*CE, ("ce_" + "\x02" * 1_000_000, b"")),
        (*CE, ("ce_" + "é" * 1_000_000, b"1"), ("ce_" + "é" * 1_000_000, b"2")),
        (*CE, ("ce_" + "x" * 1_000_000, b"\xff")),
    ],
)
def test_a_cause_repeats_little_of_the_record_and_that_in_ascii(headers: Headers) -> None:
    """It goes into a dead letter and an answer, which are not to hold the record."""
    with pytest.raises(NotACloudEvent) as refused:
        event_of(given_record(headers, b"{}"))
    said = str(refused.value)
    assert len(said) < 400 and said.isascii() and said.isprintable()


def test_an_attribute_of_an_object_is_repeated_as_little() -> None:
    value = orjson.dumps(WHOLE | {"\x01" * 100_000: ["x"]})
    with pytest.raises(NotACloudEvent) as refused:
        event_of(given_record(AS_OBJECT, value))
    assert len(str(refused.value)) < 400 and str(refused.value).isprintable()


def test_other_payloads_keep_their_bytes() -> None:
    document = WHOLE | {"datacontenttype": "text/csv", "data": "a;b", "flag": True, "count": 3}
    event = event_of(given_record(AS_OBJECT, orjson.dumps(document)))
    assert (event.data, event.attributes["flag"], event.attributes["count"]) == (b"a;b", "true", "3")
    encoded = WHOLE | {"datacontenttype": "image/png", "data_base64": "iVBO"}
    assert event_of(given_record(AS_OBJECT, orjson.dumps(encoded))).data == b"\x89PN"


def test_without_a_mark_no_header_speaks_of_the_log() -> None:
    event = Event({"specversion": "1.0", "id": "1", "source": "urn:x", "type": "t"}, None)
    names = [name for name, _ in out_record("t", "kasus", event).headers]
    assert not [name for name in names if name.startswith("simpul-")]
