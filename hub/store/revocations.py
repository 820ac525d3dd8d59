"""What a database itself knows of who lost what, for a restore that replaces it."""

from __future__ import annotations

from typing import Any

import orjson

from hub.ports.revocations import (
    AGENCY_DEACTIVATED,
    CLIENT_REVOKED,
    CREDENTIALS_CHANGED,
    OFFICER_DISABLED,
    RevocationLine,
    Revoked,
)
from hub.store.dialect import Engine
from hub.store.generation import next_generation


def revoked_in(connection: Any, now: str, known: Revoked) -> list[RevocationLine]:
    """What is revoked, disabled, deactivated or changed in this database and not `known`."""
    return [
        *_clients(connection, known),
        *_officers(connection, known),
        *_agencies(connection, now, known),
    ]


def stop_webhook(store: Engine, agency: str, cause: str) -> bool:
    """Nothing is sent until the agency puts it again; what waits then goes to where that is."""
    with store.writing() as db:
        changed = db.execute(
            "UPDATE webhooks SET active = ?, cause = ?, generation = ? WHERE agency = ?",
            (False, cause, next_generation(db), agency),
        )
        return bool(changed.rowcount == 1)


def _clients(connection: Any, known: Revoked) -> list[RevocationLine]:
    rows = connection.execute("SELECT id, revoked_at FROM clients WHERE revoked_at IS NOT NULL ORDER BY id")
    return [RevocationLine(CLIENT_REVOKED, name, at) for name, at in rows if name not in known.clients]


def _officers(connection: Any, known: Revoked) -> list[RevocationLine]:
    """An account changes with its password, its second factor, and by being disabled."""
    lines: list[RevocationLine] = []
    rows = connection.execute("SELECT id, changed_at, created_at, disabled_at FROM officers ORDER BY id")
    for name, changed_at, created_at, disabled_at in rows:
        if disabled_at is not None and name not in known.officers:
            lines.append(RevocationLine(OFFICER_DISABLED, name, disabled_at))
        if changed_at > max(created_at, known.credentials.get(name, "")) and changed_at != disabled_at:
            lines.append(RevocationLine(CREDENTIALS_CHANGED, name, changed_at))
    return lines


def _agencies(connection: Any, now: str, known: Revoked) -> list[RevocationLine]:
    """When that was is in the log alone; here it is enough that it is so."""
    rows = connection.execute("SELECT id, document FROM agencies ORDER BY id").fetchall()
    ended = [name for name, document in rows if not orjson.loads(document)["active"]]
    return [RevocationLine(AGENCY_DEACTIVATED, name, now) for name in ended if name not in known.agencies]
