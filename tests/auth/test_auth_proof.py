"""A proof in two steps: who it is, which writes nothing, and that its assertion is new, which is written."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from auth.assertions import ASSERTION_TYPE
from auth.errors import InvalidClient
from auth.grants import Proof, prove_client, unchanged

KEY = ec.generate_private_key(ec.SECP256R1())


def proven(world: Any, form: dict[str, str]) -> Proof:
    return prove_client(
        {},
        form,
        directory=world,
        pepper=world.pepper,
        audiences=(world.token_url, world.issuer),
        now=world.now,
    )


def by_assertion(world: Any, jti: str = "satu") -> dict[str, str]:
    now = int(world.now)
    claims = {"iss": "client_kotim", "sub": "client_kotim", "aud": world.token_url, "iat": now}
    signed = jwt.encode(claims | {"exp": now + 60, "jti": jti}, KEY, algorithm="ES256")
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


def test_proving_writes_nothing_and_using_up_writes_once(world: Any) -> None:
    client = world.add(key=KEY)
    form = by_assertion(world)
    first, second = proven(world, form), proven(world, form)
    assert (first.client, first.by_assertion, len(world.replay)) == (client, True, 0)
    first.use_up(world.replay)
    with pytest.raises(InvalidClient, match="used before"):
        second.use_up(world.replay)
    assert len(world.replay) == 1


def test_a_secret_has_nothing_to_use_up(world: Any) -> None:
    world.add(secret="rahasia")
    proof = proven(world, {"client_id": "client_kotim", "client_secret": "rahasia"})
    assert not proof.by_assertion
    proof.use_up(world.replay)
    assert len(world.replay) == 0


@pytest.mark.parametrize("how", ["revoked", "gone", "another key"])
def test_who_changed_since_the_proof_gets_nothing(world: Any, how: str) -> None:
    world.add(key=KEY)
    proof = proven(world, by_assertion(world))
    assert unchanged(proof.client, world) is proof.client
    if how == "revoked":
        world.revoke("client_kotim")
    elif how == "gone":
        world.clients.clear()
    else:
        world.add(key=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(InvalidClient):
        unchanged(proof.client, world)
