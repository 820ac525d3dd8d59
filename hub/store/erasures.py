"""What a database itself knows of erasures, for a restore that replaces it."""

from __future__ import annotations

from typing import Any

import orjson

from hub.domain.case import CaseState
from hub.ports.erasures import ErasureLine


def erased_in(connection: Any) -> list[ErasureLine]:
    """The cases that are erased in this database."""
    found = []
    for (state,) in connection.execute("SELECT state FROM cases WHERE texts IS NULL").fetchall():
        known = CaseState.from_document(orjson.loads(state))
        if known.erasure is not None:
            found.append(ErasureLine(known.id, known.erasure.by, known.erasure.erased_at))
    return found
