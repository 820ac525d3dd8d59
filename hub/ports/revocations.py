"""Port: the journal of what was taken away from clients, officers and agencies. It lies beside the master key
and outlives every restore. Ids only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

CLIENT_REVOKED: Final = "client.revoked"
OFFICER_DISABLED: Final = "officer.disabled"
OFFICER_ENABLED: Final = "officer.enabled"
CREDENTIALS_CHANGED: Final = "officer.credentials"
"""A password or a second factor was replaced, set or removed: what was good before is so no more."""
AGENCY_DEACTIVATED: Final = "agency.deactivated"
AGENCY_ACTIVATED: Final = "agency.activated"
WEBHOOK_DELETED: Final = "webhook.deleted"
WEBHOOK_MOVED: Final = "webhook.moved"
"""It was pointed to another address; whose, the line does not say. The `id` of both is the agency's."""
CHANGES: Final = frozenset(
    {
        *(CLIENT_REVOKED, OFFICER_DISABLED, OFFICER_ENABLED, CREDENTIALS_CHANGED),
        *(AGENCY_DEACTIVATED, AGENCY_ACTIVATED, WEBHOOK_DELETED, WEBHOOK_MOVED),
    }
)


@dataclass(frozen=True, slots=True)
class RevocationLine:
    """`what`, one of CHANGES, was done to the client, officer or agency `id` at `at` (RFC 3339 in UTC)."""

    what: str
    id: str
    at: str


class RevocationJournal(Protocol):
    """What is written is synced to the disk before the call returns. StoreUnavailable when it cannot be."""

    def add(self, lines: Sequence[RevocationLine]) -> None:
        """Before the commit: a restore must never know less than the database did. A line whose transaction
        then took no effect stays, and makes a restore more careful; of one that gives back, its opposite is
        added."""
        ...

    def lines(self) -> list[RevocationLine]:
        """All of them, in the order in which they were written."""
        ...


class NoRevocations:
    """For what takes nothing away."""

    def add(self, lines: Sequence[RevocationLine]) -> None:
        raise TypeError("a revocation needs its journal")

    def lines(self) -> list[RevocationLine]:
        return []


@dataclass(slots=True)
class Revoked:
    """What the lines say in the end. `credentials`: officer -> when they were last changed. `webhooks` and
    `moved`: agency -> when its webhook was last deleted, and last pointed elsewhere."""

    clients: dict[str, str] = field(default_factory=dict)
    officers: dict[str, str] = field(default_factory=dict)
    agencies: dict[str, str] = field(default_factory=dict)
    credentials: dict[str, str] = field(default_factory=dict)
    webhooks: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[RevocationLine]) -> Revoked:
        """The last line counts; of credentials the latest moment."""
        made = cls()
        for line in lines:
            if line.what == CLIENT_REVOKED:
                made.clients.setdefault(line.id, line.at)
            elif line.what == OFFICER_DISABLED:
                made.officers[line.id] = line.at
            elif line.what == OFFICER_ENABLED:
                made.officers.pop(line.id, None)
            elif line.what == AGENCY_DEACTIVATED:
                made.agencies[line.id] = line.at
            elif line.what == AGENCY_ACTIVATED:
                made.agencies.pop(line.id, None)
            elif line.what == CREDENTIALS_CHANGED:
                made.credentials[line.id] = max(line.at, made.credentials.get(line.id, ""))
            elif line.what == WEBHOOK_DELETED:
                made.webhooks[line.id] = max(line.at, made.webhooks.get(line.id, ""))
            elif line.what == WEBHOOK_MOVED:
                made.moved[line.id] = max(line.at, made.moved.get(line.id, ""))
        return made
