"""What a decision about a thread may ask for beside it, and how it says no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hub.domain.agency import Agency
from hub.domain.bounds import MOST_PROMISED
from hub.domain.threads.thread import ThreadState
from hub.domain.working_time import Calendar
from hub.errors import Invalid, StateConflict

MOST_PARTICIPANTS: Final = 51
"""Who opens a thread, and the 50 others that a `thread-request` may name."""
MOST_COMMITMENTS: Final = 500
"""Unfulfilled ones of one thread."""
MOST_EDITS: Final = 100
ERASED: Final = "The thread was erased with its cases; nothing can be added to it."
POSSIBLE: Final = {"open": ["commit", "conclude", "invite", "leave", "post"], "concluded": ["reopen"]}
"""Status of a thread -> what may be done with it."""


@dataclass(frozen=True, slots=True)
class Around:
    """Who acts, the registry, the time (RFC 3339 in UTC), calendars, and the agency of an officer's account
    (None for one that is not there, or not active)."""

    actor: str
    find_agency: Callable[[str], Agency | None]
    now: str
    calendar_of: Callable[[str], Calendar]
    agency_of_officer: Callable[[str], str | None]


def common(state: ThreadState, status: str | None = None) -> dict[str, Any]:
    """The members that every event of a thread carries; `status` is the thread's after the event."""
    return {"thread_id": state.id, "cases": state.cases, "status": status or state.status}


def require_open(state: ThreadState) -> None:
    """409 for a thread that was erased or concluded."""
    if state.erased:
        raise conflict(state, ERASED)
    if state.status != "open":
        raise conflict(state, f"The thread was concluded at {state.concluded_at}; reopen it to go on.")


def conflict(
    state: ThreadState, sentence: str, *, code: str | None = None, refused: str = ""
) -> StateConflict:
    """409 that names the present state and what is possible: not what was just `refused`, where that does not
    follow from the state."""
    can = [name for name in possible(state) if name != refused]
    return StateConflict(
        f"{sentence} Possible now: {', '.join(can) or 'nothing'}.",
        code=code,
        extra={"state": state.status, "version": state.version, "possible": can},
    )


def possible(state: ThreadState) -> list[str]:
    """What any participant may do with the thread now, sorted; not what a limit forbids."""
    if state.erased:
        return []
    present = len(state.present())
    full = {
        "commit": len(state.unfulfilled()) >= MOST_COMMITMENTS or len(state.commitments) >= MOST_PROMISED,
        "invite": present >= MOST_PARTICIPANTS,
        "leave": present == 1,
    }
    return [name for name in POSSIBLE[state.status] if not full.get(name)]


def invalid(sentence: str, *flaws: tuple[str, str]) -> Invalid:
    return Invalid(sentence, flaws=flaws)
