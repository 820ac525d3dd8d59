"""A case as table rows. Made from its final state alone, so that a rebuild makes the same rows whichever
batches the events once came in."""

from __future__ import annotations

from typing import Any, Final

import orjson

from hub.domain.audience import shared_with
from hub.domain.case import Case, CaseState
from hub.domain.case_texts import CaseTexts
from hub.domain.retention import ended_at
from hub.domain.timekeeping import is_overdue, next_wake_of
from hub.domain.transitions import HELD_LEG
from hub.ports.effects import Remembered
from hub.store.case_tables import cases

OWNER: Final = 1
SOURCE: Final = 2
HANDLER: Final = 4
FORMER: Final = 8
CONSULTED: Final = 16
FORMER_OWNER: Final = 32
OVERSEER: Final = 64
PARTICIPANT: Final = 128
WHOLE: Final = OWNER | SOURCE | HANDLER | CONSULTED | FORMER_OWNER | OVERSEER | PARTICIPANT
"""Who sees the case as it stands now."""

ROLE_BITS: Final = {"owner": OWNER, "handler": HANDLER, "participant": WHOLE}
"""`role` of `GET /v1/cases` -> the bits of which one must be set."""

STATE: Final = cases.columns.keys().index("state")

Row = tuple[Any, ...]


def case_row(case: Case) -> Row:
    state = case.state
    complaint = state.complaint
    return (
        state.id,
        state.tracking_number,
        state.status,
        complaint["category"],
        region_digits((complaint.get("location") or {}).get("region")),
        state.updated_at,
        orjson.dumps(state),
        None if case.texts is None else orjson.dumps(case.texts),
        next_wake_of(state),
        complaint.get("classification"),
        ended_at(state),
    )


def case_from_row(state: bytes, texts: bytes | None) -> Case:
    return Case(CaseState.from_document(orjson.loads(state)), texts_from_row(texts))


def texts_from_row(texts: bytes | None) -> CaseTexts | None:
    return None if texts is None else CaseTexts.from_document(orjson.loads(texts))


def leg_rows(case: Case, before: Case | None = None) -> list[Row]:
    """Whatever in a case has an id by which a route names it: its legs and its consultations; of one that was
    read as `before`, those that are new, since none is ever taken away."""
    state, legs, asked = case.state, 0, 0
    if before is not None:
        legs, asked = len(before.state.legs), len(before.state.consultations)
    ids = [leg.id for leg in state.legs[legs:]] + [each.id for each in state.consultations[asked:]]
    return [(part_id, state.id) for part_id in ids]


def agency_rows(case: Case) -> list[Row]:
    """One row an agency that takes or took part: (agency, case_id, role, status, updated_at, overdue)."""
    state = case.state
    late = is_overdue(state)
    bits = {state.owner: OWNER}
    bits[state.source] = bits.get(state.source, 0) | SOURCE
    for asked in state.consultations:
        bits[asked.agency] = bits.get(asked.agency, 0) | CONSULTED
    for name in state.former_owners:
        bits[name] = bits.get(name, 0) | FORMER_OWNER
    for name in state.overseers:
        bits[name] = bits.get(name, 0) | OVERSEER
    for name in shared_with(state):
        bits[name] = bits.get(name, 0) | PARTICIPANT
    if not state.legs and not state.visits:
        return [_agency_row(name, bit, state, late) for name, bit in bits.items()]
    ended = {visit.agency: (visit.until, visit.status, visit.at) for visit in state.visits}
    for leg in state.legs:
        if leg.status in HELD_LEG:
            bits[leg.to] = bits.get(leg.to, 0) | HANDLER
        else:
            left = (leg.ended_sequence or 0, leg.ended_status or state.status, leg.updated_at)
            ended[leg.to] = max(left, ended.get(leg.to, left))
    rows = [_agency_row(name, bit, state, late) for name, bit in bits.items()]
    rows += [
        (name, state.id, FORMER, status, when, False)
        for name, (_, status, when) in ended.items()
        if name not in bits
    ]
    return rows


def _agency_row(name: str, bit: int, state: CaseState, late: bool) -> Row:
    """Whom a thread lets see the case finds it among what changed since it joined; a case of a backlog is new
    to everybody when it was taken over."""
    changed = max(state.updated_at, state.taken_over_at or "")
    if state.rooms:
        changed = max([changed, *(room.agencies[name] for room in state.rooms if name in room.agencies)])
    return name, state.id, bit, state.status, changed, late


def region_digits(region: str | None) -> str | None:
    """62.02 -> 6202, so that a region's districts and villages are found by their first digits."""
    return region.replace(".", "") if region else None


def remembered_from_row(row: Row) -> Remembered:
    key, body, status, kind, ids, created_at = row
    return Remembered(key, body, status, kind, tuple(orjson.loads(ids)), created_at)
