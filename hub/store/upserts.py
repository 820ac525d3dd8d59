"""How an INSERT ends that meets an existing row; the same on both engines."""

from __future__ import annotations

from sqlalchemy import Table


def replacing(table: Table, *updated: str) -> str:
    """ON CONFLICT that replaces the `updated` columns of an existing row; with none named, leaves it be."""
    keys = ", ".join(c.name for c in table.primary_key.columns)
    changes = ", ".join(f"{name} = excluded.{name}" for name in updated)
    return f"ON CONFLICT ({keys}) DO " + (f"UPDATE SET {changes}" if updated else "NOTHING")
