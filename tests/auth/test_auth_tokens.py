from __future__ import annotations

import base64
import hashlib
import hmac
import json
import traceback
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from auth.errors import InvalidScope, InvalidToken, MissingToken, NoSigningKey
from auth.keys import generate_signing_key
from auth.public_keys import public_pem
from auth.scopes import DEFAULT_SCOPES
from auth.tokens import TokenIssuer, bearer_token


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _refused(world: Any, token: str, says: str) -> None:
    with pytest.raises(InvalidToken, match=says) as caught:
        world.verify(token)
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.challenge()
    pieces = [piece for piece in token.split(".") if len(piece) > 12]
    assert not any(piece in shown for piece in pieces), "an error must never echo the token"
    assert len(world.verifier) == 0


def test_a_token_says_what_rfc_9068_asks(world: Any) -> None:
    client = world.add()
    token, claims = world.tokens.issue(client, frozenset({"cases:read"}), world.keys, ["simpul-kafka"])
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"], header["kid"]) == ("at+jwt", "ES256", world.keys[0].kid)
    assert claims["iss"] == world.issuer
    assert claims["aud"] == [world.issuer, "simpul-kafka"]
    assert claims["sub"] == claims["client_id"] == client.id
    assert (claims["scope"], claims["agency"]) == ("cases:read", client.agency)
    assert claims["exp"] - claims["iat"] == 600
    assert jwt.decode(token, options={"verify_signature": False}) == claims


def test_what_was_issued_verifies(world: Any) -> None:
    client = world.add()
    token, claims = world.tokens.issue(client, frozenset({"cases:read"}), world.keys)
    principal = world.verify(token)
    assert (principal.client_id, principal.agency) == (client.id, client.agency)
    assert principal.scopes == {"cases:read"}
    assert (principal.token_id, principal.expires_at) == (claims["jti"], claims["exp"])
    assert world.verify(token) is principal


def test_two_tokens_never_share_their_id(world: Any) -> None:
    client = world.add()
    ids = {world.tokens.issue(client, DEFAULT_SCOPES, world.keys)[1]["jti"] for _ in range(20)}
    assert len(ids) == 20


def test_an_eddsa_key_signs_and_verifies_too(world: Any) -> None:
    world.keys = [generate_signing_key(world.moment(), "EdDSA", 0)]
    token, _ = world.tokens.issue(world.add(), DEFAULT_SCOPES, world.keys)
    assert world.verify(token).client_id == "client_kotim"


@pytest.mark.parametrize("lifetime_s", [299, 901, 0, -5])
def test_a_lifetime_outside_300_to_900_is_refused(world: Any, lifetime_s: int) -> None:
    with pytest.raises(ValueError, match="300 to 900"):
        TokenIssuer(world.issuer, [world.issuer], lifetime_s, world.clock)


def test_no_token_carries_more_than_its_client_may(world: Any) -> None:
    with pytest.raises(InvalidScope):
        world.tokens.issue(world.add(), frozenset({"agencies:write"}), world.keys)


def test_without_a_key_nothing_is_issued(world: Any) -> None:
    with pytest.raises(NoSigningKey):
        world.tokens.issue(world.add(), DEFAULT_SCOPES, [])


def test_alg_none_is_refused(world: Any) -> None:
    claims = jwt.decode(world.token(), options={"verify_signature": False})
    header = {"alg": "none", "typ": "at+jwt", "kid": world.keys[0].kid}
    token = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}."
    _refused(world, token, "signature does not hold")


@pytest.mark.parametrize("secret", ["pem", "jwk"])
def test_hs256_with_the_public_key_as_secret_is_refused(world: Any, secret: str) -> None:
    key = world.keys[0]
    known = public_pem(key.public_key) if secret == "pem" else json.dumps(key.jwk())
    body = world.token().split(".")[1]
    head = _b64(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": key.kid}).encode())
    signed = hmac.digest(known.encode(), f"{head}.{body}".encode(), hashlib.sha256)
    _refused(world, f"{head}.{body}.{_b64(signed)}", "signature does not hold")


def test_another_keys_signature_under_our_kid_is_refused(world: Any) -> None:
    claims = jwt.decode(world.token(), options={"verify_signature": False})
    headers = {"typ": "at+jwt", "kid": world.keys[0].kid}
    forged = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers=headers)
    _refused(world, forged, "signature does not hold")


def test_changed_claims_are_refused(world: Any) -> None:
    head, body, signature = world.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    body = _b64(json.dumps({**claims, "agency": "kementerian-pupr"}).encode())
    _refused(world, f"{head}.{body}.{signature}", "signature does not hold")


