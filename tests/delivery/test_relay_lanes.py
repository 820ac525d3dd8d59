"""What the relay's lanes make of altered events, answers and dead letters."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from hub.delivery.relay_reading import REFUSED_WAIT_S
from hub.ports.broker import TopicClosed
from tests.delivery.delivery_world import until
from tests.delivery.relaywork import (
    INBOUND,
    KOTIM,
    OWN,
    PUPR,
    RelayBench,
    letter,
    record_answer,
    submitted,
    up_to,
)


async def test_answers_and_letters_that_must_wait_are_kept(bench: RelayBench) -> None:
    bench.write(record_answers=[record_answer(n) for n in (1, 2, 3)], letters=[letter(n) for n in (1, 2)])
    later = {f"{INBOUND}/0/{n}".encode() for n in (2, 3)}
    bench.publisher.refuses = lambda record: (
        TopicClosed.MISSING if dict(record.headers)["ce_id"] in later else None
    )
    async with bench.running():
        await until(lambda: bench.table.record_answers(KOTIM, 9) == [record_answer(2), record_answer(3)])
        await until(lambda: bench.table.unpublished_dead_letters(9) == [letter(2)])
        bench.publisher.refuses = lambda record: None
        bench.turn(REFUSED_WAIT_S)
        await until(
            lambda: bench.table.record_answers(KOTIM, 9) == [] == bench.table.unpublished_dead_letters(9)
        )
    assert len([record for record in bench.publisher.records(OWN) if record.mark is None]) == 3


async def test_an_altered_event_keeps_its_place_withheld_and_is_told_once(bench: RelayBench) -> None:
    await submitted(bench, 3)
    with bench.world.store.read() as session:
        broken = session.mailbox(KOTIM, bench.head(KOTIM) - 2, 1)[0]
    bench.alter(broken.event.id)
    with capture_logs() as lines:
        async with bench.running():
            await until(bench.is_whole)
        async with bench.running():  # as after a lost lease
            bench.turn(1.0)
            await submitted(bench, 1)
            await until(bench.is_whole)
    assert bench.publisher.positions(OWN) == up_to(bench.head(KOTIM))
    index = broken.position - 1
    assert bench.publisher.data(OWN)[index] == {"withheld": True}
    assert dict(bench.publisher.records(OWN)[index].headers)["ce_id"] == broken.event.id.encode()
    assert "complaint" in bench.publisher.data(OWN)[index + 1]
    assert bench.publisher.positions("events") == up_to(bench.last()), "the log goes on as it is stored"
    told = [line for line in lines if line["event"] == "event_cannot_be_opened"]
    assert [(line["event_id"], line["log_position"]) for line in told] == [
        (broken.event.id, broken.event.position)
    ]


async def test_a_page_of_broken_events_alone_moves_the_cursor(bench: RelayBench) -> None:
    async with bench.running():
        await until(bench.is_whole)
    await submitted(bench, 2)
    bench.alter()
    with capture_logs() as lines:
        async with bench.running():
            await until(bench.is_whole)
            calls = bench.publisher.calls
            for _ in range(3):
                bench.turn(1.0)
                await asyncio.sleep(0.02)
            assert bench.publisher.calls == calls, "it is not read for ever"
    assert bench.publisher.data(OWN)[-2:] == [{"withheld": True}] * 2
    assert sum(line["event"] == "event_cannot_be_opened" for line in lines) == 2


async def test_an_answer_goes_to_its_agency_by_correlation_id(bench: RelayBench) -> None:
    bench.write(record_answers=[record_answer(1), record_answer(2), record_answer(1, PUPR)])
    async with bench.running():
        await until(lambda: bench.table.record_answers(KOTIM, 9) == [] == bench.table.record_answers(PUPR, 9))
    answers = [r for r in bench.publisher.records(OWN) if r.mark is None]
    assert [dict(record.headers)["ce_correlationid"] for record in answers] == [b"kirim-1", b"kirim-2"]
    assert [dict(record.headers)["ce_id"] for record in answers] == [
        f"{INBOUND}/0/{n}".encode() for n in (1, 2)
    ]
    assert {dict(record.headers)["ce_type"] for record in answers} == {b"id.simpul.reply.v1"}
    assert [record.value for record in answers] == [b'{"status":201}'] * 2
    other = [r for r in bench.publisher.records(f"agency.{PUPR}") if r.mark is None]
    assert len(other) == 1


async def test_a_dead_letter_is_published_once_with_cause_and_origin(bench: RelayBench) -> None:
    bench.write(letters=[letter(1), letter(2)])
    async with bench.running():
        await until(lambda: bench.table.unpublished_dead_letters(9) == [])
        bench.turn(1.0)
        await until(bench.is_whole)
    first, second = bench.publisher.data("dead-letter")
    assert first == {
        "cause": "Not JSON: tidak json", "topic": INBOUND, "partition": 0, "offset": 1, "sha256": "ab" * 32,
    }  # fmt: skip
    assert second["offset"] == 2
    assert len(bench.table.dead_letters(9)) == 2, "published, and still dead"


async def test_a_letter_that_is_redriven_while_it_is_published_stays_redriven(bench: RelayBench) -> None:
    bench.write(letters=[letter(1)])
    bench.publisher.before = lambda: bench.table.redriven(letter(1).id)
    async with bench.running():
        await until(lambda: bench.publisher.records("dead-letter") != [])
        await until(bench.is_whole)
    assert bench.table.dead_letters(9) == []
