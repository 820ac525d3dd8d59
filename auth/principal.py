"""Who is asking: what a verified access token or an officer's session says, and nothing more."""

from __future__ import annotations

from dataclasses import dataclass

from auth.roles import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts for an agency: a client, or an officer in a session. `token_id` is the `jti` (or names the
    session), `expires_at` Unix seconds. `client_id` is an officer's own id where an officer acts."""

    client_id: str
    agency: str
    scopes: frozenset[str]
    token_id: str
    expires_at: float
    role: Role = Role.SYSTEM
    officer: str | None = None
    """The officer's id; None for a machine client."""
    below: frozenset[str] = frozenset()
    """The agencies below this one, of whoever may read their cases too."""