@pytest.mark.parametrize("kid", ["unknown", None, 7, ["a"], {}])
def test_an_unknown_kid_is_refused(world: Any, kid: Any) -> None:
    head, body, signature = world.token().split(".")
    head = _b64(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": kid}).encode())
    _refused(world, f"{head}.{body}.{signature}", "does not publish|cannot be read")


def test_keys_carried_in_the_token_are_not_believed(world: Any) -> None:
    own = generate_signing_key(world.moment(), publish_ahead_s=0)
    claims = jwt.decode(world.token(), options={"verify_signature": False})
    headers = {"typ": "at+jwt", "kid": own.kid, "jwk": own.jwk(), "jku": "https://jahat.example/jwks"}
    _refused(world, jwt.encode(claims, own.private_key, "ES256", headers=headers), "does not publish")


def test_an_unknown_critical_header_is_refused(world: Any) -> None:
    _refused(world, world.token({"crit": ["exp"], "exp": 1}), "cannot be read|does not hold")


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+JWT+x", "", None, 7])
def test_another_type_is_refused(world: Any, typ: Any) -> None:
    _, body, signature = world.token().split(".")
    header = {"alg": "ES256", "kid": world.keys[0].kid, **({} if typ is None else {"typ": typ})}
    _refused(world, f"{_b64(json.dumps(header).encode())}.{body}.{signature}", "'typ' is not at")


@pytest.mark.parametrize("typ", ["application/at+jwt", "AT+JWT"])
def test_the_type_may_be_written_in_full(world: Any, typ: str) -> None:
    assert world.verify(world.token({"typ": typ})).client_id == "client_kotim"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"iss": "https://lain.example"}, "somebody else"),
        ({"iss": None}, "somebody else"),
        ({"aud": "https://lain.example"}, "another audience"),
        ({"aud": ["simpul-kafka"]}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": {"https://simpul.example.go.id": 1}}, "another audience"),
        ({"aud": ["https://simpul.example.go.id", 7]}, "another audience"),
        ({"exp": None}, "lacks a claim"),
        ({"exp": "2030"}, "lacks a claim"),
        ({"exp": True}, "lacks a claim"),
        ({"exp": float("inf")}, "lacks a claim"),
        ({"exp": float("nan")}, "lacks a claim"),
        ({"exp": 10**400}, "lacks a claim"),
        ({"exp": 1_759_999_999}, "has expired"),
        ({"exp": 1_760_000_000}, "has expired"),
        ({"jti": None}, "lacks a claim"),
        ({"client_id": None}, "lacks a claim"),
        ({"client_id": 7}, "lacks a claim"),
        ({"agency": None}, "lacks a claim"),
        ({"sub": "client_other"}, "subject is not its client"),
        ({"sub": None}, "subject is not its client"),
        ({"agency": "kementerian-pupr"}, "revoked or not active"),
    ],
)
def test_claims_that_are_not_ours_are_refused(world: Any, changed: dict[str, Any], says: str) -> None:
    _refused(world, world.token(**changed), says)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "halo",
        "a.b",
        "a.b.c",
        "....",
        "e30.e30.",
        "=.=.=",
        _b64(b"[" * 5000) + ".e30.AA",
        _b64(b'{"alg":' * 900) + ".e30.AA",
        _b64(b'"alg"') + ".e30.AA",
        _b64(b"\xff\xfe") + ".e30.AA",
        "x" * 8193,
        "é.b.c",
        "\ud800.b.c",
        "a\x00.b.c",
    ],
)
def test_what_is_no_token_is_refused(world: Any, token: str) -> None:
    _refused(world, token, "cannot be read|'typ'")


def test_the_length_is_bounded_even_where_the_signature_holds(world: Any) -> None:
    _refused(world, world.token(padding="x" * 8192), "longer than 8192")


@pytest.mark.parametrize("character", ["é", "\ud800", "\u2024"])
def test_other_characters_are_refused_before_anything_is_parsed(world: Any, character: str) -> None:
    _refused(world, world.token() + character, "characters that no JWT has")


def test_a_deeply_nested_payload_is_refused(world: Any) -> None:
    key = world.keys[0]
    headers = {"typ": "at+jwt", "kid": key.kid}
    token = jwt.PyJWS().encode(b"[" * 5000, key.private_key, "ES256", headers=headers)
    _refused(world, token, "signature does not hold|cannot be read")


def test_unknown_scopes_in_a_token_allow_nothing(world: Any) -> None:
    assert world.verify(world.token(scope="cases:read cases:destroy")).scopes == {"cases:read"}
    assert world.verify(world.token(scope=None)).scopes == frozenset()
    assert world.verify(world.token(scope=["cases:read"])).scopes == frozenset()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic abc", "Token abc"])
def test_a_missing_token_names_no_error(header: str | None) -> None:
    with pytest.raises(MissingToken) as caught:
        bearer_token(header)
    assert caught.value.challenge() == 'Bearer realm="simpul"'


def test_the_bearer_scheme_has_no_case() -> None:
    assert bearer_token("bearer abc") == bearer_token("Bearer  abc ") == "abc"


def test_the_challenge_is_a_header(world: Any) -> None:
    with pytest.raises(InvalidToken) as caught:
        world.verify("halo")
    assert caught.value.challenge().startswith('Bearer realm="simpul", error="invalid_token", error_desc')
