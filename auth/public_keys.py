"""Public keys as this room takes them: loading in plain words, pinned algorithms, JWK and thumbprint."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from auth.errors import KeyRefused

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

MIN_RSA_BITS: Final = 2048
MAX_KEY_CHARS: Final = 16_384
HOW_TO: Final = (
    "Make a key pair with: openssl ecparam -name prime256v1 -genkey -noout -out private.pem, "
    "then give the public half: openssl ec -in private.pem -pubout -out public.pem."
)
PRIVATE: Final = (
    "This is a PRIVATE key. Nobody but its owner may have it, the hub included: "
    "do not send it on, replace the pair if it has left its machine, and give the public half only. "
)
_LOADERS: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
    "RSA": RSAAlgorithm.from_jwk,
}
_THUMBPRINT_MEMBERS: Final = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}


def load_public_key(text: str) -> PublicKey:
    """The key in a PEM or JWK text: EC P-256, Ed25519, or RSA of at least 2048 bits. Else `KeyRefused`."""
    text = text.strip().removeprefix("\ufeff")
    if len(text) > MAX_KEY_CHARS:
        raise KeyRefused("This is far longer than a public key. " + HOW_TO)
    if "PRIVATE KEY-----" in text:
        raise KeyRefused(PRIVATE + HOW_TO)
    return _checked(_from_jwk(text) if text.startswith("{") else _from_pem(text))


def public_pem(key: PublicKey) -> str:
    """The key as PEM (SubjectPublicKeyInfo), the form in which `Client.public_key` keeps it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode("ascii")


def algorithms_for(key: PublicKey) -> list[str]:
    """The only JWS algorithms that this key may verify (RFC 8725 3.1): by its type alone."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ["ES256"]
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ["EdDSA"]
    # Many JWT libraries for PHP know RS256 alone of the two.
    return ["PS256", "RS256"]


def public_jwk(key: PublicKey) -> dict[str, Any]:
    """The key as a JWK (RFC 7517): its public members only."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        jwk = ECAlgorithm.to_jwk(key, as_dict=True)
    elif isinstance(key, ed25519.Ed25519PublicKey):
        jwk = OKPAlgorithm.to_jwk(key, as_dict=True)
    else:
        jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
    return {name: jwk[name] for name in _THUMBPRINT_MEMBERS[jwk["kty"]]}


def thumbprint(key: PublicKey) -> str:
    """The SHA-256 thumbprint of RFC 7638, base64url without padding: 43 characters."""
    jwk = public_jwk(key)
    canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode("ascii")
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode("ascii")


def _from_pem(text: str) -> object:
    if "BEGIN CERTIFICATE" in text:
        raise KeyRefused(
            "This is a certificate, not a public key. Take its key out with: "
            "openssl x509 -in FILE -pubkey -noout -out public.pem."
        )
    if text.startswith(("ssh-", "ecdsa-")):
        raise KeyRefused("This is an SSH key. Convert it with: ssh-keygen -e -m PKCS8 -f FILE > public.pem.")
    try:
        return serialization.load_pem_public_key(text.encode("utf-8"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefused("This is no public key in PEM form or as a JWK. " + HOW_TO) from error


def _from_jwk(text: str) -> object:
    try:
        jwk = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise KeyRefused("This begins like a JWK but is not JSON. " + HOW_TO) from error
    if "keys" in jwk:
        raise KeyRefused("This is a JWK Set. Give one key of it, the object inside its 'keys' list.")
    if "d" in jwk:
        raise KeyRefused(PRIVATE + HOW_TO)
    if jwk.get("kty") not in ("EC", "OKP", "RSA"):
        raise KeyRefused("A JWK of this kind cannot be used; EC, OKP (Ed25519) and RSA can. " + HOW_TO)
    try:
        return _LOADERS[jwk["kty"]](jwk)
    except (PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
        raise KeyRefused("This JWK is incomplete or damaged. " + HOW_TO) from error


def _checked(key: object) -> PublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, ec.SECP256R1):
            raise KeyRefused(f"The curve {key.curve.name} is not taken; P-256 (prime256v1) is. " + HOW_TO)
        return key
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise KeyRefused(
                f"An RSA key of {key.key_size} bits is too weak; {MIN_RSA_BITS} are needed. " + HOW_TO
            )
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise KeyRefused("A key of this kind cannot be used; EC P-256, Ed25519 and RSA can. " + HOW_TO)
