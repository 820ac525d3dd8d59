"""What this room needs of the hub: clients by id, and a memory of assertions that were used."""

from __future__ import annotations

from typing import Protocol

from auth.clients import Client


class ClientDirectory(Protocol):
    """Looks clients up. Fast (it is asked at every request) and as fresh as a revocation must be."""

    def get(self, client_id: str) -> Client | None:
        """The client, revoked ones included; None when unknown or when its agency is inactive."""
        ...


class ReplayGuard(Protocol):
    """Remembers assertions until they expire. For several processes it must be shared and durable."""

    def remember(self, issuer: str, jti: str, expires_at: float) -> bool:
        """True the first time, False when (issuer, jti) was seen. Atomic; `expires_at` in Unix seconds."""
        ...
