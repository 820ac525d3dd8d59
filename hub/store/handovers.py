"""What a handover reads of the tables (port: `hub.ports.handovers`), and the account that ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hub.domain.case import Case
from hub.domain.threads.thread import Thread
from hub.ports.handovers import Departed, NamedOfficer
from hub.store.dialect import Dialect
from hub.store.generation import next_generation
from hub.store.rows import CONSULTED, HANDLER, OWNER, case_from_row
from hub.store.thread_rows import thread_from_row

HOLDS: Final = OWNER | HANDLER | CONSULTED


class HandoverSession:
    """A part of `hub.store.reading.Session`."""

    _db: Any
    _dialect: Dialect

    def held_cases(self, agency: str, after: str, limit: int) -> list[Case]:
        rows = self._db.execute(
            "SELECT c.state, c.texts FROM case_agencies AS a JOIN cases AS c ON c.id = a.case_id "  # noqa: S608
            f"WHERE a.agency = ? AND a.case_id > ? AND a.status <> 'closed' AND (a.role & {HOLDS}) <> 0 "
            "ORDER BY a.case_id LIMIT ?",
            (agency, after, limit),
        )
        return [case_from_row(*row) for row in rows]

    def joined_threads(self, agency: str, after: str, limit: int) -> list[Thread]:
        rows = self._db.execute(
            "SELECT t.state, t.texts FROM thread_agencies AS a JOIN threads AS t ON t.id = a.thread_id "
            "WHERE a.agency = ? AND a.thread_id > ? AND a.present ORDER BY a.thread_id LIMIT ?",
            (agency, after, limit),
        )
        return [thread_from_row(*row) for row in rows]

    def named_officers(self, ids: Sequence[str]) -> dict[str, NamedOfficer]:
        rows = self._db.execute(
            f"SELECT o.id, o.agency, o.name, o.disabled_at IS NULL FROM {self._dialect.texts} "  # noqa: S608
            "JOIN officers AS o ON o.id = wanted.one",
            self._dialect.of_texts(ids),
        )
        return {name: NamedOfficer(name, agency, shown, bool(active)) for name, agency, shown, active in rows}


def disable_departed(db: Any, departed: Sequence[Departed]) -> None:
    """In the transaction that hands their work over; every process forgets their sessions with it."""
    for each in departed:
        db.execute(
            "UPDATE officers SET disabled_at = ?, changed_at = ? "
            "WHERE id = ? AND agency = ? AND disabled_at IS NULL",
            (each.at, each.at, each.officer, each.agency),
        )
        db.execute("DELETE FROM sessions WHERE officer = ?", (each.officer,))
    next_generation(db)


def end_sessions(db: Any, agencies: Sequence[str]) -> None:
    """Of the officers of agencies that are deactivated, for good: one that is active again has them sign in
    anew."""
    for agency in agencies:
        db.execute(
            "DELETE FROM sessions WHERE officer IN (SELECT id FROM officers WHERE agency = ?)", (agency,)
        )
