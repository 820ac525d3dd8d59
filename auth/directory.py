"""What this room needs of the hub: clients by id, and a memory of assertions that were used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from auth.clients import Client
from auth.errors import TemporarilyUnavailable

DEFAULT_CAPACITY: Final = 100_000


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


class MemoryReplayGuard:
    """A bounded guard for one process, forgotten at a restart: for tests and embedded use.

    When `capacity` unexpired assertions are held it refuses further ones rather than forget one.
    """

    def __init__(self, clock: Callable[[], float], capacity: int = DEFAULT_CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._seen: dict[tuple[str, str], float] = {}

    def remember(self, issuer: str, jti: str, expires_at: float) -> bool:
        now = self._clock()
        held = self._seen.get((issuer, jti))
        if held is not None and held > now:
            return False
        if len(self._seen) >= self._capacity:
            self._drop_expired(now)
        self._seen[issuer, jti] = expires_at
        return True

    def _drop_expired(self, now: float) -> None:
        self._seen = {key: expiry for key, expiry in self._seen.items() if expiry > now}
        if len(self._seen) >= self._capacity:
            raise TemporarilyUnavailable("Too many client assertions at once; try again in a minute.")

    def __len__(self) -> int:
        return len(self._seen)
