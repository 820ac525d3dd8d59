"""Port: what the relay and the inbound consumer keep in the database. None is a projection of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """Where reading a partition goes on: the offset, and the broker's id of the topic that it is of ("":
    unknown). A topic that is deleted and made anew has another id, and its offsets are others."""

    offset: int
    topic_id: str = ""

    def is_of(self, topic_id: str) -> bool:
        return not (self.topic_id and topic_id) or self.topic_id == topic_id


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a command came from: one record of one partition. `correlation` is what the sender calls it;
    `topic_id` is the broker's, "" where it tells none; `sha256` of the record's value, hex."""

    topic: str
    partition: int
    offset: int
    correlation: str
    topic_id: str = ""
    sha256: str = ""

    @property
    def partition_of_topic(self) -> tuple[str, int]:
        return self.topic, self.partition

    @property
    def full_topic(self) -> str:
        """`topic@id`: never that of an earlier topic of the same name."""
        return f"{self.topic}@{self.topic_id}" if self.topic_id else self.topic


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """The answer to one inbound record, waiting to be published on its agency's own topic. `topic` is the
    origin's `full_topic`; `document` is JSON: status and ids, or status and problem; no text."""

    agency: str
    topic: str
    partition: int
    offset: int
    correlation: str
    document: bytes
    created_at: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be taken: cause and origin, never the record. `sha256` of its value, hex. The
    id is the origin's `full_topic`, partition and offset."""

    id: str
    agency: str
    topic: str
    partition: int
    offset: int
    sha256: str
    cause: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one publication settled: cursors by lane, and the rows that are published."""

    cursors: Mapping[str, int]
    record_answers: Sequence[RecordAnswer] = ()
    dead_letters: Sequence[DeadLetter] = ()


class RelayTable(Protocol):
    """Synchronous; in a hub that runs, whatever writes is called on the writer's thread."""

    def cursors(self) -> dict[str, int]:
        """How far each lane has been published: a position of the log, or of a mailbox."""
        ...

    def settle(self, token: int, relayed: Relayed) -> bool:
        """Moves cursors, deletes published answers, marks dead letters as published unless they were redriven
        meanwhile: one transaction. False, and nothing is done, when the relay's lease has passed to a holder
        with a higher token."""
        ...

    def record_answers(self, agency: str, limit: int) -> list[RecordAnswer]:
        """The agency's oldest that wait."""
        ...

    def unpublished_dead_letters(self, limit: int) -> list[DeadLetter]: ...

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """Those that are still dead, the newest first."""
        ...

    def dead_letter(self, letter_id: str) -> DeadLetter | None:
        """By its id; None where there is none, or it was redriven."""
        ...

    def forget_dead_letters(self, before: str) -> int:
        """Deletes a page of those made before that moment (RFC 3339), whatever became of them; how many, and
        CHORE_PAGE or more where there may be more."""
        ...

    def redriven(self, letter_id: str) -> None:
        """It was tried again and taken: it is no dead letter any more."""
        ...

    def next_offsets(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Place]:
        """Where reading goes on, of the partitions that were ever read."""
        ...

    def forget_offsets(self, topic: str, partition: int) -> None:
        """The topic was made anew: the partition's offsets begin again."""
        ...
