"""A relay over a real store and real lanes, with a broker in memory that can refuse, fail or fence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from hub.bus.kafka.binding import published
from hub.delivery.relay import Relay
from hub.delivery.relay_lanes import Outlet, RelayLanes
from hub.delivery.relay_reading import RelayLane
from hub.domain.agency import Agency
from hub.ports.broker import (
    ACKNOWLEDGED,
    BrokerAway,
    Mark,
    Outcome,
    OutRecord,
    ProducerFenced,
    Refusal,
    TopicClosed,
)
from hub.ports.effects import Effects
from hub.ports.leases import RELAY
from hub.ports.relaying import DeadLetter, Place, RecordAnswer
from hub.service.leased import Claim
from hub.store.leases import LeaseTable
from hub.store.relaying import RelayTables
from tests.delivery.delivery_world import AGENCIES, PUBLIC_URL, DeliveryWorld

PREFIX = "uji."
KOTIM, PUPR = AGENCIES
WHEN = "2025-03-14T02:00:00.000Z"
INBOUND = f"{PREFIX}inbound.{KOTIM}"
OWN = f"agency.{KOTIM}"


class MemoryPublisher:
    """A broker, by the words of its port: what is refused concerns one record, what is marked is kept once.
    `failures` are raised by the next calls, one each; `before` is called first of all in each call."""

    away: str | None = None

    def __init__(self) -> None:
        self.refuses: Callable[[OutRecord], Refusal | TopicClosed | None] = lambda record: None
        self.failures: list[BrokerAway | ProducerFenced] = []
        self.before: Callable[[], None] = lambda: None
        self.running = False
        self.calls = 0
        self._records: dict[str, list[OutRecord]] = {}
        self._marks: dict[str, Mark] = {}

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    async def publish(self, records: Sequence[OutRecord]) -> list[Outcome]:
        assert self.running
        assert records, "an empty transaction is none"
        self.calls += 1
        self.before()
        if self.failures:
            raise self.failures.pop(0)
        return [self._one(record) for record in records]

    def _one(self, record: OutRecord) -> Outcome:
        if refused := self.refuses(record):
            return Outcome(refused, "as the test wants it")
        held = self._marks.get(record.topic)
        if record.mark is not None:
            if held is not None and record.mark.position <= held.position:
                return ACKNOWLEDGED
            self._marks[record.topic] = record.mark
        self._records.setdefault(record.topic, []).append(record)
        return ACKNOWLEDGED

    def records(self, topic: str) -> list[OutRecord]:
        """`topic` without the prefix."""
        return self._records.get(PREFIX + topic, [])

    def positions(self, topic: str) -> list[int]:
        return [record.mark.position for record in self.records(topic) if record.mark]

    def data(self, topic: str) -> list[dict[str, Any]]:
        return [orjson.loads(record.value or b"null") for record in self.records(topic)]


@dataclass
class RelayBench:
    world: DeliveryWorld
    agencies: dict[str, Agency] = field(default_factory=dict)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    lags: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    wraps: Callable[[RelayLane], RelayLane] = lambda lane: lane

    def __post_init__(self) -> None:
        world = self.world
        self.agencies |= {each: Agency(each, each, "agency", kafka=True) for each in AGENCIES}
        self.table = RelayTables(world.store)
        self.leases = LeaseTable(world.store)
        outlet = Outlet(world.hub.readers, world.sealer, self.table, published, PREFIX, PUBLIC_URL)
        lanes = RelayLanes(outlet, self.agencies)
        self.relay = Relay(
            lanes=lambda: [self.wraps(lane) for lane in lanes()],
            publisher=self.publisher,
            table=self.table,
            readers=world.hub.readers,
            writer=world.hub.writer,
            clock=world.clock,
            lags=self.lags.append,
            wait=self._until_told,
            sleep=self._slept,
        )
        self.claim = self._claim("a")

    def _claim(self, holder: str) -> Claim:
        lease = self.leases.acquire(RELAY, holder, 60.0)
        assert lease is not None
        return Claim(lease, self.world.clock, self.world.clock.monotonic())

    async def _until_told(self, woken: asyncio.Event, timeout_s: float) -> None:
        """No time passes by itself here: whoever is forgotten stays forgotten."""
        await woken.wait()

    async def _slept(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    def cursors(self) -> Mapping[str, int]:
        return self.table.cursors()

    def head(self, agency: str) -> int:
        with self.world.store.read() as session:
            return int(session.mailbox_state(agency).head)

    def last(self) -> int:
        with self.world.store.read() as session:
            return int(session.last_position())

    def is_whole(self) -> bool:
        """Log and mailboxes are published to their ends."""
        found = self.cursors()
        ends = {"log": self.last()} | {f"mailbox/{each}": self.head(each) for each in AGENCIES}
        return all(found.get(name) == end for name, end in ends.items())

    def alter(self, *event_ids: str) -> None:
        """What an intruder or a dying disk does to the sealed words; of every event that has some by
        default."""
        chosen = f"id IN ({', '.join('?' * len(event_ids))})" if event_ids else "sealed IS NOT NULL"
        with self.world.store.writing() as db:
            changed = db.execute(
                "UPDATE log SET sealed = CAST(substr(sealed, 1, 40) || "
                "iif(substr(sealed, 41, 1) = x'00', x'01', x'00') || substr(sealed, 42) AS BLOB) "
                f"WHERE {chosen}",
                event_ids,
            )
            assert changed.rowcount > 0

    def write(
        self, *, record_answers: Sequence[RecordAnswer] = (), letters: Sequence[DeadLetter] = ()
    ) -> None:
        """As an inbound batch would."""
        with self.world.store.begin() as txn:
            places = {(INBOUND, 0): Place(1)}
            txn.write(
                Effects(next_offsets=places, record_answers=list(record_answers), dead_letters=list(letters))
            )
            txn.commit()

    def turn(self, seconds: float) -> None:
        """Time passes; the relay, whose lease was renewed meanwhile, looks."""
        self.world.clock.turn(seconds)
        self.claim.renewed(self.world.clock.monotonic())
        self.relay.told(())

    @asynccontextmanager
    async def running(self, *, hears: bool = True) -> AsyncIterator[asyncio.Task[None]]:
        """The relay at work; with `hears` the bus tells it of each commit."""
        unsubscribe = self.world.bus.subscribe(self.relay.told) if hears else lambda: None
        task = asyncio.create_task(self.relay.run(self.claim))
        try:
            yield task
        finally:
            unsubscribe()
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            assert not isinstance(ended, Exception), ended
            assert not self.publisher.running


def record_answer(offset: int, agency: str = KOTIM) -> RecordAnswer:
    return RecordAnswer(agency, INBOUND, 0, offset, f"kirim-{offset}", b'{"status":201}', WHEN)


def letter(offset: int) -> DeadLetter:
    return DeadLetter(
        f"{INBOUND}/0/{offset}", KOTIM, INBOUND, 0, offset, "ab" * 32, "Not JSON: tidak json", WHEN
    )


def up_to(count: int) -> list[int]:
    return list(range(1, count + 1))


async def submitted(bench: RelayBench, count: int, agency: str = KOTIM) -> list[str]:
    """That many new cases of the agency: an event of its mailbox each."""
    return [await bench.world.submit(agency) for _ in range(count)]
