"""The driver's connection, with a mark for what must happen after its commit."""

from __future__ import annotations

import sqlite3


class Connection(sqlite3.Connection):
    registry_changed = False
    """Set by `next_generation` within a transaction; the store then tells all processes."""


def next_generation(connection: sqlite3.Connection) -> int:
    """Raises the registry's generation within the open transaction; every process sees that at its commit."""
    row = connection.execute(
        "UPDATE facts SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) "
        "WHERE name = 'registry_generation' RETURNING CAST(value AS INTEGER)"
    ).fetchone()
    if isinstance(connection, Connection):
        connection.registry_changed = True
    generation: int = row[0]
    return generation
