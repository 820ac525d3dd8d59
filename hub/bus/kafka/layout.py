"""Which topics the hub has and how they are kept, and what is to be done to come from what is there to what
is wanted. Pure; the broker is asked and told in `topics.py`.

| topic | partitions | kept | holds |
|---|---|---|---|
| `<prefix>events` | 12 | 7 days | the log: clear headers and sealed parts, keyed by subject |
| `<prefix>dead-letter` | 1 | 90 days | cause and origin of what could not be taken in, never the record |
| `<prefix>inbound.<agency>` | 3 | 24 h | what an agency submits; it alone may write |
| `<prefix>agency.<agency>` | 3 | 24 h | what it receives, rendered for it; it alone may read |

Replication is min(3, brokers), of which two must have a record (one, with fewer than three brokers). A record
has at most 4 MiB. Personal data is readable in inbound and agency topics, hence the 24 h, and the segments
of an hour: Kafka deletes whole segments only, so that a record goes about an hour late at most. The
broker's clock counts, not the sender's, who could otherwise keep a record for years. Nor does the broker
compress anew what comes: it would hold a whole batch unpacked, and a default of its own could be a codec that
nobody here reads. When partitions are added a subject may move to another one: its order holds before and
after, not across."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.ports.topics import (
    COPIES_KEPT,
    DEAD_LETTERS_KEPT,
    SEGMENT,
    dead_letter,
    events,
    inbound,
    outbound,
)

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024 + 64 * 1024
"""The largest record (clients.MAX_RECORD_BYTES) with its batch around it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is, or as it should be. `configs` holds only what the hub cares for."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and what is left alone and why."""

    creates: tuple[Topic, ...]
    grows: Mapping[str, tuple[int, int]]
    settings: Mapping[str, Mapping[str, tuple[str, str]]]
    notes: tuple[str, ...]

    def sentences(self) -> tuple[str, ...]:
        """One for each change, in the order in which they are made."""
        made = [
            f"create {topic.name}: {topic.partitions} partitions, {topic.replication} replicas, "
            f"kept {_kept(topic.configs)}"
            for topic in self.creates
        ]
        grown = [f"grow {name} from {old} to {new} partitions" for name, (old, new) in self.grows.items()]
        set_ = [
            f"set {key} of {name} from {old or 'its default'} to {new}"
            for name, changed in self.settings.items()
            for key, (old, new) in changed.items()
        ]
        return (*made, *grown, *set_)


def wanted(prefix: str, agencies: Collection[str], brokers: int) -> list[Topic]:
    """Every topic of a hub with these agencies on Kafka, on that many brokers."""
    replication = min(3, max(1, brokers))

    def topic(name: str, partitions: int, kept_ms: int) -> Topic:
        return Topic(name, partitions, replication, _configs(kept_ms, replication))

    own = [topic(events(prefix), 12, 7 * DAY_MS), topic(dead_letter(prefix), 1, _ms(DEAD_LETTERS_KEPT))]
    for agency in sorted(agencies):
        own += [topic(name(prefix, agency), 3, _ms(COPIES_KEPT)) for name in (inbound, outbound)]
    return own


def plan(existing: Collection[Topic], wish: Collection[Topic]) -> Plan:
    """Creates what is missing, adds partitions, sets what differs. Takes nothing away: more partitions than
    wanted, another replication and topics that nobody wants are left, with a note."""
    there = {topic.name: topic for topic in existing}
    names = {topic.name for topic in wish}
    both = [(there[topic.name], topic) for topic in wish if topic.name in there]
    notes = [note for old, new in both for note in _notes(old, new)]
    notes += [f"{name} is left: no agency on Kafka has it" for name in sorted(there.keys() - names)]
    return Plan(
        creates=tuple(topic for topic in wish if topic.name not in there),
        grows={
            old.name: (old.partitions, new.partitions) for old, new in both if old.partitions < new.partitions
        },
        settings={old.name: changed for old, new in both if (changed := _changed(old, new))},
        notes=tuple(notes),
    )


def _configs(kept_ms: int, replication: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(kept_ms),
        "retention.bytes": "-1",
        "segment.ms": str(_ms(SEGMENT) if kept_ms <= _ms(COPIES_KEPT) else DAY_MS),
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "min.insync.replicas": "2" if replication >= 3 else "1",
        "unclean.leader.election.enable": "false",
        "message.timestamp.type": "LogAppendTime",
        "compression.type": "producer",
    }


def _changed(old: Topic, new: Topic) -> dict[str, tuple[str, str]]:
    return {
        key: (old.configs.get(key, ""), value)
        for key, value in new.configs.items()
        if old.configs.get(key) != value
    }


def _notes(old: Topic, new: Topic) -> list[str]:
    notes = []
    if old.partitions > new.partitions:
        notes.append(f"{old.name} keeps its {old.partitions} partitions: they are never taken away")
    if old.replication != new.replication:
        notes.append(
            f"{old.name} has {old.replication} replicas instead of {new.replication}: "
            "move them with kafka-reassign-partitions"
        )
    return notes


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)


def _kept(configs: Mapping[str, str]) -> str:
    hours = int(configs["retention.ms"]) // HOUR_MS
    return f"{hours} h" if hours <= 24 else f"{hours // 24} days"
