"""A consumer at work: what was assigned and revoked, where each partition goes on, records in our words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kafka import ConsumerRebalanceListener, TopicPartition  # type: ignore[import-untyped]

from hub.bus.kafka import clients
from hub.bus.kafka.directory import TopicDescription, look_up
from hub.bus.kafka.fetching import Unreadable
from hub.ports.broker import Flaw, InRecord, Notice, Partition, Trouble
from hub.ports.relaying import Place


class Reading(ConsumerRebalanceListener):  # type: ignore[misc]  # the library is untyped
    """Owns a consumer. What is assigned is paused at once and read only after `place`: the library calls its
    listener on the thread that also keeps the membership alive, so nothing may wait there."""

    def __init__(self, consumer: Any, admin: Any) -> None:
        self.consumer = consumer
        self.admin = admin
        self.wanted: frozenset[str] | None = None
        self.readable: frozenset[str] = frozenset()
        self.look_at = 0.0
        self.topic_ids: dict[str, str] = {}
        """Of the topics that were placed."""
        self.unplaced: set[Partition] = set()
        self._assigned: set[Partition] = set()
        self._revoked: set[Partition] = set()

    def subscribe(self, topics: Collection[str]) -> None:
        """Only topics that may be read: one that may not would silence the others."""
        if self.readable == frozenset(topics):
            return
        self.readable = frozenset(topics)
        if topics:
            self.consumer.subscribe(sorted(topics), listener=self)
        else:
            gone = _ours(self.consumer.assignment())
            self.consumer.unsubscribe()
            self._take_away(gone)

    def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        self.consumer.pause(*assigned)
        parts = _ours(assigned)
        self._assigned |= parts
        self.unplaced |= parts

    def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        self._take_away(_ours(revoked))

    def on_partitions_lost(self, lost: Collection[Any]) -> None:
        self._take_away(_ours(lost))

    def changes(self) -> tuple[frozenset[Partition], frozenset[Partition]]:
        """(assigned, revoked) since the last call."""
        assigned, revoked = frozenset(self._assigned), frozenset(self._revoked)
        self._assigned.clear()
        self._revoked.clear()
        return assigned, revoked

    def renewed(self, topics: Mapping[str, TopicDescription]) -> None:
        """A topic that was made anew while it was read is placed again: paused, it is found."""
        other = {name for name, old in self.topic_ids.items() if name in topics and topics[name].id != old}
        if parts := [part for part in self.consumer.assignment() if part.topic in other]:
            self.consumer.pause(*parts)

    def place(self, parts: Collection[Partition], places: Mapping[Partition, Place]) -> list[Notice]:
        """Goes to the places and begins to read there."""
        self.topic_ids |= {
            name: found.id for name, found in look_up(self.admin, {name for name, _ in parts}).items()
        }
        known = {TopicPartition(*part): part for part in sorted(parts)}
        first = self.consumer.beginning_offsets(list(known), timeout_ms=clients.REQUEST_MS)
        last = self.consumer.end_offsets(list(known), timeout_ms=clients.REQUEST_MS)
        notices: list[Notice] = []
        ours = self.consumer.assignment()
        for part, name in known.items():
            if part not in ours:
                continue
            offset, notice = _start(
                name, places.get(name), self.topic_ids.get(part.topic, ""), first[part], last[part]
            )
            self.consumer.seek(part, offset)
            self.consumer.resume(part)  # last: what is not paused is never placed again
            self.unplaced.discard(name)
            notices += [notice] if notice else []
        return notices

    def find_forgotten(self) -> None:
        """What is paused waits for its place, whatever the listener's thread did meanwhile: a partition that
        changes hands twice while it is being placed would else stay silent for ever."""
        self.unplaced = _ours(self.consumer.paused())

    def close(self) -> None:
        clients.close_consumer(self.consumer)
        clients.close_admin(self.admin)

    def _take_away(self, parts: set[Partition]) -> None:
        self._revoked |= parts
        self._assigned -= parts
        self.unplaced -= parts


def records_of(found: Mapping[Any, Collection[Any]], topic_ids: Mapping[str, str]) -> list[InRecord]:
    """By partition, in the order of their offsets."""
    return [_record(one, topic_ids.get(one.topic, "")) for records in found.values() for one in records]


def _record(one: Any, topic_id: str) -> InRecord:
    flaw = _flaw(one, one.value) if isinstance(one.value, Unreadable) else None
    value = None if flaw else one.value
    headers = tuple(one.headers)
    place = one.topic, one.partition, one.offset
    return InRecord(*place, one.key, headers, value, one.timestamp, topic_id, flaw)


def _flaw(one: Any, unread: Unreadable) -> Flaw:
    where = (
        f"offset {one.offset}" if unread.first == one.offset else f"offsets {unread.first} to {one.offset}"
    )
    return Flaw(unread.kind, f"{one.topic}, partition {one.partition}, {where}: {unread.why}")


def _ours(parts: Collection[Any]) -> set[Partition]:
    return {(part.topic, part.partition) for part in parts}


def _start(
    part: Partition, place: Place | None, topic_id: str, first: int, last: int
) -> tuple[int, Notice | None]:
    """Where to begin, and what is to be said about it."""
    topic, number = part
    if place is None:
        return first, None
    wanted = place.offset
    if not place.is_of(topic_id):
        why = f"{topic}: it is another topic than before (id {topic_id}, not {place.topic_id}); made anew."
        return first, Notice(Trouble.OFFSETS_RENEWED, topic, number, why)
    if first <= wanted <= last:
        return wanted, None
    if wanted > last:
        why = f"{topic}: partition {number} ends at {last}, {wanted} was expected; the topic was made anew."
        return first, Notice(Trouble.OFFSETS_RENEWED, topic, number, why)
    why = f"{topic}: {first - wanted} records of partition {number} expired before they were read."
    return first, Notice(Trouble.RECORDS_EXPIRED, topic, number, why, first - wanted)
