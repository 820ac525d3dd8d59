"""Who is asking: what a verified access token says, and nothing more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated client acting for its agency. `token_id` is the `jti`, `expires_at` Unix seconds."""

    client_id: str
    agency: str
    scopes: frozenset[str]
    token_id: str
    expires_at: float
