"""`look_up` answers as its questions do one by one, on both engines; on PostgreSQL in one statement."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations
from typing import Any

import pytest

from hub.ports.effects import Effects, Found, Identity, Reference, Remembered, Wanted
from hub.ports.registry import ClientRow
from hub.ports.sealing import WrappedKey
from hub.store.registry import RegistryTables
from tests.store.storework import WHEN, everything, write

CASE = everything().keys[0].stream
ALL = Wanted(
    remembered=[b"key-0", b"key-1", b"key-2"],
    references=[("kotim", "PGD-1"), ("kotim", "PGD-2"), ("lain", "PGD-1")],
    cases=[CASE, "tidak-ada"],
    heads=[CASE, "tidak-ada"],
    keys=[CASE, "kunci", "tidak-ada"],
    identities=[CASE, "lain", "tidak-ada"],
    agencies=["dinas-1", "tidak-ada"],
    clients=["client_a", "tidak-ada"],
)
NAMES = [field.name for field in fields(Wanted)]


@pytest.fixture
def stored(store: Any) -> Any:
    """One row at least of each kind, and a second of some, with what is awkward: no texts, odd letters."""
    write(store, everything())
    more = Effects(
        keys=[WrappedKey("kunci", 7, b"\x00\xff")],
        identities=[Identity("lain", b"\x00sealed")],
        references=[Reference("kotim", "PGD-2", "é日本😀'\\", WHEN)],
        remembered=[Remembered(b"key-2", b"\x00", 409, "case", ("a", '"b"'), WHEN)],
    )
    write(store, more)
    RegistryTables(store).add_client(ClientRow("client_a", "dinas-1", ("cases:read",), b"hash", None, WHEN))
    return store


def one_by_one(txn: Any, wanted: Wanted) -> Found:
    return Found(
        txn.load_remembered(wanted.remembered),
        txn._load_references(wanted.references),
        txn.load_cases(wanted.cases),
        txn._load_heads(wanted.heads),
        txn._load_keys(wanted.keys),
        txn._load_identities(wanted.identities),
        txn._load_agencies(wanted.agencies),
        txn._inactive_clients(wanted.clients),
    )


def test_all_at_once_is_as_one_by_one(stored: Any) -> None:
    with stored.begin() as txn:
        found = txn.look_up(ALL)
        assert found == one_by_one(txn, ALL)
        for name in ("remembered", "references", "cases", "heads", "keys", "identities", "agencies"):
            assert getattr(found, name), f"{name} is asked for, and is there"
        assert found.inactive == {"tidak-ada"}


def test_what_is_not_wanted_is_not_answered(stored: Any) -> None:
    """Any one or two of them, and all but one or two."""
    few: list[tuple[str, ...]] = [*combinations(NAMES, 1), *combinations(NAMES, 2)]
    with stored.begin() as txn:
        for names in few:
            some = Wanted(**{name: getattr(ALL, name) for name in names})
            assert txn.look_up(some) == one_by_one(txn, some), names
            rest = replace(ALL, **dict.fromkeys(names, ()))
            assert txn.look_up(rest) == one_by_one(txn, rest), names


def test_nothing_is_found_where_nothing_is_wanted(stored: Any) -> None:
    with stored.begin() as txn:
        assert txn.look_up(Wanted()) == Found()
        assert txn.look_up(Wanted(clients=["client_b"])) == Found(inactive={"client_b"})


def test_what_the_transaction_wrote_is_seen(stored: Any) -> None:
    with stored.begin() as txn:
        txn.write(Effects(keys=[WrappedKey("neu", 1, b"1")]))
        assert txn.look_up(Wanted(keys=["neu"])).keys == {"neu": WrappedKey("neu", 1, b"1")}


@pytest.mark.parametrize("engine", ["postgres"])
def test_a_glance_costs_no_round_trip_for_a_snapshot(stored: Any) -> None:
    with stored.glancing() as connection:
        connection.execute("SELECT 1")
        assert not connection.in_transaction
    with stored.connection() as connection:
        connection.execute("SELECT 1")
        assert connection.in_transaction


@pytest.mark.parametrize("engine", ["postgres"])
def test_postgresql_is_asked_once(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with stored.begin() as txn:
        execute = txn._db.execute
        monkeypatch.setattr(
            txn._db, "execute", lambda text, values=(): asked.append(text) or execute(text, values)
        )
        txn.look_up(ALL)
    assert len([text for text in asked if text != "ROLLBACK"]) == 1


def test_the_cases_that_were_looked_up_have_their_legs_already(stored: Any) -> None:
    """A changed case's legs are written again only where they are new."""
    with stored.begin() as txn:
        found = txn.look_up(Wanted(cases=[CASE])).cases
        assert txn._found == found
