"""Clients, signing keys, assertions, mailbox cursors and the secret box's key: stored, and no projections of
the log. Beside them, read only, what of the log every process keeps in memory."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from hub.domain.agency import Agency
from hub.domain.dated_facts import DatedFact
from hub.ports.registry import Changes, ClientRow, SigningKeyRow
from hub.ports.sealing import WrappedKey
from hub.ports.store import CHORE_PAGE
from hub.store.dialect import Dialect, Engine
from hub.store.generation import next_generation

_CLIENT = "id, agency, scopes, secret_hash, public_key, created_at, revoked_at"
_KEY = "kid, algorithm, sealed_private, public_jwk, created_at, published_at, signs_from, retires_at"
_KEYS = f"SELECT {_KEY} FROM signing_keys ORDER BY created_at, kid"  # noqa: S608
_ACKNOWLEDGED = "SELECT agency, cursor, first FROM mailbox_cursors WHERE cursor >= first ORDER BY agency"
_TRIMMED = "DELETE FROM mailbox WHERE agency = ? AND position < ?"
_FORGOTTEN = (
    "DELETE FROM idempotency WHERE key IN "
    "(SELECT key FROM idempotency WHERE created_at < ? ORDER BY created_at LIMIT ?)"
)


class RegistryTables:
    """Implements `hub.ports.registry.RegistryStore` and `hub.ports.store.MailboxCursors`."""

    def __init__(self, store: Engine) -> None:
        self._store = store

    def changes_since(self, generation: int) -> Changes:
        with self._store.connection() as db:
            row = db.execute("SELECT value FROM facts WHERE name = 'registry_generation'").fetchone()
            agencies = db.execute("SELECT document FROM agencies WHERE generation > ?", (generation,))
            clients = db.execute(f"SELECT {_CLIENT} FROM clients WHERE generation > ?", (generation,))  # noqa: S608
            keys = db.execute(_KEYS)
            return Changes(
                int(row[0]) if row else 0,
                [Agency(**orjson.loads(document)) for (document,) in agencies],
                [ClientRow(r[0], r[1], tuple(r[2].split()), *r[3:]) for r in clients],
                [SigningKeyRow(*r) for r in keys],
            )

    def dated_facts(self) -> list[DatedFact]:
        with self._store.connection() as db:
            rows = db.execute(
                "SELECT kind, name, sequence, document FROM dated_facts ORDER BY sequence, kind, name"
            )
            return [DatedFact(*row) for row in rows]

    def add_client(self, client: ClientRow) -> None:
        with self._store.writing() as db:
            generation = next_generation(db)
            db.execute(
                f"INSERT INTO clients ({_CLIENT}, generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (
                    client.id,
                    client.agency,
                    " ".join(sorted(client.scopes)),
                    client.secret_hash,
                    client.public_key,
                    client.created_at,
                    client.revoked_at,
                    generation,
                ),
            )

    def revoke_client(self, client_id: str, revoked_at: str) -> bool:
        with self._store.writing() as db:
            generation = next_generation(db)
            changed = db.execute(
                "UPDATE clients SET revoked_at = ?, generation = ? WHERE id = ? AND revoked_at IS NULL",
                (revoked_at, generation, client_id),
            )
            return bool(changed.rowcount == 1)

    def put_signing_keys(self, keys: Sequence[SigningKeyRow], expected: Sequence[SigningKeyRow]) -> bool:
        """See the port. The generation's row is locked first: who comes second compares with what the first
        one committed."""
        locking = self._store.dialect.locking
        with self._store.writing() as db:
            db.execute(f"SELECT 1 FROM facts WHERE name = 'registry_generation'{locking}").fetchone()  # noqa: S608
            if [SigningKeyRow(*row) for row in db.execute(_KEYS).fetchall()] != list(expected):
                return False
            next_generation(db)
            db.execute("DELETE FROM signing_keys")
            db.cursor().executemany(
                f"INSERT INTO signing_keys ({_KEY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                [
                    (
                        k.kid,
                        k.algorithm,
                        k.sealed_private,
                        k.public_jwk,
                        k.created_at,
                        k.published_at,
                        k.signs_from,
                        k.retires_at,
                    )
                    for k in keys
                ],
            )
        return True

    def remember_assertion(self, issuer: str, jti: str, expires_at: float, now: float) -> bool:
        with self._store.writing() as db:
            db.execute("DELETE FROM assertions WHERE expires_at < ?", (now,))
            inserted = db.execute(
                "INSERT INTO assertions (issuer, jti, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (issuer, jti, expires_at),
            )
            return bool(inserted.rowcount == 1)

    def put_cursor(self, agency: str, position: int) -> None:
        with self._store.writing() as db:
            db.execute(
                "INSERT INTO mailbox_cursors (agency, cursor, first) VALUES (?, ?, 1) "
                "ON CONFLICT (agency) DO UPDATE SET cursor = excluded.cursor",
                (agency, position),
            )

    def trim_mailboxes(self, before: str, limit: int = CHORE_PAGE) -> int:
        """See the port. An event's time is in its header; ids are UUIDv7, so the walk stops at the first
        entry that is kept."""
        left, kept_first = limit, _kept_first(self._store.dialect)
        with self._store.writing() as db:
            marks = db.execute(_ACKNOWLEDGED).fetchall()
            for agency, cursor, first in marks:
                end = min(cursor + 1, first + left)
                kept = db.execute(kept_first, (agency, first, end, before)).fetchone()
                start = kept[0] if kept else end
                if start > first:
                    left -= db.execute(_TRIMMED, (agency, start)).rowcount
                    db.execute("UPDATE mailbox_cursors SET first = ? WHERE agency = ?", (start, agency))
                if left <= 0:
                    break
        return limit - left

    def forget_idempotency(self, before: str, limit: int = CHORE_PAGE) -> int:
        """Deletes idempotency rows older than `before` (RFC 3339), the oldest first and at most `limit`; how
        many. As many as `limit`: there may be more."""
        with self._store.writing() as db:
            return int(db.execute(_FORGOTTEN, (before, limit)).rowcount)

    def hub_key(self) -> WrappedKey | None:
        """The wrapped key of the hub's own secrets, None before the first one was made."""
        with self._store.connection() as db:
            row = db.execute(
                "SELECT stream, generation, wrapped FROM stream_keys WHERE stream = 'hub'"
            ).fetchone()
        return WrappedKey(*row) if row else None

    def put_hub_key(self, key: WrappedKey) -> None:
        """Keeps the first one: of two processes that start at once, both then read the same."""
        with self._store.writing() as db:
            db.execute(
                "INSERT INTO stream_keys (stream, generation, wrapped) VALUES (?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (key.stream, key.generation, key.wrapped),
            )


def _kept_first(dialect: Dialect) -> str:
    """The first position within a stretch of a mailbox whose event is not old enough."""
    return (
        "SELECT m.position FROM mailbox AS m JOIN log AS l ON l.position = m.event "  # noqa: S608
        "WHERE m.agency = ? AND m.position >= ? AND m.position < ? "
        f"AND {dialect.json_text('l.header', 'time')} >= ? ORDER BY m.position LIMIT 1"
    )
