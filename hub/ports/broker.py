"""Port: the broker on which large agencies submit and receive. Records out, records in, topics and rights,
and the proof that the agencies' listener verifies who speaks. Adapter: `hub/bus/kafka/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from hub.errors import SettingsError, SimpulError
from hub.ports.relaying import Place

Headers = tuple[tuple[str, bytes], ...]
"""In order; a name may come more than once."""
Partition = tuple[str, int]
"""(topic, number from 0)."""
NextOffsets = Callable[[Collection[Partition]], Awaitable[Mapping[Partition, Place]]]
"""Asked, on the event loop, for the place to read next of partitions that were just assigned; a partition
that is left out is read from its beginning, and so is one whose topic has another id by now."""


class BrokerError(SimpulError):
    """Something about the broker."""


class BrokerAway(BrokerError):
    """The broker does not answer, or what became of a call is unknown. Nothing is lost by trying again."""


class ProducerFenced(BrokerError):
    """Another process publishes under this transactional id: whoever gets this no longer holds the claim."""


class BrokerRefused(BrokerError):
    """The broker answered and does not allow it. The message says what, and what would be right."""


class ListenerUnsafe(SettingsError):
    """The agencies' listener lets in who cannot prove who they are; it must not be used."""


class TopicClosed(StrEnum):
    """Why a topic cannot be used at all, be it for reading or for writing."""

    MISSING = "topic_missing"
    NOT_AUTHORISED = "not_authorised"


class Refusal(StrEnum):
    """Why one record was not taken while its neighbours were."""

    TOO_LARGE = "too_large"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the publisher's own order (of the log, or of a mailbox): positions rise within a topic, and
    those of another incarnation are not comparable."""

    incarnation: str
    position: int


@dataclass(frozen=True, slots=True)
class OutRecord:
    """A record to publish. Records of one key keep their order; `value` None is a tombstone. With a mark, the
    record is published at most once per topic, whatever crashes in between."""

    topic: str
    key: bytes | None
    headers: Headers
    value: bytes | None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record: acknowledged when `refused` is None."""

    refused: Refusal | TopicClosed | None = None
    why: str = ""


ACKNOWLEDGED: Final = Outcome()


class Publisher(Protocol):
    """Publishes under one transactional id. Guarantees:

    - One `publish` is one transaction: readers of committed records see all of its acknowledged ones or none;
      but when the broker finds one of them unfit, the others go in parts around it.
    - Records of one topic and key are stored in the order given.
    - The newest process with a transactional id wins: the one before it gets ProducerFenced from then on.
    - A marked record at or below the mark that its topic already holds is acknowledged and not sent again.
      The marks are committed with the records, so a batch that is repeated after BrokerAway, after a crash,
      or by a successor that began at an older position leaves no record twice.
    - A missing topic, a refused topic and a record that is too large concern themselves alone: their records
      are refused, the others are published. A missing topic is looked up again after a few seconds.
    """

    async def start(self) -> None:
        """Returns at once, also with the broker away."""
        ...

    async def publish(self, records: Sequence[OutRecord]) -> list[Outcome]:
        """An outcome per record, in order. BrokerAway: nothing is known, publish the same again;
        BrokerRefused: the hub's user may not publish at all; ProducerFenced: another process has taken over,
        until the next `start`. Calls are served one after the other."""
        ...

    async def stop(self) -> None:
        """Within 5 s, also with the broker away or hanging. What was not acknowledged was not published."""
        ...

    @property
    def away(self) -> str | None:
        """Why the broker cannot be used now, in words; None while it can (or was not needed yet)."""
        ...


class Unread(StrEnum):
    """Why a record could not be read."""

    CODEC = "codec"
    TOO_LARGE = "too_large"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What could not be read, and why: a sentence that names topic, partition and offsets, and the remedy."""

    kind: Unread
    why: str


@dataclass(frozen=True, slots=True)
class InRecord:
    """A record that was read. `timestamp_ms` is the broker's or the sender's, by the topic's setting;
    `topic_id` is the broker's, "" where it tells none. With a `flaw` it stands for a record, or for the rest
    of a batch up to its offset, that could not be read: it has no value, and only the headers that could be
    read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Headers
    value: bytes | None
    timestamp_ms: int
    topic_id: str = ""
    flaw: Flaw | None = None


