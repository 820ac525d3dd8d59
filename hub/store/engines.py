"""The engines there are."""

from __future__ import annotations

from hub.store.postgres.store import PostgresStore
from hub.store.sqlite.store import SqliteStore

AnyStore = SqliteStore | PostgresStore
