"""That a database was just restored: what the journals beside the master key name is taken away again before
anybody else works with it."""

from __future__ import annotations

from typing import Any, Final

from hub.store.dialect import Engine

RESTORED: Final = "erase_again"
"""The fact's name; revocations wait for it too."""
SET: Final = "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
WAITS: Final = "SELECT 1 FROM facts WHERE name = ?"
DONE: Final = "DELETE FROM facts WHERE name = ?"


def note_restored(connection: Any) -> None:
    """Within the transaction that puts the old rows there."""
    connection.execute(SET, (RESTORED, "1"))


def is_just_restored(store: Engine) -> bool:
    with store.connection() as connection:
        return connection.execute(WAITS, (RESTORED,)).fetchone() is not None


def settled(store: Engine) -> None:
    """Both journals were applied."""
    with store.writing() as connection:
        connection.execute(DONE, (RESTORED,))
