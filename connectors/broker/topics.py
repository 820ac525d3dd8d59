"""The agency's two topics on a thread of their own: reading the one, writing the other."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kafka import TopicPartition, errors  # type: ignore[import-untyped]

from connectors.broker import troubles
from connectors.broker.clients import REQUEST_MS, Endpoint, Lookout, close
from connectors.broker.events import Record
from connectors.errors import BrokerAway, ConnectorError

LOOK_EVERY_S: Final = 10.0
POLL_AT_MOST: Final = 1000
SEND_WITHIN_S: Final = 20.0
LOOK_OUT_S: Final = 0.5

Message = tuple[str, bytes, list[tuple[str, bytes]]]
"""(key, value, headers)"""


@dataclass(frozen=True)
class Topic:
    """A topic as the broker shows it to this client."""

    name: str
    partitions: int
    rights: frozenset[str]


@dataclass(frozen=True)
class Batch:
    """What one poll gave. `fresh`: it begins at the places that were given, whatever was read before."""

    records: list[Record]
    fresh: bool


class Reading:
    """Reads a topic of which every partition is its own, from given places. A refused read is silent in the
    library, and so is a broker that is away: both are looked for every LOOK_EVERY_S."""

    def __init__(self, endpoint: Endpoint, topic: str, agency: str) -> None:
        self._endpoint, self._topic, self._agency = endpoint, topic, agency
        self._consumer = endpoint.consumer()
        try:
            self._admin = endpoint.admin()
        except BaseException:
            close(self._consumer)
            raise
        self._partitions = 0
        self._look_at_s = 0.0
        self._lookout = Lookout(endpoint)

    def poll(self, places: Mapping[int, int], anew: bool, timeout_ms: int) -> Batch:
        """Raises ConnectorError. `places` count at the first poll, when partitions came, and with `anew`."""
        began_s = time.monotonic()
        try:
            fresh = self._look(anew)
            if fresh:
                self._go_to(places)
            found = self._consumer.poll(timeout_ms=timeout_ms, max_records=POLL_AT_MOST)
        except errors.TopicAuthorizationFailedError as error:
            raise troubles.not_allowed(self._topic, "read") from error
        except (errors.KafkaError, OSError) as error:
            raise self._endpoint.told(error, began_s) from error
        records = [
            Record(one.partition, one.offset, tuple(one.headers), one.value)
            for part in found.values()
            for one in part
        ]
        return Batch(records, fresh)

    def span(self) -> dict[int, tuple[int, int]]:
        """Partition -> (first offset, offset behind the last)."""
        parts = self._parts()
        first = self._consumer.beginning_offsets(parts, timeout_ms=REQUEST_MS)
        last = self._consumer.end_offsets(parts, timeout_ms=REQUEST_MS)
        return {part.partition: (first[part], last[part]) for part in parts}

    def look(self) -> None:
        """Raises ConnectorError when the topic is not there or may not be read."""
        topic = look_up(self._admin, [self._topic], self._agency)[self._topic]
        if "READ" not in topic.rights:
            raise troubles.not_allowed(self._topic, "read")
        self._partitions = topic.partitions

    def close(self) -> None:
        close(self._consumer, self._admin)

    def _look(self, anew: bool) -> bool:
        before = self._partitions
        self._lookout.look()
        if time.monotonic() >= self._look_at_s:
            self.look()
            self._look_at_s = time.monotonic() + LOOK_EVERY_S
        return anew or self._partitions != before

    def _go_to(self, places: Mapping[int, int]) -> None:
        """A place that has expired, or lies in a topic that was made anew: the first record that is there."""
        spans = self.span()
        self._consumer.assign(self._parts())
        for number, (first, last) in spans.items():
            wanted = places.get(number, first)
            self._consumer.seek(
                TopicPartition(self._topic, number), wanted if first <= wanted <= last else first
            )

    def _parts(self) -> list[Any]:
        return [TopicPartition(self._topic, number) for number in range(self._partitions)]


class Writing:
    """Writes to one topic; its object is replaced after a failure."""

    def __init__(self, endpoint: Endpoint, topic: str, agency: str) -> None:
        self._endpoint, self._topic, self._agency = endpoint, topic, agency
        self._producer, self._lookout = endpoint.producer(), Lookout(endpoint)

    def send(self, messages: Sequence[Message]) -> list[bool]:
        """Of each whether the broker has it; False: it is too large. Raises ConnectorError: unknown."""
        began_s = time.monotonic()
        try:
            futures = [self._start(message) for message in messages]
            until_s = began_s + SEND_WITHIN_S
            return [self._fits(future, until_s) for future in futures]
        except (errors.KafkaError, OSError) as error:
            raise self._refusal(error, began_s) from error

    def close(self) -> None:
        close(self._producer)

    def _start(self, message: Message) -> Any:
        key, value, headers = message
        try:
            return self._producer.send(self._topic, value, key.encode(), headers)
        except errors.MessageSizeTooLargeError:
            return None

    def _fits(self, future: Any, until_s: float) -> bool:
        if future is None:
            return False
        while not future.is_done and time.monotonic() < until_s:
            with contextlib.suppress(errors.KafkaError):  # what it ended with is asked below
                future.get(LOOK_OUT_S)
            if not future.is_done:
                self._lookout.look()
        try:
            future.get(0.0)
        except errors.MessageSizeTooLargeError:
            return False
        return True

    def _refusal(self, error: BaseException, began_s: float) -> ConnectorError:
        """A topic that is not there may look like a broker that does not answer: it is looked for."""
        told = self._endpoint.told(error, began_s)
        if not isinstance(told, BrokerAway):
            return told
        try:
            check_writable(self._endpoint, self._topic, self._agency)
        except ConnectorError as trouble:
            return trouble
        return told


def check_writable(endpoint: Endpoint, topic: str, agency: str) -> None:
    """Raises ConnectorError when the topic is not there or may not be written; writes nothing."""
    began_s, admin = time.monotonic(), endpoint.admin()
    try:
        if "WRITE" not in look_up(admin, [topic], agency)[topic].rights:
            raise troubles.not_allowed(topic, "write")
    except (errors.KafkaError, OSError) as error:
        raise endpoint.told(error, began_s) from error
    finally:
        close(admin)


def look_up(admin: Any, names: Collection[str], agency: str) -> dict[str, Topic]:
    """Each topic with what this client may do there; raises ConnectorError for one that is not shown."""
    found = {}
    for topic in admin.describe_topics(sorted(names)):
        name, code = topic["name"], topic["error_code"]
        if code == errors.TopicAuthorizationFailedError.errno:
            raise troubles.hidden(name, agency)
        if code and not topic["partitions"]:
            raise troubles.missing(name)
        rights = frozenset(topic.get("authorized_operations") or ())
        found[name] = Topic(name, len(topic["partitions"]), rights)
    return found
