"""Signatures over what leaves the hub as evidence, by its published token keys, and the keys that check them.

Not JWS: what is signed begins with a purpose and a zero byte, which no signing input of a JWS holds, so that
neither can ever be taken for the other. A signature is taken in one form only: raw R and S for ES256
(RFC 7518 3.4) with the lower S, RFC 8032 for EdDSA, both as base64url of 64 bytes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from auth.errors import KeyRefused
from auth.keys import SigningKey
from auth.public_keys import PublicKey, load_public_key, thumbprint

_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SHA256: Final = ec.ECDSA(hashes.SHA256())


def sign(key: SigningKey, purpose: str, message: bytes) -> str:
    """The signature of `message` for `purpose`: 86 characters."""
    private, signed = key.private_key, _signed(purpose, message)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return _text(private.sign(signed))
    r, s = decode_dss_signature(private.sign(signed, _SHA256))
    return _text(r.to_bytes(32, "big") + min(s, _P256_ORDER - s).to_bytes(32, "big"))


def holds(key: PublicKey, purpose: str, message: bytes, signature: str) -> bool:
    """Whether `signature` is one of `message` for `purpose`; false for whatever is no signature at all."""
    raw = _bytes(signature)
    if raw is None:
        return False
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(raw, _signed(purpose, message))
            return True
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        if not isinstance(key, ec.EllipticCurvePublicKey) or not 0 < s <= _P256_ORDER // 2:
            return False
        key.verify(encode_dss_signature(r, s), _signed(purpose, message), _SHA256)
    except InvalidSignature:
        return False
    return True


def key_set(text: str) -> Mapping[str, PublicKey]:
    """The keys of a JWK Set (RFC 7517) by their thumbprints (RFC 7638), which are the hub's key ids: what a
    set calls them itself proves nothing. KeyRefused for what is no set, or has no key of use."""
    try:
        members = json.loads(text)["keys"]
        texts = [json.dumps(each) for each in members if isinstance(each, dict)]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise KeyRefused("It is no JWK Set: an object with a list 'keys' is needed.") from None
    found = {}
    for each in texts:
        try:
            key = load_public_key(each)
        except KeyRefused:
            continue  # a set may hold keys for other ends
        found[thumbprint(key)] = key
    if not found:
        raise KeyRefused("It holds no public key that can be used; EC P-256 and Ed25519 can.")
    return found


def _signed(purpose: str, message: bytes) -> bytes:
    return b"simpul/" + purpose.encode() + b"\0" + message


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes | None:
    """None also where other letters would give the same bytes."""
    try:
        raw = base64.b64decode(text + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == 64 and _text(raw) == text else None
