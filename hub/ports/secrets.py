"""Port: sealing the hub's own secrets (token signing keys, webhook secrets), which belong to no case."""

from __future__ import annotations

from typing import Protocol


class SecretBox(Protocol):
    """Seals small secrets at rest. Guarantees: authenticated, bound to `name`, readable in every process of
    the hub and after a rotation of the master key. Thread-safe; waits for nothing but memory."""

    def seal(self, name: str, data: bytes) -> bytes:
        """`data` sealed for `name`, such as "signing-key:<kid>" or "webhook:<agency>"."""
        ...

    def open(self, name: str, sealed: bytes) -> bytes:
        """What was sealed for exactly this name. Raises `hub.ports.sealing.SealBroken` for altered bytes or
        another name, `KeyUnavailable` when the master key of that time is gone."""
        ...
