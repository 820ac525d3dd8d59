"""One small world for this room's tests: a clock to turn, a directory of clients, the hub's keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auth.client_side import ClientKey
from auth.clients import Client, hash_secret, public_pem
from auth.grants import prove_client
from auth.keys import PublishedKeys, SigningKey, rotate
from auth.principal import Principal
from auth.scopes import DEFAULT_SCOPES
from auth.tokens import TokenIssuer, TokenVerifier

START = 1_760_000_000.0


class Replays:
    """The guard that the assertions are tested with: a set of what was seen and has not expired."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str], float] = {}

    def remember(self, issuer: str, jti: str, expires_at: float) -> bool:
        if self._seen.get((issuer, jti), 0.0) > self._clock():
            return False
        self._seen[issuer, jti] = expires_at
        return True

    def __len__(self) -> int:
        return len(self._seen)


@dataclass
class World:
    now: float = START
    issuer: str = "https://simpul.example.go.id"
    pepper: bytes = b"merica" * 6
    clients: dict[str, Client] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    keys: list[SigningKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.token_url = f"{self.issuer}/oauth/token"
        self.replay = Replays(self.clock)
        self.tokens = TokenIssuer(self.issuer, [self.issuer], 600, self.clock)
        self.verifier = TokenVerifier(self.issuer, self.issuer, self.clock, cache_size=3)

    def clock(self) -> float:
        return self.now

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    def get(self, client_id: str) -> Client | None:
        self.asked.append(client_id)
        return self.clients.get(client_id)

    def add(
        self,
        client_id: str = "client_kotim",
        *,
        secret: str | None = None,
        key: ClientKey | None = None,
        scopes: frozenset[str] = DEFAULT_SCOPES,
    ) -> Client:
        client = Client(
            id=client_id,
            agency="kab-kotawaringin-timur",
            scopes=scopes,
            secret_hash=hash_secret(secret, self.pepper) if secret else None,
            public_key=public_pem(key.public_key()) if key else None,
            created_at=self.moment(),
        )
        self.clients[client_id] = client
        return client

    def revoke(self, client_id: str) -> None:
        self.clients[client_id] = replace(self.clients[client_id], revoked_at=self.moment())

    def authenticate(self, headers: Mapping[str, str], form: Mapping[str, str]) -> Client:
        proof = prove_client(
            headers,
            form,
            directory=self,
            pepper=self.pepper,
            audiences=(self.token_url, self.issuer),
            now=self.now,
        )
        proof.use_up(self.replay)
        return proof.client

    def token(self, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """A token signed by the hub's own key, with claims changed; a claim given as None is left out."""
        _, claims = self.tokens.issue(self.add(), DEFAULT_SCOPES, self.keys)
        claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        key = self.keys[0]
        headers = {"typ": "at+jwt", "kid": key.kid, **(header or {})}
        return jwt.encode(claims, key.private_key, algorithm="ES256", headers=headers)

    def published(self) -> Mapping[str, Any]:
        return PublishedKeys(self.keys).at(self.now)

    def verify(self, token: str) -> Principal:
        return self.verifier.verify(token, self.published(), self.clients.get)


def to_pem(key: Any) -> str:
    none = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none)
    return str(pem, "ascii")


@pytest.fixture
def world() -> World:
    made = World()
    made.keys = rotate([], made.moment())
    return made


@pytest.fixture(scope="session")
def pkcs8() -> Any:
    """Any private key as PEM text."""
    return to_pem


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session", params=["EC", "OKP", "RSA"])
def client_key(request: pytest.FixtureRequest, rsa_key: rsa.RSAPrivateKey) -> ClientKey:
    if request.param == "EC":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa_key if request.param == "RSA" else ed25519.Ed25519PrivateKey.generate()
