"""What the hub's own sweeps read of cases (port: `hub.ports.sweeping`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hub.domain.case import Case
from hub.domain.timekeeping import ENDED
from hub.domain.transitions import CASE
from hub.store.dialect import Dialect
from hub.store.rows import HANDLER, OWNER, case_from_row
from hub.store.statements import Statements

OPEN: Final = ", ".join(f"'{status}'" for status in CASE if status not in ENDED)
WORKS: Final = OWNER | HANDLER
OPEN_OF: Final = (
    "SELECT c.state, c.texts FROM case_agencies AS a JOIN cases AS c ON c.id = a.case_id "  # noqa: S608
    f"WHERE a.agency = ? AND a.status IN ({OPEN}) AND a.case_id > ? AND (a.role & {WORKS}) <> 0 "
    "ORDER BY a.case_id LIMIT ?"
)
ENDED_CASES: Final = (
    "SELECT state, texts FROM cases WHERE classification = ? AND ended_at IS NOT NULL "
    "AND (ended_at, id) > (?, ?) ORDER BY ended_at, id LIMIT ?"
)


class SweepSession:
    """A part of `hub.store.reading.Session`."""

    _db: Any
    _dialect: Dialect
    _sql: Statements

    def open_cases_of(self, agency: str, after: str, limit: int) -> list[Case]:
        rows = self._db.execute(OPEN_OF, (agency, after, limit))
        return [case_from_row(*row) for row in rows]

    def ended_cases(self, classification: str, after: tuple[str, str], limit: int) -> list[Case]:
        rows = self._db.execute(ENDED_CASES, (classification, *after, limit))
        return [case_from_row(*row) for row in rows]

    def cases_named(self, case_ids: Sequence[str]) -> dict[str, Case]:
        if not case_ids:
            return {}
        rows = self._db.execute(self._sql.cases, self._dialect.of_texts(case_ids))
        return {case_id: case_from_row(state, texts) for case_id, state, texts in rows}
