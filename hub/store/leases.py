"""Leases as rows (port: `hub.ports.leases`), on both engines: each step is one statement, so that two holders
can never both be told yes, and the time compared is the database's own."""

# ruff: noqa: S608  # statements are put together from our own constants only

from __future__ import annotations

from typing import Any

from hub.ports.leases import Lease
from hub.store.dialect import Engine

_ROW = "name, holder, token, until"
SET_BACK_S = 1.0
"""A lease that ends so much later than one taken now would was written before the clock was set back: whoever
asks gets it, and the token fences off its holder if it still lives."""


class LeaseTable:
    """Implements `hub.ports.leases.Leases`."""

    def __init__(self, store: Engine) -> None:
        self._store = store
        now = store.dialect.now
        self._acquire = (
            f"INSERT INTO leases (name, holder, token, until) VALUES (?, ?, 1, {now} + ?) "
            "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = leases.token + 1, "
            f"until = excluded.until WHERE leases.until <= {now} OR leases.holder = excluded.holder "
            f"OR leases.until > excluded.until + {SET_BACK_S} "
            f"RETURNING {_ROW}"
        )
        self._renew = (
            f"UPDATE leases SET until = {now} + ? "
            f"WHERE name = ? AND holder = ? AND token = ? AND until > {now} RETURNING {_ROW}"
        )

    def acquire(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        return self._change(self._acquire, name, holder, float(ttl_s))

    def renew(self, lease: Lease, ttl_s: float) -> Lease | None:
        return self._change(self._renew, float(ttl_s), lease.name, lease.holder, lease.token)

    def release(self, lease: Lease) -> None:
        """The row stays, for its token."""
        with self._store.writing() as db:
            db.execute(
                "UPDATE leases SET until = 0 WHERE name = ? AND holder = ? AND token = ?",
                (lease.name, lease.holder, lease.token),
            )

    def _change(self, statement: str, *values: Any) -> Lease | None:
        with self._store.writing() as db:
            row = db.execute(statement, values).fetchone()
        return Lease(*row) if row else None
