"""The hub's token signing keys: made, published before they sign, and published after they last signed.

ES256 is the default because every verifier knows it, a Kafka broker's OAUTHBEARER among them; EdDSA is
there for those who prefer it. Times are UTC; a list of keys is at most a handful.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from auth.errors import NoSigningKey
from auth.public_keys import PublicKey, public_jwk, thumbprint

Algorithm = Literal["EdDSA", "ES256"]
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

DEFAULT_ALGORITHM: Final[Algorithm] = "ES256"
MAX_TOKEN_LIFETIME_S: Final = 900
DEFAULT_OVERLAP_S: Final = 2 * MAX_TOKEN_LIFETIME_S
DEFAULT_PUBLISH_AHEAD_S: Final = 3600
"""Longer than verifiers keep a JWKS: they then know a key before they meet it."""


@dataclass(frozen=True)
class SigningKey:
    """A signing key. Published from when it was made (`published_at`) until `retires_at` (None: not yet
    decided); it signs from `signs_from` until a newer one does. `private_pem` is plain PKCS 8: the hub seals
    it at rest."""

    kid: str
    algorithm: Algorithm
    private_pem: bytes = field(repr=False)
    created_at: datetime
    published_at: datetime
    signs_from: datetime
    retires_at: datetime | None = None

    @cached_property
    def private_key(self) -> PrivateKey:
        key = serialization.load_pem_private_key(self.private_pem, password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey)
        return key

    @cached_property
    def public_key(self) -> PublicKey:
        return self.private_key.public_key()

    def jwk(self) -> dict[str, Any]:
        """The public half as it is published."""
        return {**public_jwk(self.public_key), "use": "sig", "alg": self.algorithm, "kid": self.kid}

    def published(self, now: datetime) -> bool:
        """Also where `published_at` lies ahead: the key is there, so it is the clock that was set back."""
        return self.retires_at is None or now < self.retires_at

    def lasts(self, now: datetime) -> bool:
        """Whether what it signs now stays verifiable: it remains published for a longest token lifetime."""
        return self.retires_at is None or now + timedelta(seconds=MAX_TOKEN_LIFETIME_S) <= self.retires_at

    def may_sign(self, now: datetime) -> bool:
        """Whether its turn to sign has come, and what it signs lasts."""
        return self.signs_from <= now and self.lasts(now)


def generate_signing_key(
    now: datetime, algorithm: Algorithm = DEFAULT_ALGORITHM, publish_ahead_s: float = DEFAULT_PUBLISH_AHEAD_S
) -> SigningKey:
    """A new key, published from `now`, that signs `publish_ahead_s` later; `kid`: RFC 7638 thumbprint."""
    while True:
        private = _new_private_key(algorithm)
        kid = thumbprint(private.public_key())
        # A kid that begins with '-' would be taken for an option on a command line.
        if not kid.startswith("-"):
            return SigningKey(
                kid=kid,
                algorithm=algorithm,
                private_pem=_pem(private),
                created_at=now,
                published_at=now,
                signs_from=now + timedelta(seconds=publish_ahead_s),
            )


def jwks(keys: Sequence[SigningKey], now: datetime) -> dict[str, Any]:
    """The JWK Set (RFC 7517) of every key that is published and not yet retired, oldest first."""
    ordered = sorted(keys, key=lambda key: (key.published_at, key.kid))
    return {"keys": [key.jwk() for key in ordered if key.published(now)]}


def signing_key(keys: Sequence[SigningKey], now: datetime) -> SigningKey:
    """The newest key that may sign now. Where no key's turn has come, the clock was set back behind them:
    then the one that begins earliest, which has been published longest. `NoSigningKey` when there is none."""
    lasting = [key for key in keys if key.lasts(now)]
    if not lasting:
        raise NoSigningKey("The hub has no key to sign tokens with; run: simpul key rotate.")
    begun = [key for key in lasting if key.may_sign(now)]
    return max(begun, key=_turn) if begun else min(lasting, key=_turn)


def can_sign(keys: Sequence[SigningKey], now: datetime) -> bool:
    """Whether `signing_key` finds one."""
    return any(key.lasts(now) for key in keys)


def rotate(
    keys: Sequence[SigningKey],
    now: datetime,
    overlap_s: float = DEFAULT_OVERLAP_S,
    publish_ahead_s: float = DEFAULT_PUBLISH_AHEAD_S,
    algorithm: Algorithm = DEFAULT_ALGORITHM,
) -> list[SigningKey]:
    """The keys after a rotation: a new one, published now and signing `publish_ahead_s` later; every older
    one published until `overlap_s` after that. Keys that have retired are left out: delete them.

    The very first key, or one that replaces none that can sign, signs at once. `ValueError` when the
    overlap is shorter than the longest token lifetime: tokens would outlive their key.
    """
    if overlap_s < MAX_TOKEN_LIFETIME_S:
        raise ValueError(f"The overlap must be at least {MAX_TOKEN_LIFETIME_S} s, a token's longest life.")
    replaces = any(key.may_sign(now) for key in keys)
    new = generate_signing_key(now, algorithm, publish_ahead_s if replaces else 0)
    retires_at = new.signs_from + timedelta(seconds=overlap_s)
    kept = [key for key in keys if key.retires_at is None or key.retires_at > now]
    return [*(_retiring(key, retires_at) for key in kept), new]


class PublishedKeys:
    """kid -> public key for `TokenVerifier`, worked out again only when one of the keys retires."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._keys = tuple(keys)
        self._moments = sorted(key.retires_at.timestamp() for key in keys if key.retires_at is not None)
        self._current: Mapping[str, PublicKey] = {}
        self._from, self._until = 0.0, 0.0

    def at(self, now: float) -> Mapping[str, PublicKey]:
        """The keys published at `now` (Unix seconds)."""
        if not self._from <= now < self._until:
            moment = datetime.fromtimestamp(now, UTC)
            self._current = {key.kid: key.public_key for key in self._keys if key.published(moment)}
            self._from = now
            self._until = next((end for end in self._moments if end > now), float("inf"))
        return self._current


def _turn(key: SigningKey) -> tuple[datetime, datetime, str]:
    return key.signs_from, key.created_at, key.kid


def _retiring(key: SigningKey, at: datetime) -> SigningKey:
    # An earlier rotation may have promised less time; a promise is never shortened nor made longer.
    return key if key.retires_at is not None else replace(key, retires_at=at)


def _new_private_key(algorithm: Algorithm) -> PrivateKey:
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    raise ValueError(f"{algorithm!r} is no signing algorithm of the hub; ES256 and EdDSA are.")


def _pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
