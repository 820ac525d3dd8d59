"""The SQL of `GET /v1/cases`: each combination of filters walks an index that begins with the agency."""

from __future__ import annotations

from typing import Any, Final

from hub.ports.store import CaseFilter
from hub.store.dialect import Dialect
from hub.store.rows import OWNER, ROLE_BITS, SOURCE, WHOLE, region_digits

Listing = tuple[str, list[Any], bool]
OVERDUE_INDEX: Final = "case_agencies_overdue"


def listing(
    dialect: Dialect, agency: str, wanted: CaseFilter, after: tuple[str, ...] | None, limit: int
) -> Listing:
    """(statement, parameters, whether it is ordered by change rather than newest first)."""
    conditions: list[str] = ["m.agency = ?"]
    values: list[Any] = [agency]

    def only(condition: str, *parameters: object) -> None:
        conditions.append(condition)
        values.extend(parameters)

    if wanted.overdue is not None:
        only("m.overdue" if wanted.overdue else "NOT m.overdue")
    if wanted.status:
        only("m.status = ?", wanted.status)
    if wanted.role:
        only("m.role & ? != 0", ROLE_BITS[wanted.role])
    if wanted.category:
        only("c.category = ?", wanted.category)
    if wanted.region:
        digits = region_digits(wanted.region) or ""
        only("c.region >= ? AND c.region < ?", digits, digits + ":")
    if wanted.agency:
        # who left sees owner and source, but no legs of others
        only(
            "EXISTS (SELECT 1 FROM case_agencies AS o WHERE o.agency = ? AND o.case_id = m.case_id "
            "AND o.role & (CASE WHEN m.role & ? != 0 THEN ? ELSE ? END) != 0)",
            *(wanted.agency, WHOLE, WHOLE, OWNER | SOURCE),
        )
    if wanted.q:
        only(_search(dialect), wanted.q.upper(), wanted.q, *[f"%{_escaped(wanted.q)}%"] * 2)
    by_change = wanted.updated_since is not None
    if by_change:
        only("m.updated_at >= ?", wanted.updated_since)
        if after:
            only("(m.updated_at, m.case_id) > (?, ?)", *after)
    elif after:
        only("m.case_id < ?", after[0])
    through = dialect.through(OVERDUE_INDEX) if wanted.overdue and not by_change else ""
    order = "m.updated_at, m.case_id" if by_change else "m.case_id DESC"
    statement = (
        f"SELECT m.case_id, m.updated_at, c.state, c.texts FROM case_agencies AS m {through} "  # noqa: S608
        f"JOIN cases AS c ON c.id = m.case_id WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?"
    )
    return statement, [*values, limit], by_change


def _search(dialect: Dialect) -> str:
    title = dialect.contains(dialect.json_text("c.texts", "complaint", "title"))
    description = dialect.contains(dialect.json_text("c.texts", "complaint", "description"))
    reference = dialect.json_text("c.state", "reference")
    return f"(c.tracking_number = ? OR {reference} = ? OR {title} OR {description})"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
