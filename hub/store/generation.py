"""The registry's generation, which tells every process that the registry has changed."""

from __future__ import annotations

from typing import Any


def next_generation(connection: Any) -> int:
    """Raises it within the open transaction; every process sees that at its commit. The row stays locked
    until then, so that generations are committed in the order of their numbers."""
    row = connection.execute(
        "UPDATE facts SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) "
        "WHERE name = 'registry_generation' RETURNING CAST(value AS BIGINT)"
    ).fetchone()
    if hasattr(connection, "registry_changed"):  # a scratch database has nobody to tell
        connection.registry_changed = True
    generation: int = row[0]
    return generation
