"""What the registry needs of a database: clients, signing keys and replayed assertions, which are no
projections, and the calendars and policies, which are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.domain.agency import Agency
from hub.domain.dated_facts import DatedFact


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A registered OAuth client. Exactly one of `secret_hash` and `public_key` is set; times RFC 3339."""

    id: str
    agency: str
    scopes: tuple[str, ...]
    secret_hash: bytes | None
    public_key: str | None
    created_at: str
    revoked_at: str | None = None


@dataclass(frozen=True, slots=True)
class SigningKeyRow:
    """A token signing key; the private half is sealed under the hub's master key."""

    kid: str
    algorithm: str
    sealed_private: bytes
    public_jwk: str
    created_at: str
    published_at: str
    signs_from: str
    retires_at: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything in the registry that changed after a generation."""

    generation: int
    agencies: list[Agency]
    clients: list[ClientRow]
    signing_keys: list[SigningKeyRow]
    """All of them whenever anything changed: they are few."""


class RegistryStore(Protocol):
    """Writes are transactions of their own and raise the registry's generation, so that every process sees
    them at its next request."""

    def changes_since(self, generation: int) -> Changes: ...

    def dated_facts(self) -> list[DatedFact]:
        """Every calendar and the policies, in the order in which the log last named them. They are not in
        `Changes`: read them again when the generation has grown."""
        ...

    def add_client(self, client: ClientRow) -> None: ...

    def revoke_client(self, client_id: str, revoked_at: str) -> bool:
        """False when there is no such client, or it was revoked before."""
        ...

    def put_signing_keys(self, keys: Sequence[SigningKeyRow], expected: Sequence[SigningKeyRow]) -> bool:
        """Makes these the signing keys: new ones are added, changed ones updated, others deleted. False, and
        nothing is done, unless they were exactly the `expected` ones (in `Changes.signing_keys`' order) until
        then: another process changed them; read them again."""
        ...

    def remember_assertion(self, issuer: str, jti: str, expires_at: float, now: float) -> bool:
        """False when it was seen before. Expired ones are dropped on the way."""
        ...
