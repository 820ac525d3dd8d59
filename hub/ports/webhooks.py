"""Port: what the API asks of webhooks and their deliveries; `hub/delivery` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, Protocol

DeliveryState = Literal["pending", "dead", "done"]
DELIVERY_STATES: Final[tuple[DeliveryState, ...]] = ("pending", "dead", "done")

Webhook = dict[str, Any]
"""url, event_types, schema_version (int or None), active (False: paused, endpoint down), paused_until
(RFC 3339 or None), created_at; with `secret` (`whsec_…`) only where it says so below."""

Delivery = dict[str, Any]
"""id (uuid), position, event_id, subject, type, state (pending, dead, done), attempts (0 or more),
http_status (int or None), latency_ms (number or None), cause (text or None), next_attempt_at (RFC 3339 or
None), created_at, updated_at. No part of the event's data."""


class Webhooks(Protocol):
    """One webhook an agency. Every method raises Problems: NotFound where there is no webhook (or no such
    delivery of this agency), Invalid with the pointer for a target that is not allowed."""

    async def put(
        self, agency: str, url: str, event_types: Sequence[str], schema_version: int | None
    ) -> Webhook:
        """Makes or changes the agency's webhook. With `secret` when it was made by this call; a change keeps
        the secret and does not show it. No test call is sent. Invalid at `/url` for a target that may not
        be reached."""
        ...

    async def get(self, agency: str) -> Webhook:
        """As it stands, never with its secret."""
        ...

    async def delete(self, agency: str) -> Webhook:
        """Ends it; gives it as it stood, with `active` False and without its secret."""
        ...

    async def rotate_secret(self, agency: str) -> Webhook:
        """With the new `secret`. Both secrets sign for the overlap."""
        ...

    async def deliveries(
        self, agency: str, states: Sequence[DeliveryState], after: tuple[str, ...] | None, limit: int
    ) -> tuple[list[Delivery], tuple[str, ...] | None]:
        """A page, newest first, of any of `states` (all of them when empty), and the keyset to go on after
        (None at the end). `after` is such a keyset, as it was given."""
        ...

    async def redeliver(self, agency: str, delivery_id: str) -> Delivery:
        """Puts a dead or done delivery back to pending, due at once, under the same event id; gives it as
        it now stands. One that is pending already becomes due at once."""
        ...
