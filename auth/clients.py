"""A registered client, and what it proves itself by: a generated secret or a public key."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from auth.public_keys import PublicKey, load_public_key, public_pem

__all__ = [
    "Client",
    "PublicKey",
    "hash_secret",
    "load_public_key",
    "new_client_id",
    "new_secret",
    "public_pem",
    "secret_matches",
]

SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client of an agency. `public_key` is PEM; exactly one of key and secret hash is set."""

    id: str
    agency: str
    scopes: frozenset[str]
    secret_hash: bytes | None = field(repr=False)
    public_key: str | None
    created_at: datetime
    revoked_at: datetime | None = None


def new_client_id() -> str:
    """A new id: `client_` and 128 random bits. The prefix keeps a leading '-' away from command lines."""
    return "client_" + secrets.token_urlsafe(16)


def new_secret() -> str:
    """A new secret: `simpul_` and 256 random bits. The prefix lets scanners find one that was published."""
    return "simpul_" + secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str, pepper: bytes) -> bytes:
    """HMAC-SHA-256 under the hub's pepper. Enough for a generated secret: 256 bits cannot be guessed."""
    return hmac.digest(pepper, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)


def secret_matches(secret: str, expected: bytes, pepper: bytes) -> bool:
    """Whether `secret` hashes to `expected`, in constant time."""
    return hmac.compare_digest(hash_secret(secret, pepper), expected)
