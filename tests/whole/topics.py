"""An agency's own system at the broker: kafka-python alone, signed in with the agency's token of the hub."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.net.sasl.oauth import AbstractTokenProvider

from tests.parts import kafka
from tests.parts.caller import Caller

COMMAND = "id.simpul.command.{}.v1"


class Provider(AbstractTokenProvider):
    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token


class AgencyAtBroker:
    def __init__(self, node: kafka.Node, prefix: str, caller: Caller, token: str | None = None) -> None:
        self.prefix, self.agency = prefix, caller.agency
        self._options: dict[str, Any] = {
            "bootstrap_servers": node.agency_bootstrap,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauth_token_provider": Provider(token or caller.sign_in()),
            "bootstrap_timeout_ms": 8000,
            "request_timeout_ms": 8000,
        }

    def send(
        self,
        act: str,
        body: Any,
        *,
        event_id: str,
        subject: str = "",
        to: str | None = None,
        raw: bytes | None = None,
    ) -> None:
        """One command as a CloudEvent in binary mode, keyed by its subject, so that what is asked of one case
        or forwarding is taken in order; raises what the library raises."""
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", event_id.encode()),
            ("ce_source", b"urn:uji"),
            ("ce_type", COMMAND.format(act).encode()),
            ("content-type", b"application/json"),
        ]
        if subject:
            headers.append(("ce_subject", subject.encode()))
        producer = KafkaProducer(**self._options, max_block_ms=8000)
        try:
            value = json.dumps(body).encode() if raw is None else raw
            topic, key = f"{self.prefix}inbound.{to or self.agency}", (subject or event_id).encode()
            producer.send(topic, value, key=key, headers=headers).get(10)
        finally:
            producer.close(5)

    def read(
        self, wanted: Callable[[list[dict[str, Any]]], bool], of: str | None = None, within_s: float = 20.0
    ) -> list[dict[str, Any]]:
        """Everything on the agency's topic, until it is what was wanted: each with `type`, `subject`,
        `correlationid`, `position` (text or None) and `data`."""
        consumer = KafkaConsumer(**self._options, isolation_level="read_committed", enable_auto_commit=False)
        found: list[dict[str, Any]] = []
        try:
            topic = f"{self.prefix}agency.{of or self.agency}"
            parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or (0,)]
            consumer.assign(parts)
            consumer.beginning_offsets(parts, timeout_ms=8000)
            consumer.seek_to_beginning(*parts)
            deadline = time.monotonic() + within_s
            while not wanted(found):
                assert time.monotonic() < deadline, found
                for records in consumer.poll(timeout_ms=200).values():
                    found += [_event(record) for record in records]
        finally:
            consumer.close()
        return found

    def ask(self, act: str, body: Any, *, event_id: str, subject: str = "") -> dict[str, Any]:
        """A command and its answer."""
        self.send(act, body, event_id=event_id, subject=subject)
        found = self.read(lambda events: event_id in answers(events))
        return answers(found)[event_id]


def answers(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The answers among what was read, by correlation id."""
    return {event["correlationid"]: event["data"] for event in found if event["type"] == "reply"}


def laid_open(node: kafka.Node, prefix: str) -> dict[str, list[bytes]]:
    """Every byte of every record on the hub's topics but the inbound ones, as who reads the broker's disk has
    them: keys, headers and values, of transactions that were ended and of those that were not."""
    consumer = KafkaConsumer(bootstrap_servers=node.bootstrap, enable_auto_commit=False)
    try:
        names = [name for name in consumer.topics() if name.startswith(prefix)]
        parts = [
            TopicPartition(name, number)
            for name in names
            if not name.startswith(f"{prefix}inbound.")
            for number in consumer.partitions_for_topic(name) or ()
        ]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends = consumer.end_offsets(parts)
        found: dict[str, list[bytes]] = {part.topic: [] for part in parts}
        deadline = time.monotonic() + 20
        while any(consumer.position(part) < end for part, end in ends.items()):
            assert time.monotonic() < deadline, "the topics were not read to their ends"
            for part, records in consumer.poll(timeout_ms=200).items():
                found[part.topic] += [_bytes(record) for record in records]
    finally:
        consumer.close()
    return found


def once_there(found: dict[str, list[bytes]], topic: str, *marks: str) -> dict[str, list[bytes]] | None:
    """What `laid_open` found, when the topic has a record with all these marks."""
    return found if any(all(mark.encode() in record for mark in marks) for record in found[topic]) else None


def where(found: dict[str, list[bytes]], word: str) -> set[str]:
    """The topics that hold it."""
    return {topic for topic, records in found.items() if any(word.encode() in each for each in records)}


def _bytes(record: Any) -> bytes:
    headers = [each for name, value in record.headers for each in (name.encode(), value or b"")]
    return b"\n".join([record.key or b"", *headers, record.value or b""])


def _event(record: Any) -> dict[str, Any]:
    headers = {name: value.decode() for name, value in record.headers}
    return {
        "id": headers["ce_id"],
        "type": headers["ce_type"].removeprefix("id.simpul.").removesuffix(".v1"),
        "subject": headers.get("ce_subject"),
        "correlationid": headers.get("ce_correlationid"),
        "position": headers.get("simpul-position"),
        "data": json.loads(record.value),
    }
