from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from auth.client_side import ClientKey
from auth.clients import hash_secret, load_public_key, new_client_id, new_secret, public_pem, secret_matches
from auth.errors import KeyRefused
from auth.public_keys import algorithms_for, public_jwk, thumbprint

PEM = serialization.Encoding.PEM


def _spki(key: Any) -> str:
    return key.public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _pkcs8(key: Any) -> str:
    none = serialization.NoEncryption()
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, none).decode()


def test_pem_and_jwk_give_the_same_key(client_key: ClientKey) -> None:
    public = client_key.public_key()
    for text in (
        _spki(public),
        f"\n {_spki(public)}",
        "\ufeff" + _spki(public),
        json.dumps(public_jwk(public)),
    ):
        assert public_pem(load_public_key(text)) == _spki(public)


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (lambda: ec.generate_private_key(ec.SECP256R1()), ["ES256"]),
        (ed25519.Ed25519PrivateKey.generate, ["EdDSA"]),
    ],
)
def test_a_key_verifies_by_its_own_algorithm_only(make: Callable[[], Any], algorithm: list[str]) -> None:
    assert algorithms_for(make().public_key()) == algorithm


def test_an_rsa_key_verifies_by_the_two_rsa_algorithms(rsa_key: rsa.RSAPrivateKey) -> None:
    assert set(algorithms_for(rsa_key.public_key())) == {"PS256", "RS256"}


def test_a_private_key_is_refused_with_a_warning(client_key: ClientKey) -> None:
    with pytest.raises(KeyRefused, match="PRIVATE key") as caught:
        load_public_key(_pkcs8(client_key))
    assert "MII" not in caught.value.description


def test_a_private_jwk_is_refused_with_a_warning(rsa_key: rsa.RSAPrivateKey) -> None:
    for jwk in (
        ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1())),
        OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate()),
        RSAAlgorithm.to_jwk(rsa_key),
    ):
        with pytest.raises(KeyRefused, match="PRIVATE key") as caught:
            load_public_key(jwk)
        assert json.loads(jwk)["d"] not in caught.value.description


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no public key"),
        ("halo", "no public key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "no public key"),
        ("-----BEGIN PUBLIC KEY-----\n\ud800\n-----END PUBLIC KEY-----", "no public key"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "certificate"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", "PRIVATE key"),
        ("ssh-ed25519 AAAAC3Nza dinas@diskominfo", "SSH key"),
        ("{", "not JSON"),
        ("{" + '"a":[' * 3000, "not JSON"),
        ('{"keys": []}', "JWK Set"),
        ('{"kty": "oct", "k": "AAAA"}', "cannot be used"),
        ('{"kty": ["EC"]}', "cannot be used"),
        ('{"kty": "EC", "crv": "P-256"}', "damaged"),
        ('{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": 7}', "damaged"),
        ('{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}', "damaged"),
        ('{"kty": "RSA", "n": "AAAA"}', "damaged"),
        ("x" * 20_000, "longer"),
    ],
)
def test_what_is_no_public_key_is_refused_with_a_remedy(text: str, says: str) -> None:
    with pytest.raises(KeyRefused, match=says):
        load_public_key(text)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ec.generate_private_key(ec.SECP384R1()), "curve secp384r1"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "curve secp256k1"),
        (lambda: rsa.generate_private_key(65537, 1024), "1024 bits is too weak"),
        (ed448.Ed448PrivateKey.generate, "of this kind"),
        (x25519.X25519PrivateKey.generate, "of this kind"),
        (lambda: dsa.generate_private_key(1024), "of this kind"),
    ],
)
def test_a_key_of_another_kind_is_refused(make: Callable[[], Any], says: str) -> None:
    with pytest.raises(KeyRefused, match=says):
        load_public_key(_spki(make().public_key()))


def test_the_point_must_lie_on_the_curve() -> None:
    jwk = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(KeyRefused, match="damaged"):
        load_public_key(json.dumps({**jwk, "y": jwk["x"]}))


def test_the_thumbprint_is_the_one_of_rfc_7638_section_3_1() -> None:
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRX"
        "jBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaS"
        "qzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksIN"
        "HaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    key = load_public_key(
        json.dumps({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})
    )
    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_ids_and_secrets_hold_only_what_the_contract_allows() -> None:
    for make in (new_client_id, new_secret):
        made = {make() for _ in range(200)}
        assert len(made) == 200
        assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]+", text) for text in made)
    assert len(new_secret().removeprefix("simpul_")) * 6 >= 256


def test_a_secret_matches_its_own_hash_under_its_own_pepper() -> None:
    secret = new_secret()
    stored = hash_secret(secret, b"p" * 32)
    assert secret_matches(secret, stored, b"p" * 32)
    assert not secret_matches(secret, stored, b"q" * 32)
    assert not secret_matches(secret + "x", stored, b"p" * 32)
    assert len(stored) == 32
    assert secret.encode() not in stored
