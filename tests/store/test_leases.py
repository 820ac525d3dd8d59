"""Leases, on every engine: one holder at a time, tokens that only grow, the database's own time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from hub.ports.leases import Lease
from hub.store.leases import LeaseTable
from tests.store.storework import Backend

LONG = 3600.0


@pytest.fixture
def leases(store: Any) -> LeaseTable:
    return LeaseTable(store)


@pytest.fixture
def expire(store: Any) -> Callable[[str], None]:
    """Lets a lease's time run out, without waiting for it."""

    def run_out(name: str) -> None:
        with store.writing() as connection:
            assert connection.execute("UPDATE leases SET until = 1 WHERE name = ?", (name,)).rowcount == 1

    return run_out


def holder_of(store: Any, name: str) -> Lease | None:
    """Who holds it now, by the table."""
    with store.connection() as connection:
        row = connection.execute(
            f"SELECT name, holder, token, until FROM leases WHERE name = ? AND until > {store.dialect.now}",
            (name,),
        ).fetchone()
    return Lease(*row) if row else None


def test_one_holder_at_a_time(leases: LeaseTable, store: Any) -> None:
    held = leases.acquire("relay", "a", LONG)
    assert held is not None
    assert leases.acquire("relay", "b", LONG) is None
    assert leases.acquire("clock", "b", LONG) is not None, "another name is another lease"
    assert holder_of(store, "relay") == held
    assert holder_of(store, "tidak-ada") is None


def test_an_expired_lease_goes_to_who_asks_with_a_higher_token(
    leases: LeaseTable, store: Any, expire: Callable[[str], None]
) -> None:
    first = leases.acquire("relay", "a", LONG)
    expire("relay")
    assert holder_of(store, "relay") is None
    second = leases.acquire("relay", "b", LONG)
    assert first and second and second.token > first.token
    assert leases.renew(first, LONG) is None, "who woke up late has lost it"
    leases.release(first)
    assert holder_of(store, "relay") == second, "nor can it give back what is no longer its own"


def test_a_lease_of_no_time_at_all_has_expired(leases: LeaseTable) -> None:
    assert leases.acquire("relay", "a", 0.0) is not None
    assert leases.acquire("relay", "b", LONG) is not None


def test_renewing_keeps_the_token_and_moves_the_end(leases: LeaseTable) -> None:
    held = leases.acquire("relay", "a", 60.0)
    assert held is not None
    longer = leases.renew(held, LONG)
    assert longer is not None
    assert (longer.token, longer.holder) == (held.token, "a")
    assert longer.until > held.until + 1000


def test_what_has_ended_is_not_renewed_even_if_nobody_took_it(
    leases: LeaseTable, expire: Callable[[str], None]
) -> None:
    held = leases.acquire("relay", "a", LONG)
    assert held is not None
    expire("relay")
    assert leases.renew(held, LONG) is None


def test_a_released_lease_is_free_and_its_token_is_not_used_again(leases: LeaseTable, store: Any) -> None:
    first = leases.acquire("relay", "a", LONG)
    assert first is not None
    leases.release(first)
    assert holder_of(store, "relay") is None
    second = leases.acquire("relay", "b", LONG)
    assert second is not None and second.token == first.token + 1


def test_a_holder_that_asks_again_fences_off_what_it_began_before(leases: LeaseTable) -> None:
    first = leases.acquire("relay", "a", LONG)
    again = leases.acquire("relay", "a", LONG)
    assert first and again and again.token == first.token + 1
    assert leases.renew(first, LONG) is None


def test_of_holders_that_race_one_wins(backend: Backend) -> None:
    tables = [LeaseTable(backend.open()) for _ in range(4)]
    start = threading.Barrier(4)
    won: list[Lease | None] = []

    def ask(number: int) -> None:
        start.wait(30)
        won.append(tables[number].acquire("relay", f"holder-{number}", LONG))

    for round_ in range(1, 6):
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (lease,) = [each for each in won if each is not None]
        assert lease.token == round_
        tables[0].release(lease)
        won.clear()


def test_the_end_is_on_the_databases_clock(leases: LeaseTable, store: Any) -> None:
    held = leases.acquire("relay", "a", 100.0)
    with store.connection() as connection:
        (now,) = connection.execute(f"SELECT {store.dialect.now}").fetchone()
    assert held is not None
    assert 0.0 <= now + 100.0 - held.until < 30.0
