"""The token endpoint, its keys and its metadata."""

from __future__ import annotations

import base64
import time
from typing import Any
from uuid import uuid4

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from auth.clients import new_client_id, public_pem
from hub.ports.clock import rfc3339
from hub.ports.registry import ClientRow
from tests.api.checking import Reply
from tests.api.conftest import PUBLIC, House

GRANT = {"grant_type": "client_credentials"}


async def ask(house: House, form: dict[str, str], **headers: str) -> Reply:
    return await house.nobody.send("POST", "/oauth/token", data=form, headers=headers)


def basic(client_id: str, secret: str) -> dict[str, str]:
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


async def test_basic_and_post(house: House) -> None:
    client_id, secret = house.client("bbws", frozenset({"cases:read", "mailbox:read"}))
    reply = await ask(house, GRANT, **basic(client_id, secret))
    assert reply.status == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert (reply.json["token_type"], reply.json["expires_in"]) == ("Bearer", 600)
    assert reply.json["scope"].split() == ["cases:read", "mailbox:read"]
    form = GRANT | {"client_id": client_id, "client_secret": secret, "scope": "cases:read"}
    token = (await ask(house, form)).json["access_token"]
    keys = jwt.PyJWKSet.from_dict((await house.nobody.get("/.well-known/jwks.json")).json)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=PUBLIC, issuer=PUBLIC)
    assert (claims["sub"], claims["scope"], claims["agency"]) == (client_id, "cases:read", "bbws")


async def test_private_key_jwt_and_its_replay(house: House) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    row = ClientRow(
        new_client_id(), "bbws", ("cases:read",), None, public_pem(key.public_key()),
        rfc3339(house.core.clock.now()),
    )  # fmt: skip
    house.core.rows.add_client(row)
    now = int(time.time())
    claims = {"iss": row.id, "sub": row.id, "aud": f"{PUBLIC}/oauth/token", "iat": now, "exp": now + 60}
    form = GRANT | {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims | {"jti": str(uuid4())}, key, algorithm="ES256"),
    }
    first, again = await ask(house, form), await ask(house, form)
    assert (first.status, again.status, again.json["error"]) == (200, 401, "invalid_client")


async def test_refusals_are_rfc_6749(house: House) -> None:
    client_id, secret = house.client("bbws", frozenset({"cases:read"}))
    good = basic(client_id, secret)
    for form, headers, status, error in (
        (GRANT, {}, 401, "invalid_client"),
        (GRANT, basic(client_id, "wrong"), 401, "invalid_client"),
        (GRANT, basic("nobody", secret), 401, "invalid_client"),
        ({}, good, 400, "invalid_request"),
        ({"grant_type": "password"}, good, 400, "unsupported_grant_type"),
        (GRANT | {"scope": "everything"}, good, 400, "invalid_scope"),
        (GRANT | {"scope": "agencies:write"}, good, 400, "invalid_scope"),
        (GRANT | {"client_secret": secret}, good, 400, "invalid_request"),
    ):
        reply = await ask(house, form, **headers)
        assert (reply.status, reply.json["error"]) == (status, error)
        assert reply.headers["Cache-Control"] == "no-store"
        assert ("WWW-Authenticate" in reply.headers) == (status == 401)
    for body, media in ((b"{}", "application/json"), (b"x" * 40_000, "application/x-www-form-urlencoded")):
        reply = await house.nobody.post("/oauth/token", body, headers={"Content-Type": media})
        assert (reply.status, reply.json["error"]) == (400, "invalid_request")


async def test_a_rotation_keeps_old_tokens_and_writes_the_file(house: House) -> None:
    app = await house.caller("bbws")
    access, file = house.server.access, house.core.settings.data_dir / "jwks.json"
    before = (await house.nobody.get("/.well-known/jwks.json")).json
    assert orjson.loads(file.read_bytes()) == before
    access.rotate()
    after = (await house.nobody.get("/.well-known/jwks.json")).json
    assert len(after["keys"]) == 2
    assert orjson.loads(file.read_bytes()) == after
    assert (await app.get("/v1/agencies")).status == 200


async def test_a_token_survives_a_restart_and_an_expired_one_does_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await house.caller("bbws")
    real = house.core.clock.now

    def later(seconds: float) -> Any:
        from datetime import timedelta

        return lambda: real() + timedelta(seconds=seconds)

    clock = house.core.clock
    monkeypatch.setattr(type(clock), "now", lambda self: later(590)())
    assert (await app.get("/v1/agencies")).status == 200
    monkeypatch.setattr(type(clock), "now", lambda self: later(601)())
    reply = await app.get("/v1/agencies")
    assert (reply.status, "expired" in reply.json["detail"]) == (401, True)


async def test_metadata(house: House) -> None:
    reply = (await house.nobody.get("/.well-known/oauth-authorization-server")).json
    assert (reply["issuer"], reply["token_endpoint"]) == (PUBLIC, f"{PUBLIC}/oauth/token")
    assert "private_key_jwt" in reply["token_endpoint_auth_methods_supported"]
