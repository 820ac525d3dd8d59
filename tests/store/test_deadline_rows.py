"""What the tables keep of deadlines, on every engine: when a case wakes, whether it is overdue, calendars and
policies; and by which indexes they are found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.agency import Agency
from hub.domain.case import Case, Leg
from hub.domain.dated_facts import DatedFact
from hub.domain.timekeeping import next_wake_of
from hub.ports.effects import Effects
from hub.ports.store import CaseFilter
from hub.store.listing import listing
from hub.store.reading import TO_WAKE
from tests.store.storework import WHEN, Backend, case, clock, write

MORNING, NOON, NIGHT = (f"2025-03-17T{hour}:00:00.000Z" for hour in ("01", "05", "16"))
OVERDUE = CaseFilter(overdue=True)


def waking(number: int, *moments: str, **changes: Any) -> Case:
    return case(number, clocks=tuple(clock(wakes_at=at) for at in moments), **changes)


def name(number: int) -> str:
    return case(number).state.id


def to_wake(store: Any, until: str, limit: int = 100) -> list[str]:
    with store.read() as session:
        return list(session.to_wake(until, limit))


def first_wake(store: Any) -> str | None:
    with store.read() as session:
        found = session.to_wake("9999", 1)
        return next_wake_of(session.case(found[0]).state) if found else None


def listed(store: Any, agency: str, wanted: CaseFilter) -> list[str]:
    with store.read() as session:
        return [each.state.id for _, each in session.cases(agency, wanted, None, 100)]


# --- waking -----------------------------------------------------------------------------------------------


def test_cases_are_woken_in_the_order_of_their_moments(store: Any) -> None:
    assert (to_wake(store, NIGHT), first_wake(store)) == ([], None)
    made = [waking(1, NOON), waking(2, MORNING), waking(3, NIGHT), waking(4, MORNING), waking(5)]
    write(store, Effects(new_cases=made))
    assert first_wake(store) == MORNING
    assert to_wake(store, NOON) == [name(2), name(4), name(1)], "those of `until` itself are among them"
    assert to_wake(store, NOON, 2) == [name(2), name(4)], "who waited longest comes first"
    assert to_wake(store, MORNING.replace("T01", "T00")) == []


def test_the_earliest_clock_that_has_something_to_say_wakes_its_case(store: Any) -> None:
    silent = [
        clock("running", MORNING, shown_only=True),
        clock("paused", MORNING),
        clock("met", MORNING, ended_at=MORNING),
        clock("historical", MORNING),
    ]
    loud = [clock("running", NIGHT), clock("running", MORNING, warned=True, due_at=NOON)]
    write(store, Effects(new_cases=[case(1, clocks=(*silent, *loud)), case(2, clocks=tuple(silent))]))
    assert to_wake(store, NIGHT) == [name(1)]
    assert first_wake(store) == NOON, "a clock that has warned says the next thing at its deadline"


def test_a_changed_case_wakes_at_its_new_moment_or_not_at_all(store: Any) -> None:
    write(store, Effects(new_cases=[waking(1, MORNING), waking(2, MORNING), waking(3)]))
    write(store, Effects(changed_cases=[waking(1, NIGHT), waking(2), waking(3, NOON)]))
    assert to_wake(store, NOON) == [name(3)]
    assert to_wake(store, NIGHT) == [name(3), name(1)]
    assert first_wake(store) == NOON


# --- overdue ----------------------------------------------------------------------------------------------


def late(number: int, **changes: Any) -> Case:
    return case(number, clocks=(clock("missed"),), **changes)


def test_a_missed_clock_makes_the_case_overdue_for_whoever_sees_it(store: Any) -> None:
    leg = Leg("leg-1", "kotim", "pupr", "lead", "accepted", WHEN, WHEN)
    gone = Leg("leg-2", "kotim", "pln", "lead", "returned", WHEN, WHEN, ended_sequence=2,
               ended_status="verified")  # fmt: skip
    write(store, Effects(new_cases=[late(1, legs=(leg, gone)), late(2), case(3)]))
    assert listed(store, "kotim", OVERDUE) == [name(2), name(1)], "newest first"
    assert listed(store, "pupr", OVERDUE) == [name(1)]
    assert listed(store, "pln", OVERDUE) == [], "what is late now is not shown to who has left"
    assert listed(store, "pln", CaseFilter(overdue=False)) == [name(1)]
    assert listed(store, "kotim", CaseFilter(overdue=False)) == [name(3)]
    assert listed(store, "kotim", CaseFilter()) == [name(3), name(2), name(1)]


def test_being_overdue_comes_and_goes_with_the_case(store: Any) -> None:
    done = (clock("missed", ended_at=NOON),)
    for changed, found in ((case(1), []), (late(1), [name(1)]), (case(1, clocks=done), [])):
        write(store, Effects(changed_cases=[changed]))
        assert listed(store, "kotim", OVERDUE) == found


# --- plans ------------------------------------------------------------------------------------------------


def plan(backend: Backend, store: Any, statement: str, values: tuple[Any, ...]) -> str:
    explain = "EXPLAIN QUERY PLAN" if backend.name == "sqlite" else "EXPLAIN"
    with store.connection() as connection:
        return "\n".join(str(row[-1]) for row in connection.execute(f"{explain} {statement}", values))


@pytest.fixture
def filled(backend: Backend, store: Any) -> Any:
    """More than a page of cases are late, and one in three wakes."""
    made = [late(n) if n % 10 == 0 else waking(n, *[MORNING] * (n % 3 == 0)) for n in range(1500)]
    write(store, Effects(new_cases=made))
    if backend.name == "postgres":  # its autovacuum would, a minute later
        with store.writing() as connection:
            connection.execute("ANALYZE")
    return store


@pytest.mark.parametrize("after", [None, (name(700),)], ids=["first page", "next page"])
@pytest.mark.parametrize(
    "wanted", [OVERDUE, replace(OVERDUE, status="submitted"), replace(OVERDUE, role="owner")], ids=repr
)
def test_overdue_cases_are_found_by_their_own_index_in_its_order(
    backend: Backend, filled: Any, wanted: CaseFilter, after: tuple[str] | None
) -> None:
    statement, values, _ = listing(filled.dialect, "kotim", wanted, after, 20)
    found = plan(backend, filled, statement, tuple(values))
    assert "case_agencies_overdue" in found
    assert "Sort" not in found and "TEMP B-TREE" not in found, found


def test_what_wakes_is_found_by_its_own_index_in_its_order(backend: Backend, filled: Any) -> None:
    found = plan(backend, filled, TO_WAKE, (MORNING, 100))
    assert "cases_next_wake" in found
    assert "Sort" not in found and "TEMP B-TREE" not in found, found


# --- calendars and policies -------------------------------------------------------------------------------


def dated(name: str, sequence: int, document: bytes = b"{}", kind: str = "calendar") -> DatedFact:
    return DatedFact(kind, name, sequence, document)


def test_dated_facts_are_read_in_the_order_of_the_log(backend: Backend, store: Any) -> None:
    registry = backend.registry(store)
    assert registry.dated_facts() == []
    facts = [dated("z", 1), dated("hub", 2, b"[1]", "policies"), dated("b", 3), dated("a", 3)]
    write(store, Effects(dated_facts=facts))
    assert registry.dated_facts() == [facts[0], facts[1], facts[3], facts[2]]


def test_what_is_named_again_holds_from_its_latest_event(backend: Backend, store: Any) -> None:
    """A day that was added and taken away again gives the calendar from before."""
    write(store, Effects(dated_facts=[dated("one", 1), dated("two", 2), dated("hub", 3, b"[1]", "policies")]))
    again = [dated("one", 4, b"{}"), dated("hub", 5, b"[2]", "policies"), dated("hub", 6, b"[3]", "policies")]
    write(store, Effects(dated_facts=again))
    found = backend.registry(store).dated_facts()
    assert found == [dated("two", 2), dated("one", 4), dated("hub", 6, b"[3]", "policies")]


def test_a_new_calendar_tells_every_process(backend: Backend, store: Any) -> None:
    other = backend.open()
    before = other.registry_generation()
    write(store, Effects(dated_facts=[dated("one", 1)]))
    after = other.registry_generation()
    assert after > before
    assert backend.registry(other).dated_facts() == [dated("one", 1)]
    assert backend.registry(other).changes_since(before).generation == after
    both = Effects(agencies=[Agency("pupr", "PUPR", "ministry")], dated_facts=[dated("two", 2)])
    write(store, both)
    assert other.registry_generation() == after + 1, "one transaction is one change"


def test_what_is_rolled_back_is_not_dated(backend: Backend, store: Any) -> None:
    before = store.registry_generation()
    with store.begin() as txn:
        txn.write(Effects(dated_facts=[dated("one", 1)]))
    assert backend.registry(store).dated_facts() == []
    assert store.registry_generation() == before
