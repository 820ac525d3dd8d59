"""Clients, signing keys, assertions, cursors, trimming, forgetting: rows that no log makes."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.agency import Agency
from hub.errors import RowRefused
from hub.ports.effects import Effects, Remembered, Wanted
from hub.ports.registry import ClientRow, SigningKeyRow
from hub.ports.sealing import WrappedKey
from tests.store.storework import WHEN, Backend, append, event, write

LATER = "2025-03-15T02:00:00.000Z"


@pytest.fixture
def registry(backend: Backend, store: Any) -> Any:
    return backend.registry(store)


def client(name: str) -> ClientRow:
    return ClientRow(name, "kotim", ("cases:read", "complaints:write"), b"hash", None, WHEN)


def signing_key(kid: str, retires_at: str | None = None) -> SigningKeyRow:
    return SigningKeyRow(kid, "EdDSA", b"sealed", "{}", WHEN, WHEN, WHEN, retires_at)


def test_a_client_is_added_once_and_read_back(registry: Any) -> None:
    registry.add_client(client("client_a"))
    assert registry.changes_since(-1).clients == [client("client_a")]
    with pytest.raises(RowRefused):
        registry.add_client(client("client_a"))


def test_revoking_is_once_and_seen_in_the_transaction(registry: Any, store: Any) -> None:
    registry.add_client(client("client_a"))
    with store.begin() as txn:
        assert txn.look_up(Wanted(clients=["client_a", "client_b"])).inactive == {"client_b"}
    assert registry.revoke_client("client_a", LATER)
    assert not registry.revoke_client("client_a", LATER)
    assert not registry.revoke_client("client_b", LATER)
    with store.begin() as txn:
        assert txn.look_up(Wanted(clients=["client_a"])).inactive == {"client_a"}
    assert registry.changes_since(0).clients[0].revoked_at == LATER


def test_the_generation_grows_with_every_change_and_tells_other_connections(
    registry: Any, store: Any, backend: Backend
) -> None:
    other, seen = backend.open(), [store.registry_generation()]
    for change in (
        lambda: registry.add_client(client("client_a")),
        lambda: registry.revoke_client("client_a", LATER),
        lambda: registry.put_signing_keys([signing_key("k1")], []),
        lambda: write(store, Effects(agencies=[Agency("pupr", "PUPR", "ministry")])),
    ):
        change()
        seen.append(other.registry_generation())
    assert seen == sorted(set(seen))


def test_changes_since_gives_only_what_changed(registry: Any, store: Any) -> None:
    registry.add_client(client("client_a"))
    write(store, Effects(agencies=[Agency("pupr", "PUPR", "ministry")]))
    known = registry.changes_since(-1)
    assert known.generation == store.registry_generation()
    registry.add_client(client("client_b"))
    news = registry.changes_since(known.generation)
    assert ([c.id for c in news.clients], news.agencies) == (["client_b"], [])
    assert registry.changes_since(news.generation).clients == []


def test_signing_keys_are_replaced_as_a_whole(registry: Any) -> None:
    first = [signing_key("k1"), signing_key("k2")]
    assert registry.put_signing_keys(first, [])
    assert registry.put_signing_keys([signing_key("k2", LATER), signing_key("k3")], first)
    assert registry.changes_since(-1).signing_keys == [signing_key("k2", LATER), signing_key("k3")]


def test_an_assertion_counts_once_until_it_expires(registry: Any) -> None:
    assert registry.remember_assertion("client_a", "jti-1", 100.0, 10.0)
    assert not registry.remember_assertion("client_a", "jti-1", 100.0, 10.0)
    assert registry.remember_assertion("client_b", "jti-1", 100.0, 10.0)
    assert not registry.remember_assertion("client_a", "jti-1", 100.0, 100.0)
    assert registry.remember_assertion("client_a", "jti-1", 200.0, 100.1), (
        "it was dropped when it had expired"
    )


def test_the_hubs_own_key_stays_the_first_one(registry: Any) -> None:
    assert registry.hub_key() is None
    for wrapped in (b"1" * 60, b"2" * 60):
        registry.put_hub_key(WrappedKey("hub", 1, wrapped))
    assert registry.hub_key() == WrappedKey("hub", 1, b"1" * 60)


def test_a_cursor_moves_forward_and_back(registry: Any, store: Any) -> None:
    for position in (2, 1):
        registry.put_cursor("kotim", position)
        with store.read() as session:
            assert session.mailbox_state("kotim").cursor == position


def fill_mailbox(store: Any, times: list[str]) -> None:
    import orjson

    for time in times:
        position = append(store, "s")
        changed = orjson.dumps(
            orjson.loads(event(position, "s", position, ("kotim",)).header) | {"time": time}
        )
        with store.writing() as connection:
            connection.execute("UPDATE log SET header = ? WHERE position = ?", (changed, position))


@pytest.mark.parametrize(
    ("times", "cursor", "first"),
    [
        ([WHEN] * 4, None, 1),
        ([WHEN] * 4, 0, 1),
        ([WHEN] * 4, 2, 3),
        ([WHEN] * 4, 4, 5),
        ([WHEN, LATER, WHEN, WHEN], 4, 2),
        ([LATER] * 4, 4, 1),
    ],
    ids=["never acknowledged", "nothing", "what was read", "all", "at the front only", "too new"],
)
def test_trimming_takes_what_is_old_and_acknowledged(
    registry: Any, store: Any, times: list[str], cursor: int | None, first: int
) -> None:
    fill_mailbox(store, times)
    if cursor is not None:
        registry.put_cursor("kotim", cursor)
    assert registry.trim_mailboxes(LATER) == first - 1
    assert registry.trim_mailboxes(LATER) == 0
    with store.read() as session:
        state = session.mailbox_state("kotim")
        assert (state.first, state.head) == (first, 4)
        assert [row.position for row in session.mailbox("kotim", 0, 9)] == list(range(first, 5))


def test_a_trimmed_mailbox_goes_on_counting(registry: Any, store: Any) -> None:
    fill_mailbox(store, [WHEN] * 3)
    registry.put_cursor("kotim", 3)
    registry.trim_mailboxes(LATER)
    append(store, "s")
    registry.put_cursor("kotim", 4)
    with store.read() as session:
        assert [row.position for row in session.mailbox("kotim", 0, 9)] == [4]
        assert session.mailbox_state("kotim").first == 4


def test_idempotency_is_forgotten_when_it_is_old(registry: Any, store: Any) -> None:
    rows = [
        Remembered(name.encode(), b"", 200, "case", (), when) for name, when in (("a", WHEN), ("b", LATER))
    ]
    write(store, Effects(remembered=rows))
    assert registry.forget_idempotency(LATER) == 1
    with store.begin() as txn:
        assert txn.load_remembered([b"a", b"b"]) == {b"b": rows[1]}
