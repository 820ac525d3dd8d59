"""Port: what only one process of a hub may do at a time (delivery, clock, relay), leased on the database's
time; and the names of all roles.

A lease saves work and keeps order; what must never happen twice is fenced by its token besides, since a
stopped process may wake up believing that it still holds the lease."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

API: Final = "api"
DELIVERY: Final = "delivery"
CLOCK: Final = "clock"
RELAY: Final = "relay"
INBOUND: Final = "inbound"
ROLES: Final = (API, DELIVERY, CLOCK, RELAY, INBOUND)
"""What a process of the hub can run (`simpul serve --roles`). Delivery, clock and relay are leases of that
name; api and inbound run in as many processes as there are."""


@dataclass(frozen=True, slots=True)
class Lease:
    """`token` is higher than that of every holder of this name before, for ever. `until` is seconds since
    1970 on the database's clock, not on this machine's: hold it against nothing local."""

    name: str
    holder: str
    token: int
    until: float


class Leases(Protocol):
    """Synchronous; `acquire`, `renew` and `release` are transactions of their own, on the writer's thread.
    All raise StoreUnavailable while the database is away."""

    def acquire(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """The lease for `ttl_s` seconds, with a new token; None while another holder's runs. A holder that
        asks again for what it holds gets it anew, with a new token: what it began before is fenced off."""
        ...

    def renew(self, lease: Lease, ttl_s: float) -> Lease | None:
        """The same lease, token and all, for `ttl_s` seconds from now; None when it ended or was taken."""
        ...

    def release(self, lease: Lease) -> None:
        """Gives it back; nothing happens when another holds it by now."""
        ...