class Trouble(StrEnum):
    """What a reader must know about a topic beside its records."""

    RECORDS_EXPIRED = "records_expired"
    OFFSETS_RENEWED = "offsets_renewed"
    STOOD_STILL = "stood_still"


@dataclass(frozen=True, slots=True)
class Notice:
    """A trouble with one topic, told once when it begins. `partition` is -1 for the whole topic; `missed` is
    how many offsets were lost to expiry. OFFSETS_RENEWED: the topic was made anew, its offsets begin again,
    so what was stored about the old ones must be forgotten; it is read from its beginning. STOOD_STILL: our
    reader read nothing though it should have, and was replaced; `topic` names all that it reads."""

    trouble: Trouble | TopicClosed
    topic: str
    partition: int
    why: str
    missed: int = 0


@dataclass(frozen=True, slots=True)
class InBatch:
    """What one poll gave. `revoked` are no longer ours: their state may be dropped; `assigned` are read from
    the offsets that the callback gave."""

    records: Sequence[InRecord] = ()
    assigned: frozenset[Partition] = frozenset()
    revoked: frozenset[Partition] = frozenset()
    notices: tuple[Notice, ...] = ()


class Source(Protocol):
    """Reads committed records of a set of topics as a member of a group. Guarantees:

    - Each partition is read by one living member of the group, in the order of its offsets, from the offset
      that the callback gave at its assignment. Offsets kept at the broker are never used.
    - Partitions change hands only inside `poll`: a batch in hand still belongs to its holder, unless the
      process slept through its session (6 s); what it does then must be refused by the position stored with
      the effect.
    - A topic that may not be read is told as a notice and harms no other topic; it is tried again every
      ten seconds.
    - Memory is bounded: nothing is read ahead of `poll` beyond one fetch per partition.
    """

    async def start(self) -> None:
        """Returns at once, also with the broker away."""
        ...

    def subscribe(self, topics: Collection[str]) -> None:
        """The topics from the next poll on; replaces the set before."""
        ...

    async def poll(self) -> InBatch:
        """Waits up to half a second for records; an empty batch is normal. A poll that its caller gave up is
        gone on with by the next. BrokerAway while it is away, BrokerRefused when this user may not read in
        this group; what the callback raises comes through, and it is asked again."""
        ...

    async def stop(self) -> None:
        """Leaves the group, within 5 s."""
        ...

    @property
    def away(self) -> str | None:
        """As the publisher's."""
        ...


@dataclass(frozen=True, slots=True)
class Reader:
    """A client of an agency on Kafka: whether it may write the agency's inbound topic, and read the agency's
    own."""

    agency: str
    client_id: str
    writes: bool = True
    reads: bool = True


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, or would be: a sentence each, in order. Empty: everything was as it should be.
    `notes` are sentences about what was left alone, and why."""

    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Topics(Protocol):
    """Keeps topics and rights as the hub wants them. Guarantees: creates, adds partitions, sets retention and
    limits; never deletes a topic, never takes a partition away. Applying twice changes nothing the second
    time. Rights on the agencies' topics are the hub's alone: others are withdrawn. On a broker without an
    authorizer topics only, which a note says."""

    async def apply(
        self, agencies: Collection[str], readers: Collection[Reader], *, dry_run: bool = False
    ) -> Applied:
        """Topics of the hub and of these agencies, rights of these clients. Raises BrokerAway,
        BrokerRefused (the hub itself is not allowed)."""
        ...

    async def ping(self) -> None:
        """Asks the broker something small; raises BrokerAway."""
        ...

    @property
    def missing(self) -> Collection[str]:
        """The hub's own topics that were not there at the last `ping`."""
        ...

    async def revoke(self, client_id: str) -> Applied:
        """Withdraws every right of a client at once; what it holds open fails at its next fetch or write."""
        ...


class ListenerProbe(Protocol):
    """Tries whether the agencies' listener verifies tokens."""

    async def check(self, right_token: str) -> str | None:
        """None when every broker takes the right token and refuses it without its signature, with a broken
        one and with `alg: none`. A sentence when the right token is refused too (agencies cannot sign in yet,
        but nobody else can either), or when some brokers do not answer. Raises ListenerUnsafe when a forged
        token is let in, BrokerAway when no broker of the listener answers."""
        ...
