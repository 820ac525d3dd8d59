"""Agencies, clients and signing keys as this process knows them, fresh at every request: a generation number
in the database says whether anything changed, in whichever process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from auth.clients import Client
from hub.domain.agency import Agency
from hub.ports.registry import ClientRow, RegistryStore, SigningKeyRow


class Registry:
    """Reads what changed, keeps all in memory: some 30,000 agencies at the most (a few tens of MiB)."""

    def __init__(self, store: RegistryStore, current_generation: Callable[[], int]) -> None:
        self._store = store
        self._current_generation = current_generation
        self._generation = -1
        self.agencies: dict[str, Agency] = {}
        self.clients: dict[str, Client] = {}
        self.signing_keys: list[SigningKeyRow] = []

    @property
    def generation(self) -> int:
        """Of what is in memory; whoever derives something from it compares this number."""
        return self._generation

    def refresh(self) -> bool:
        """Brings memory up to date; True when something changed. A few microseconds when nothing did."""
        if self._current_generation() == self._generation:
            return False
        changes = self._store.changes_since(self._generation)
        self.agencies |= {agency.id: agency for agency in changes.agencies}
        self.clients |= {row.id: as_client(row) for row in changes.clients}
        self.signing_keys = changes.signing_keys
        self._generation = changes.generation
        return True

    def get(self, client_id: str) -> Client | None:
        """The client, if it is known and its agency is active; a revoked one is returned as such."""
        client = self.clients.get(client_id)
        agency = self.agencies.get(client.agency) if client else None
        return client if agency is not None and agency.active else None


def as_client(row: ClientRow) -> Client:
    return Client(
        id=row.id,
        agency=row.agency,
        scopes=frozenset(row.scopes),
        secret_hash=row.secret_hash,
        public_key=row.public_key,
        created_at=datetime.fromisoformat(row.created_at),
        revoked_at=datetime.fromisoformat(row.revoked_at) if row.revoked_at else None,
    )
