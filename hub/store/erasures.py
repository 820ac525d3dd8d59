"""What a database itself knows of erasures, for a restore that replaces it."""

from __future__ import annotations

from typing import Any, Final

import orjson

from hub.domain.case import CaseState
from hub.ports.erasures import ErasureLine
from hub.store.dialect import Engine

AGAIN: Final = "erase_again"
"""The fact that this database was just restored: what the journal beside the master key names is to be erased
again before anybody else works with it."""
SET: Final = "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
WAITS: Final = "SELECT 1 FROM facts WHERE name = ?"
DONE: Final = "DELETE FROM facts WHERE name = ?"


def erased_in(connection: Any) -> list[ErasureLine]:
    """The cases that are erased in this database."""
    found = []
    for (state,) in connection.execute("SELECT state FROM cases WHERE texts IS NULL").fetchall():
        known = CaseState.from_document(orjson.loads(state))
        if known.erasure is not None:
            found.append(ErasureLine(known.id, known.erasure.by, known.erasure.erased_at))
    return found


def ask_again(connection: Any) -> None:
    """Within a restore's transaction."""
    connection.execute(SET, (AGAIN, "1"))


def is_asked(store: Engine) -> bool:
    with store.connection() as connection:
        return connection.execute(WAITS, (AGAIN,)).fetchone() is not None


def answered(store: Engine) -> None:
    with store.writing() as connection:
        connection.execute(DONE, (AGAIN,))
