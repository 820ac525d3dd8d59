"""What a thread changes about its cases: whoever takes part in it sees them."""

from __future__ import annotations

from typing import Final

from hub.domain.case import CaseState, Room, Visit
from hub.domain.copies import but
from hub.domain.events import Fact

SHARING: Final = ("thread.opened", "thread.participant_added", "thread.participant_left")
"""The events that change who sees the cases."""


def share(state: CaseState, fact: Fact) -> CaseState:
    """The case after one of SHARING, which belongs to the thread's stream: the case's version stays."""
    thread_id = fact.data["thread_id"]
    agencies = next((dict(room.agencies) for room in state.rooms if room.thread == thread_id), {})
    visits = state.visits
    if fact.type == "thread.opened":
        agencies = dict.fromkeys(fact.data["participants"], fact.time)
    elif fact.type == "thread.participant_added":
        agencies.setdefault(fact.data["participant"]["agency"], fact.time)
    else:
        left = fact.data["participant"]["agency"]
        agencies.pop(left, None)
        others = tuple(visit for visit in visits if visit.agency != left)
        visits = (*others, Visit(left, state.version, state.status, state.updated_at))
    rooms = {room.thread: room for room in state.rooms} | {thread_id: Room(thread_id, agencies)}
    return but(state, rooms=tuple(rooms.values()), visits=visits)
