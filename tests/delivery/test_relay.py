"""The relay over its lanes: what is acknowledged, refused, unknown, fenced or told late."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from hub.delivery.relay_reading import REFUSED_WAIT_S, Piece, RelayLane
from hub.domain.agency import Agency
from hub.ports.broker import BrokerAway, OutRecord, ProducerFenced, Refusal, TopicClosed
from hub.ports.leases import RELAY
from hub.ports.relaying import Relayed
from tests.delivery.delivery_world import until
from tests.delivery.relaywork import (
    KOTIM,
    OWN,
    PREFIX,
    PUPR,
    RelayBench,
    letter,
    record_answer,
    submitted,
    up_to,
)


async def test_what_is_acknowledged_moves_each_lane(bench: RelayBench) -> None:
    cases = await submitted(bench, 3)
    async with bench.running():
        await until(bench.is_whole)
        (later,) = await submitted(bench, 1)
        await until(bench.is_whole)
    events, own = bench.publisher.records("events"), bench.publisher.records(OWN)
    assert bench.publisher.positions("events") == up_to(bench.last())
    assert bench.publisher.positions(OWN) == up_to(bench.head(KOTIM))
    assert [record.key for record in own[-4:]] == [case.encode() for case in (*cases, later)]
    assert [dict(r.headers)["ce_type"] for r in own[-4:]] == [b"id.simpul.complaint.submitted.v1"] * 4
    assert all(data["complaint"]["title"].startswith("Lampu") for data in bench.publisher.data(OWN)[-4:])
    assert not any(b"Lampu" in (record.value or b"") for record in events), "the log's words stay sealed"
    assert bench.lags[0] > 0
    assert bench.lags[-1] == 0


async def test_a_lane_goes_up_to_the_first_record_that_must_wait(bench: RelayBench) -> None:
    await submitted(bench, 4)
    bench.publisher.refuses = lambda record: (
        TopicClosed.MISSING if record.topic == f"{PREFIX}events" and record.mark.position > 3 else None  # type: ignore[union-attr]
    )
    async with bench.running():
        await until(lambda: bench.cursors().get("log") == 3)
        await until(lambda: bench.cursors().get(f"mailbox/{KOTIM}") == bench.head(KOTIM))
        bench.publisher.refuses = lambda record: None
        calls = bench.publisher.calls
        bench.turn(REFUSED_WAIT_S - 0.1)
        await asyncio.sleep(0.05)
        assert (bench.publisher.calls, bench.cursors()["log"]) == (calls, 3), "not before its time"
        bench.turn(0.2)
        await until(bench.is_whole)
    assert bench.publisher.positions("events") == up_to(bench.last())


@pytest.mark.parametrize("refusal", [Refusal.TOO_LARGE, Refusal.INVALID])
async def test_what_the_broker_will_never_take_is_passed_over_and_told(
    bench: RelayBench, refusal: Refusal
) -> None:
    await submitted(bench, 3)

    def refuses(record: OutRecord) -> Refusal | None:
        return refusal if record.topic == f"{PREFIX}{OWN}" and record.mark.position == 2 else None  # type: ignore[union-attr]

    bench.publisher.refuses = refuses
    with capture_logs() as lines:
        async with bench.running():
            await until(bench.is_whole)
    assert bench.publisher.positions(OWN) == [n for n in up_to(bench.head(KOTIM)) if n != 2]
    (told,) = [line for line in lines if line["event"] == "record_refused"]
    assert (told["lane"], told["position"]) == (f"mailbox/{KOTIM}", 2)


@pytest.mark.parametrize("refusal", [TopicClosed.MISSING, TopicClosed.NOT_AUTHORISED])
async def test_a_missing_topic_delays_its_own_agency_alone(bench: RelayBench, refusal: TopicClosed) -> None:
    bench.publisher.refuses = lambda record: refusal if record.topic == f"{PREFIX}{OWN}" else None
    bench.write(record_answers=[record_answer(1), record_answer(2, PUPR)])
    await submitted(bench, 2)
    async with bench.running():
        for _ in range(2):
            await submitted(bench, 1, PUPR)
            await until(lambda: bench.cursors().get(f"mailbox/{PUPR}") == bench.head(PUPR))
            await until(lambda: bench.cursors().get("log") == bench.last())
        await until(lambda: bench.table.record_answers(PUPR, 9) == [])
        assert f"mailbox/{KOTIM}" not in bench.cursors()
        assert bench.table.record_answers(KOTIM, 9) == [record_answer(1)], "an answer waits for its topic too"
        bench.publisher.refuses = lambda record: None
        bench.turn(REFUSED_WAIT_S)
        await until(bench.is_whole)
        await until(lambda: bench.table.record_answers(KOTIM, 9) == [])
    assert bench.publisher.positions(OWN) == up_to(bench.head(KOTIM))


async def test_a_key_that_is_not_there_holds_up_its_own_agency_alone(bench: RelayBench) -> None:
    (case_id,) = await submitted(bench, 1)
    change = "UPDATE stream_keys SET generation = ? WHERE stream = ?"
    with bench.world.store.writing() as db:
        db.execute(change, (99, case_id))
    await submitted(bench, 1, PUPR)
    async with bench.running():
        await until(lambda: bench.cursors().get(f"mailbox/{PUPR}") == bench.head(PUPR))
        await until(lambda: bench.cursors().get("log") == bench.last())
        assert f"mailbox/{KOTIM}" not in bench.cursors()
        with bench.world.store.writing() as db:
            db.execute(change, (1, case_id))
        bench.turn(REFUSED_WAIT_S)
        await until(bench.is_whole)
    assert {"withheld": True} not in bench.publisher.data(OWN), "it was no event's fault"


async def test_many_idle_lanes_do_not_delay_the_one_that_has_something(bench: RelayBench) -> None:
    """Nothing wakes the relay here but what it was told: it must go through all its lanes by itself."""
    bench.agencies |= {f"dinas-{n}": Agency(f"dinas-{n}", "Dinas", "agency", kafka=True) for n in range(30)}
    bench.agencies[PUPR] = bench.agencies.pop(PUPR)  # the last one
    async with bench.running():
        await until(bench.is_whole)
        await submitted(bench, 1, PUPR)
        await until(bench.is_whole)


class Interrupted:
    """A lane at which, between its reading and its answer, something happens once."""

    def __init__(self, lane: RelayLane, meanwhile: list[Sequence[str]], bench: RelayBench) -> None:
        self.lane, self.meanwhile, self.bench = lane, meanwhile, bench

    @property
    def name(self) -> str:
        return self.lane.name

    @property
    def by_position(self) -> bool:
        return self.lane.by_position

    async def pieces(self, after: int, limit: int) -> Sequence[Piece]:
        found = await self.lane.pieces(after, limit)
        if self.name == f"mailbox/{KOTIM}" and self.meanwhile:
            await self.bench.world.submit()
            self.bench.relay.told(self.meanwhile.pop())
        return found

    def settled(self, pieces: Sequence[Piece]) -> Relayed:
        return self.lane.settled(pieces)


async def test_what_is_told_while_a_lane_is_read_is_not_lost(bench: RelayBench) -> None:
    meanwhile: list[Sequence[str]] = [(KOTIM,)]
    bench.wraps = lambda lane: Interrupted(lane, meanwhile, bench)
    async with bench.running(hears=False):
        await until(lambda: not meanwhile)
        await until(bench.is_whole)
    assert bench.publisher.positions(OWN) == up_to(bench.head(KOTIM))


async def test_nothing_moves_while_the_broker_is_away(bench: RelayBench) -> None:
    await submitted(bench, 2)
    bench.write(record_answers=[record_answer(1)], letters=[letter(1)])
    bench.publisher.failures = [BrokerAway("no answer")] * 3
    async with bench.running():
        await until(lambda: len(bench.waits) == 3)
        await until(bench.is_whole)
        await until(lambda: bench.table.record_answers(KOTIM, 9) == [])
    assert bench.publisher.positions(OWN) == up_to(bench.head(KOTIM))
    assert bench.publisher.positions("events") == up_to(bench.last())
    assert len(bench.publisher.records("dead-letter")) == 1


async def test_a_fenced_relay_ends_and_notes_nothing(bench: RelayBench) -> None:
    bench.write(record_answers=[record_answer(1)])
    bench.publisher.failures = [ProducerFenced("another process publishes")]
    async with bench.running() as task:
        await asyncio.wait_for(task, 10)
    assert bench.cursors() == {}
    assert bench.table.record_answers(KOTIM, 9) == [record_answer(1)]


async def test_a_relay_whose_lease_passed_on_meanwhile_notes_nothing(bench: RelayBench) -> None:
    bench.write(record_answers=[record_answer(1)])

    def taken_over() -> None:
        bench.leases.release(bench.claim.lease)
        assert bench.leases.acquire(RELAY, "b", 60.0)

    bench.publisher.before = taken_over
    async with bench.running() as task:
        await asyncio.wait_for(task, 10)
    assert bench.publisher.calls == 1
    assert bench.cursors() == {}
    assert bench.table.record_answers(KOTIM, 9) == [record_answer(1)]


async def test_a_successor_repeats_under_the_same_marks(bench: RelayBench) -> None:
    """Killed between the broker's commit and the database's."""
    await submitted(bench, 2)
    async with bench.running():
        await until(bench.is_whole)
    with bench.world.store.writing() as db:
        db.execute("DELETE FROM relay_cursors")
    async with bench.running():
        await until(bench.is_whole)
    assert bench.publisher.positions(OWN) == up_to(bench.head(KOTIM))
    assert bench.publisher.positions("events") == up_to(bench.last())
