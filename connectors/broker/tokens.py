"""The hub's token for the broker, at hand for a thread that may not wait for it."""

from __future__ import annotations

import jwt

from connectors.broker import troubles
from connectors.hub_client import HubClient

AUDIENCE = "simpul-kafka"


class TokenSource:
    """`refresh` is called on the event loop often enough (the token is renewed at 80 % of its life, the
    library signs in again at 85 to 95 %); `present` answers at once on any thread."""

    def __init__(self, hub: HubClient, agency: str) -> None:
        self._hub, self._agency = hub, agency
        self._token = ""

    async def refresh(self) -> None:
        """Raises HubAway, or NotAllowed for a token that no broker of the hub would take."""
        token = await self._hub.token()
        if token == self._token:
            return
        if AUDIENCE not in _audience(token):
            self._hub.forget_token()
            raise troubles.no_audience(self._agency)
        self._token = token

    def refused(self) -> None:
        """The broker does not take it: the next one may be better."""
        self._hub.forget_token()

    def present(self) -> str:
        return self._token


def _audience(token: str) -> list[str]:
    """By the token's own words: only the broker verifies them."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return []
    found = claims.get("aud", [])
    return [found] if isinstance(found, str) else list(found)
