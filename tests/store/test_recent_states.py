"""What the writer remembers of a state is only ever given for the very row that it was written as; and legs
have their rows whatever came of the transaction before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from hub.domain.case import Case, CaseState, Leg
from hub.ports.effects import Effects
from hub.store.recent_states import LONGEST, RECENT_STATES, RecentStates
from tests.store.storework import WHEN, case, clock, write

KNOWN = case(1).state.id
LEG = Leg("leg-1", "kotim", "pupr", "lead", "sent", WHEN, WHEN, attachments=[{"sha256": "ab"}])
CHANGED = case(1, version=2, status="forwarded", legs=(LEG,), clocks=(clock(), clock("paused", id="l")))


@pytest.fixture
def taken_in(store: Any) -> Any:
    write(store, Effects(new_cases=[case(1)]))
    return store


def found(store: Any) -> Case:
    with store.begin() as txn:
        read: Case = txn.load_cases([KNOWN])[KNOWN]
        txn.rollback()
    return read


def change(store: Any, changed: Case) -> None:
    with store.begin() as txn:
        txn.load_cases([KNOWN])
        txn.write(Effects(changed_cases=[changed]))
        txn.commit()


def rewrite(store: Any, state: bytes) -> None:
    """As another process does, of which this one remembers nothing."""
    with store.writing() as connection:
        connection.execute("UPDATE cases SET state = ? WHERE id = ?", (state, KNOWN))


def test_the_state_that_was_written_last_is_not_read_again(taken_in: Any) -> None:
    change(taken_in, CHANGED)
    assert found(taken_in).state is CHANGED.state
    assert found(taken_in) == CHANGED


def test_what_another_process_wrote_is_read(taken_in: Any) -> None:
    change(taken_in, CHANGED)
    theirs = replace(CHANGED.state, version=3, owner="medan")
    rewrite(taken_in, orjson.dumps(theirs))
    assert found(taken_in).state == theirs
    rewrite(taken_in, orjson.dumps(CHANGED.state))
    assert found(taken_in).state == CHANGED.state, "the same bytes mean the same again"


def test_what_was_rolled_back_is_not_given(taken_in: Any) -> None:
    with taken_in.begin() as txn:
        txn.load_cases([KNOWN])
        txn.write(Effects(changed_cases=[CHANGED]))
        txn.rollback()
    assert found(taken_in) == case(1)
    with taken_in.read() as session:
        assert session.case_of_leg(LEG.id) is None
    change(taken_in, CHANGED)
    with taken_in.read() as session:
        assert session.case_of_leg(LEG.id) == KNOWN


def test_an_erased_case_has_no_words_whatever_is_remembered(taken_in: Any) -> None:
    change(taken_in, CHANGED)
    change(taken_in, Case(CHANGED.state, None))
    assert found(taken_in) == Case(CHANGED.state, None)


def test_each_new_leg_gets_its_row(taken_in: Any) -> None:
    legs = tuple(replace(LEG, id=f"leg-{number}") for number in range(4))
    for count in (1, 1, 4):
        change(taken_in, case(1, version=count + 1, legs=legs[:count]))
    with taken_in.begin() as txn:  # written without a look before, as a rebuild may
        txn.write(Effects(changed_cases=[case(1, version=9, legs=legs)]))
        txn.commit()
    with taken_in.read() as session:
        assert [session.case_of_leg(leg.id) for leg in legs] == [KNOWN] * 4


def test_one_transaction_may_write_twice(taken_in: Any) -> None:
    second = replace(LEG, id="leg-2")
    with taken_in.begin() as txn:
        txn.load_cases([KNOWN])
        txn.write(Effects(changed_cases=[CHANGED]))
        assert txn.load_cases([KNOWN])[KNOWN].state == CHANGED.state
        txn.write(Effects(changed_cases=[case(1, version=3, legs=(LEG, second))]))
        txn.commit()
    with taken_in.read() as session:
        assert [session.case_of_leg(name) for name in ("leg-1", "leg-2")] == [KNOWN, KNOWN]


def is_kept(states: RecentStates, state: CaseState) -> bool:
    """Whether two readings give one object; else each is parsed anew."""
    row = orjson.dumps(state)
    return states.read(state.id, row) is states.read(state.id, row)


def test_what_is_only_taken_in_is_not_kept(store: Any) -> None:
    write(store, Effects(new_cases=[case(77)]))
    assert not is_kept(RECENT_STATES, case(77).state)


def test_no_more_are_kept_than_there_is_room_for() -> None:
    few, states = RecentStates(most=2), [case(number).state for number in (1, 2, 3)]
    for state in (*states[:2], states[0], states[2]):
        few.keep(orjson.dumps(state), state)
    assert [is_kept(few, state) for state in states] == [True, False, True], (
        "who was written longest ago goes"
    )


def test_a_state_without_end_is_not_kept() -> None:
    states, long = RecentStates(), case(1, complaint={"category": "x" * LONGEST}).state
    states.keep(orjson.dumps(case(1).state), case(1).state)
    states.keep(orjson.dumps(long), long)
    assert not is_kept(states, long)
