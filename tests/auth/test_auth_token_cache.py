from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auth.errors import InvalidToken


def _hit(world: Any) -> str:
    token = world.token()
    world.verify(token)
    assert len(world.verifier) == 1
    return token


def test_a_remembered_token_expires(world: Any) -> None:
    token = _hit(world)
    world.now += 599
    world.verify(token)
    world.now += 1
    with pytest.raises(InvalidToken, match="has expired"):
        world.verify(token)


@pytest.mark.parametrize("how", ["revoked", "gone"])
def test_a_remembered_token_dies_with_its_client(world: Any, how: str) -> None:
    token = _hit(world)
    world.revoke("client_kotim") if how == "revoked" else world.clients.clear()
    with pytest.raises(InvalidToken, match="revoked or not active"):
        world.verify(token)


def test_a_remembered_token_dies_with_its_key(world: Any) -> None:
    token = _hit(world)
    world.keys = [replace(world.keys[0], retires_at=world.moment())]
    with pytest.raises(InvalidToken, match="withdrawn"):
        world.verify(token)


def test_a_remembered_token_loses_what_its_client_lost(world: Any) -> None:
    token = _hit(world)
    world.add(scopes=frozenset({"cases:read"}))
    assert world.verify(token).scopes == {"cases:read"}


def test_a_signature_is_checked_once(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    token = _hit(world)
    monkeypatch.setattr("auth.jws.jwt", None)
    assert world.verify(token).client_id == "client_kotim"


def test_the_cache_is_bounded_and_forgets_the_least_used(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third, fourth = (world.token() for _ in range(4))
    for token in (first, second, third, first, fourth):
        world.verify(token)
    assert len(world.verifier) == 3
    monkeypatch.setattr("auth.jws.jwt", None)
    for token in (first, third, fourth):
        world.verify(token)
    with pytest.raises(AttributeError):
        world.verify(second)


def test_refused_tokens_are_not_remembered(world: Any) -> None:
    token = world.token()
    world.revoke("client_kotim")
    with pytest.raises(InvalidToken, match="revoked"):
        world.verify(token)
    assert len(world.verifier) == 0
