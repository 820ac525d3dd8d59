"""How long an ended case is kept (UU PDP 27/2022: processing ends when its purpose is met; destruction
follows the agency's archive schedule, JRA), and what keeps it longer."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from hub.domain.case import CaseState
from hub.domain.limits import Limits, reopens_until
from hub.domain.policies import RETENTION, Policy, policy_for
from hub.domain.threads.thread import ThreadState
from hub.domain.timekeeping import ENDED
from hub.domain.working_time import instant, written

WIB: Final = timedelta(hours=7)
"""By the day in WIB a row comes into force."""
OPEN: Final = "open"
"""Of a thread, and of a commitment."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Until when (RFC 3339 in UTC) an ended case is kept, and by which row."""

    until: str
    policy: Policy


def ended_at(state: CaseState) -> str | None:
    """Since when nobody works on the case: its closing or, while it is rejected, the last change. None for an
    open case, and for an erased one."""
    if state.erased or state.status not in ENDED:
        return None
    return state.closed_at or state.updated_at


def kept(state: CaseState, rows: Sequence[Policy], limits: Limits, now: str) -> Kept | None:
    """By the row that is in force now, whatever was in force when the case ended: a schedule that was made
    longer keeps older cases too, and a first one is for them as well. Not before the case can be reopened no
    more. None for a case that has not ended, or where no row is in force: it is kept for ever."""
    ended = ended_at(state)
    today = (instant(now) + WIB).date()
    row = policy_for(rows, state.complaint["classification"], RETENTION, today)
    if ended is None or row is None:
        return None
    return Kept(max(until(ended, row), reopens_until(state, limits) or ""), row)


def until(ended: str, row: Policy) -> str:
    """So many months or years after `ended`, at the same time of the same day, or of the month's last."""
    at = instant(ended)
    months = row.amount * (12 if row.unit == "years" else 1)
    years, month = divmod(at.month - 1 + months, 12)
    year = at.year + years
    day = date(year, month + 1, min(at.day, monthrange(year, month + 1)[1]))
    return written(at.replace(year=day.year, month=day.month, day=day.day))


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a case and may keep it, by id: the cases it is linked with, the threads about it."""

    linked: Mapping[str, CaseState]
    threads: Mapping[str, ThreadState]


def held_by(state: CaseState, beside: Beside) -> str | None:
    """What keeps an ended case however long its retention is over, in words; None if nothing does. Of a
    proceeding at the Ombudsman the hub never hears that it has ended. A link with a case that is open is the
    way to keep what is needed for one. Where agencies still work on it together, in a thread that is open or
    by a promise that is not due yet, the purpose is not met."""
    if state.overseers:
        return f"it was escalated to {', '.join(state.overseers)}; `simpul erase` erases it when that is over"
    still = [name for name, other in beside.linked.items() if other.status not in ENDED]
    if still:
        return f"it is linked with {still[0]}, which is open"
    for name, thread in beside.threads.items():
        if thread.erased:
            continue
        if thread.status == OPEN:
            return f"the thread {name} about it is open; it is kept until that is concluded"
        if owed := [each for each in thread.commitments if each.status == OPEN]:
            return f"the commitment {owed[0].id} in the thread {name} about it is open"
    return None


def is_over(state: CaseState, beside: Beside, rows: Sequence[Policy], limits: Limits, now: str) -> bool:
    """Whether the case goes now."""
    known = kept(state, rows, limits, now)
    return known is not None and known.until < now and held_by(state, beside) is None
