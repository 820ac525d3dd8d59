"""SQLite's connection, with a mark for what must happen after its commit."""

from __future__ import annotations

import sqlite3


class Connection(sqlite3.Connection):
    registry_changed = False
    """Set by `next_generation` within a transaction; the store then tells all processes."""
