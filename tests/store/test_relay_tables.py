"""What the relay and the inbound consumer keep, on every engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.ports.effects import Effects
from hub.ports.leases import RELAY
from hub.ports.relaying import DeadLetter, Place, RecordAnswer, Relayed
from hub.store.leases import LeaseTable
from hub.store.relaying import RelayTables
from tests.store.storework import WHEN, event, write

TOPIC = "simpul.inbound.kotim"


@pytest.fixture
def relay(store: Any) -> RelayTables:
    return RelayTables(store)


def record_answer(offset: int, agency: str = "kotim") -> RecordAnswer:
    return RecordAnswer(agency, TOPIC, 0, offset, f"c-{offset}", b"{}", WHEN)


def letter(offset: int) -> DeadLetter:
    return DeadLetter(f"{TOPIC}/0/{offset}", "kotim", TOPIC, 0, offset, "ab" * 32, "no JSON", WHEN)


def taken(offset: int) -> Effects:
    return Effects(
        events=[event(offset + 1, f"s-{offset}", 1)],
        next_offsets={(TOPIC, 0): Place(offset + 1)},
        record_answers=[record_answer(offset)],
        dead_letters=[letter(offset)],
    )


def test_an_effect_and_its_place_are_written_together(store: Any, relay: RelayTables) -> None:
    with store.begin() as txn:
        assert txn.next_offsets([(TOPIC, 0)]) == {}
        txn.write(taken(0))
    assert relay.next_offsets([(TOPIC, 0)]) == {}, "rolled back together"
    write(store, taken(0))
    write(store, taken(1))
    with store.begin() as txn:
        assert txn.next_offsets([(TOPIC, 0), (TOPIC, 1)]) == {(TOPIC, 0): Place(2)}
    assert relay.next_offsets([(TOPIC, 0)]) == {(TOPIC, 0): Place(2)}
    assert relay.record_answers("kotim", 9) == [record_answer(0), record_answer(1)]
    assert relay.record_answers("kotim", 1) == [record_answer(0)]
    assert relay.record_answers("lain", 9) == []
    relay.forget_offsets(TOPIC, 1)
    assert relay.next_offsets([(TOPIC, 0)]) == {(TOPIC, 0): Place(2)}, "another partition's are not touched"
    relay.forget_offsets(TOPIC, 0)
    assert relay.next_offsets([(TOPIC, 0)]) == {}


def test_what_is_published_is_settled_once(store: Any, relay: RelayTables) -> None:
    write(store, taken(0))
    write(store, taken(1))
    assert relay.unpublished_dead_letters(9) == [letter(0), letter(1)]
    settled = Relayed({"log": 7, "agency.kotim": 3}, [record_answer(0)], [letter(0)])
    assert relay.settle(1, settled)
    assert relay.cursors() == {"log": 7, "agency.kotim": 3}
    assert relay.record_answers("kotim", 9) == [record_answer(1)]
    assert relay.unpublished_dead_letters(9) == [letter(1)]
    assert {each.id for each in relay.dead_letters(9)} == {letter(0).id, letter(1).id}
    assert relay.settle(1, Relayed({"log": 9}))
    assert relay.cursors()["log"] == 9


def test_a_relay_whose_lease_passed_on_settles_nothing(store: Any, relay: RelayTables) -> None:
    leases = LeaseTable(store)
    first = leases.acquire(RELAY, "a", 0.0)
    second = leases.acquire(RELAY, "b", 60.0)
    assert first and second
    write(store, taken(0))
    assert not relay.settle(first.token, Relayed({"log": 1}, [record_answer(0)], [letter(0)]))
    assert relay.cursors() == {}
    assert relay.record_answers("kotim", 9) == [record_answer(0)]
    assert relay.settle(second.token, Relayed({"log": 1}))


def test_cursors_of_another_incarnation_count_for_nothing(store: Any, relay: RelayTables) -> None:
    assert relay.settle(1, Relayed({"log": 7}))
    with store.writing() as connection:
        connection.execute("UPDATE facts SET value = 'restored' WHERE name = 'incarnation'")
    assert relay.cursors() == {}


def test_a_letter_that_was_redriven_meanwhile_is_not_published_after_all(
    store: Any, relay: RelayTables
) -> None:
    write(store, taken(0))
    read = relay.unpublished_dead_letters(9)
    relay.redriven(letter(0).id)
    assert relay.settle(1, Relayed({}, dead_letters=read))
    assert (relay.dead_letters(9), relay.dead_letter(letter(0).id)) == ([], None)


def test_a_dead_letter_is_found_by_its_id_while_it_is_dead(store: Any, relay: RelayTables) -> None:
    write(store, taken(0))
    write(store, taken(1))
    assert relay.dead_letter(letter(0).id) == letter(0)
    assert relay.settle(1, Relayed({}, dead_letters=[letter(0)]))
    assert relay.dead_letter(letter(0).id) == letter(0), "published, and still dead"
    relay.redriven(letter(0).id)
    assert relay.dead_letter(letter(0).id) is None
    assert relay.dead_letter(letter(1).id) == letter(1)
    assert relay.dead_letter(f"{TOPIC}/0/9") is None


def test_dead_letters_are_forgotten_by_age_whatever_became_of_them(store: Any, relay: RelayTables) -> None:
    old = [replace(letter(n), created_at="2024-12-01T00:00:00.000Z") for n in range(3)]
    for offset, each in enumerate(old):
        write(store, replace(taken(offset), dead_letters=[each]))
    write(store, taken(3))
    assert relay.settle(1, Relayed({}, dead_letters=[old[1]]))
    relay.redriven(old[2].id)
    assert relay.forget_dead_letters("2024-12-01T00:00:00.000Z") == 0
    assert relay.forget_dead_letters(WHEN) == 3
    assert relay.dead_letters(9) == [letter(3)]
    assert relay.forget_dead_letters(WHEN) == 0
    with store.connection() as db:
        assert db.execute("SELECT count(*) FROM dead_letters").fetchone()[0] == 1
