from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from auth.assertions import ASSERTION_TYPE, NOT_AUTHENTICATED
from auth.client_side import ClientKey
from auth.errors import InvalidClient, InvalidRequest
from auth.public_keys import algorithms_for

CLIENT = "client_kotim"
KEY = ec.generate_private_key(ec.SECP256R1())


def _assertion(world: Any, key: Any = KEY, algorithm: str = "ES256", **changed: Any) -> str:
    now = int(world.now)
    claims = {
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": world.token_url,
        "iat": now,
        "exp": now + 60,
        "jti": "satu",
    }
    claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm)


def _form(assertion: str, **more: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **more,
    }


def _refused(world: Any, assertion: str, says: str) -> None:
    with pytest.raises(InvalidClient, match=says) as caught:
        world.authenticate({}, _form(assertion))
    pieces = [piece for piece in assertion.split(".") if len(piece) > 12]
    assert not any(piece in str(caught.value) for piece in pieces)
    assert len(world.replay) == 0, "only what holds is remembered"


def test_every_kind_of_key_authenticates(world: Any, client_key: ClientKey) -> None:
    client = world.add(key=client_key)
    for number, algorithm in enumerate(algorithms_for(client_key.public_key())):
        assertion = _assertion(world, client_key, algorithm, jti=f"jti-{number}")
        assert world.authenticate({}, _form(assertion, client_id=client.id)) is client


@pytest.mark.parametrize("audience", ["token", "issuer", "list", "both"])
def test_the_audience_may_be_the_token_endpoint_or_the_issuer(world: Any, audience: str) -> None:
    client = world.add(key=KEY)
    aud = {
        "token": world.token_url,
        "issuer": world.issuer,
        "list": [world.issuer],
        "both": [world.issuer, world.token_url],
    }[audience]
    assert world.authenticate({}, _form(_assertion(world, aud=aud))) is client


def test_an_assertion_is_used_once(world: Any) -> None:
    world.add(key=KEY)
    world.add("client_lain", key=KEY)
    assertion = _assertion(world)
    world.authenticate({}, _form(assertion))
    with pytest.raises(InvalidClient, match="used before"):
        world.authenticate({}, _form(assertion))
    world.now += 59
    with pytest.raises(InvalidClient, match="used before"):
        world.authenticate({}, _form(assertion))
    other = _assertion(world, iss="client_lain", sub="client_lain")
    assert world.authenticate({}, _form(other)).id == "client_lain"
    assert world.authenticate({}, _form(_assertion(world, jti="dua"))).id == CLIENT


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"iss": "client_lain"}, "'iss' and 'sub'"),
        ({"iss": None}, "'iss' and 'sub'"),
        ({"sub": None}, "'iss' and 'sub'"),
        ({"sub": 7, "iss": 7}, "'iss' and 'sub'"),
        ({"aud": "https://lain.example"}, "'aud' must be one of"),
        ({"aud": ["https://simpul.example.go.id", "https://lain.example"]}, "'aud' must be one of"),
        ({"aud": []}, "'aud' must be one of"),
        ({"aud": None}, "'aud' must be one of"),
        ({"aud": 7}, "'aud' must be one of"),
        ({"exp": None}, "needs an 'exp'"),
        ({"exp": "besok"}, "needs an 'exp'"),
        ({"exp": float("nan")}, "needs an 'exp'"),
        ({"exp": 1_760_000_000}, "expired 0 s ago.*NTP"),
        ({"exp": 1_759_999_000}, "expired 1000 s ago"),
        ({"exp": 1_760_000_331}, "331 s ahead; at most 300 s"),
        ({"exp": 10**30}, "needs an 'exp'"),
        ({"iat": 1_760_000_031}, "'iat' is 31 s in the future"),
        ({"iat": "tadi"}, "'iat' is not a time"),
        ({"iat": 1_759_999_669}, "signed 331 s ago"),
        ({"nbf": 1_760_000_031}, "'nbf' is 31 s in the future"),
        ({"nbf": []}, "'nbf' is not a time"),
        ({"jti": None}, "needs a 'jti'"),
        ({"jti": ""}, "needs a 'jti'"),
        ({"jti": 7}, "needs a 'jti'"),
        ({"jti": "x" * 129}, "needs a 'jti'"),
    ],
)
def test_what_an_assertion_must_say(world: Any, changed: dict[str, Any], says: str) -> None:
    world.add(key=KEY)
    if not isinstance(changed.get("iss", ""), str):  # the encoder itself refuses it
        body = _assertion(world).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "==")) | changed
        _refused(world, jwt.PyJWS().encode(json.dumps(claims).encode(), KEY, "ES256"), says)
        return
    _refused(world, _assertion(world, **changed), says)


