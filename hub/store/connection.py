"""SQLite's connection, with a mark for what must happen after its commit; and the registry's generation."""

from __future__ import annotations

import sqlite3
from typing import Any


class Connection(sqlite3.Connection):
    registry_changed = False
    """Set by `next_generation` within a transaction; the store then tells all processes."""


def next_generation(connection: Any) -> int:
    """Raises the registry's generation within the open transaction; every process sees that at its commit.
    The row stays locked until then, so that generations are committed in the order of their numbers."""
    row = connection.execute(
        "UPDATE facts SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) "
        "WHERE name = 'registry_generation' RETURNING CAST(value AS BIGINT)"
    ).fetchone()
    if hasattr(connection, "registry_changed"):  # a scratch database has nobody to tell
        connection.registry_changed = True
    generation: int = row[0]
    return generation
