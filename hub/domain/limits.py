"""The hub's settings for what no regulation fixes, and what they leave possible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.domain.case import CaseState
from hub.domain.working_time import instant, written


@dataclass(frozen=True, slots=True)
class Limits:
    """After `returns` returned lead legs the ownership passes on; a case is reopened at most `reopenings`
    times, and within `reopen_days` days of its closing; `ombudsman` is the oversight agency to which a case
    may be escalated."""

    returns: int = 3
    reopenings: int = 3
    reopen_days: int = 30
    ombudsman: str = "ombudsman"


DEFAULT_LIMITS: Final = Limits()


def reopened_too_often(state: CaseState, limits: Limits) -> bool:
    return state.reopenings >= limits.reopenings


def reopens_until(state: CaseState, limits: Limits) -> str | None:
    """The last moment at which a closed case may be reopened (RFC 3339 in UTC); None while it is open."""
    if state.closed_at is None:
        return None
    return written(instant(state.closed_at) + timedelta(days=limits.reopen_days))


def may_reopen(state: CaseState, limits: Limits, now: str) -> bool:
    """Whether the limits, in number and in time, allow one more reopening."""
    until = reopens_until(state, limits)
    return not reopened_too_often(state, limits) and (until is None or now <= until)