@pytest.mark.parametrize(
    "changed", [{"exp": 1_760_000_330}, {"iat": 1_760_000_030}, {"iat": None}, {"nbf": 0}]
)
def test_a_clock_that_is_a_little_off_is_borne(world: Any, changed: dict[str, Any]) -> None:
    world.add(key=KEY)
    assert world.authenticate({}, _form(_assertion(world, **changed))).id == CLIENT


def test_unknown_revoked_secret_only_and_wrong_key_get_one_answer(world: Any) -> None:
    wrong = ec.generate_private_key(ec.SECP256R1())
    _refused(world, _assertion(world), NOT_AUTHENTICATED)
    world.add(secret="rahasia")
    _refused(world, _assertion(world), NOT_AUTHENTICATED)
    world.add(key=KEY)
    _refused(world, _assertion(world, wrong), NOT_AUTHENTICATED)
    world.revoke(CLIENT)
    _refused(world, _assertion(world), NOT_AUTHENTICATED)


def test_an_unknown_client_is_checked_against_nobodys_key(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[object] = []
    real = __import__("auth.jws", fromlist=["x"]).verified_claims

    def spy(token: str, key: object, *rest: Any) -> Any:
        checked.append(key)
        return real(token, key, *rest)

    monkeypatch.setattr("auth.jws.verified_claims", spy)
    _refused(world, _assertion(world), NOT_AUTHENTICATED)
    assert len(checked) == 1


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_mac_with_the_public_key_is_refused(world: Any, algorithm: str) -> None:
    client = world.add(key=KEY)
    body = _assertion(world).split(".")[1]
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=").decode()
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    mac = hmac.digest(str(client.public_key).encode(), f"{head}.{body}".encode(), digest)
    _refused(world, f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}", NOT_AUTHENTICATED)


def test_alg_none_is_refused(world: Any) -> None:
    world.add(key=KEY)
    body = _assertion(world).split(".")[1]
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    _refused(world, f"{head}.{body}.", NOT_AUTHENTICATED)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS512"])
def test_other_rsa_algorithms_are_refused(world: Any, rsa_key: rsa.RSAPrivateKey, algorithm: str) -> None:
    world.add(key=rsa_key)
    _refused(world, _assertion(world, rsa_key, algorithm), NOT_AUTHENTICATED)


@pytest.mark.parametrize("text", ["halo", "a.b.c", "x" * 8193, "é.é.é", "\ud800", "W10.W10.AA"])
def test_what_is_no_assertion_is_refused(world: Any, text: str) -> None:
    _refused(world, text, "cannot be read")


def test_the_assertion_type_is_needed(world: Any) -> None:
    world.add(key=KEY)
    form = _form(_assertion(world))
    for kind in ("", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"):
        with pytest.raises(InvalidRequest, match="client_assertion_type="):
            world.authenticate({}, {**form, "client_assertion_type": kind})


def test_another_client_id_beside_the_assertion_is_refused(world: Any) -> None:
    world.add(key=KEY)
    with pytest.raises(InvalidRequest, match="another than the one"):
        world.authenticate({}, _form(_assertion(world), client_id="client_lain"))
