"""What the passing of time makes of a case: deadlines that approach or are missed, and what follows from
that. One moment after the other, each exactly once, however late it is noticed."""

from __future__ import annotations

from typing import Any, Final

from hub.domain.case import Case, CaseState
from hub.domain.clocks import Clock, deadline_document, facts, miss, next_wake, warn
from hub.domain.commands import Tick
from hub.domain.copies import but
from hub.domain.decisions import Around, common, decide
from hub.domain.escalation import after_miss
from hub.domain.events import Draft
from hub.domain.timekeeping import next_wake_of
from hub.domain.working_time import instant

CLOSES: Final = {"closure": "no_reply", "reply": "archived"}
"""Stage -> the reason for which the case closes by itself when it has passed."""


def is_due(state: CaseState, now: str) -> bool:
    """Whether a clock of the case has something to say by `now`."""
    wake = next_wake_of(state)
    return wake is not None and wake <= now


@decide.register
def tick(command: Tick, case: Case, around: Around) -> list[Draft]:
    """The drafts of the earliest moment that has come and is not recorded; [] when there is none. Ask again
    with the case after them. A deadline is missed once its last moment is over, so that one which falls on
    `now` itself has nothing to say yet."""
    state, at = case.state, instant(around.now)
    for clock in sorted(_awake(state, around.now), key=lambda each: (next_wake(each), each.id)):
        if (warned := warn(clock, at)) is not None:
            return [_draft("deadline.approaching", state, warned, around.now)]
        if (missed := miss(clock, at)) is not None:
            return _missed(state, missed, around)
    return []


def _awake(state: CaseState, now: str) -> list[Clock]:
    return [clock for clock in state.clocks if (wake := next_wake(clock)) is not None and wake <= now]


def _missed(state: CaseState, missed: Clock, around: Around) -> list[Draft]:
    """Nobody is late when the time for a reply has passed: the case closes by itself. Its clocks end as of
    that moment (`lapsed_at`), however late it is noticed: what would have passed after it is not missed."""
    if reason := CLOSES.get(missed.stage):
        state_of_it = "met" if missed.stage == "closure" else missed.state
        ended = but(missed, state=state_of_it, ended_at=missed.due_at)
        closed = {"reason": reason, "lapsed_at": missed.due_at, "clocks": [facts(ended)]}
        return [Draft("complaint.closed", common(state, "closed") | closed)]
    drafts = [_draft("deadline.missed", state, missed, around.now)]
    return drafts + after_miss(state, missed, around)


def _draft(kind: str, state: CaseState, clock: Clock, now: str) -> Draft:
    about: dict[str, Any] = {
        "deadline": deadline_document(clock, instant(now)),
        "responsible_agency": clock.agency,
        "clocks": [facts(clock)],
    }
    if state.leg(clock.subject) is not None:
        about["forwarding_id"] = clock.subject
    elif state.consultation(clock.subject) is not None:
        about["consultation_id"] = clock.subject
    return Draft(kind, common(state, state.status) | about)
