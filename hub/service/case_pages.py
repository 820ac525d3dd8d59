"""A page of cases for whoever asks: those of the agency and, for a monitor, of the agencies below it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from auth.principal import Principal
from hub.domain.case import Case
from hub.ports.store import CaseFilter, ReadSession

Key = tuple[str, ...]
TAKING_PART: Final = "participant"
"""Of the agencies below, only what they take part in now: what one of them once saw is nobody else's."""


def case_page(
    session: ReadSession, principal: Principal, wanted: CaseFilter, after: Key | None, limit: int
) -> list[tuple[Key, Case]]:
    """As `ReadSession.cases`. For a monitor it is one walk an agency, each of `limit` rows at most, merged;
    the filter `role` is about the monitor's own agency alone."""
    own = session.cases(principal.agency, wanted, after, limit)
    if not principal.below or wanted.role is not None:
        return own
    theirs = replace(wanted, role=TAKING_PART)
    found = {case.state.id: (key, case) for key, case in own}
    for agency in sorted(principal.below):
        found |= {case.state.id: (key, case) for key, case in session.cases(agency, theirs, after, limit)}
    newest_first = wanted.updated_since is None
    return sorted(found.values(), key=lambda each: each[0], reverse=newest_first)[:limit]
