"""What a thread changes about its cases: who is in it with somebody that holds them sees them."""

from __future__ import annotations

from typing import Final

from hub.domain.audience import left_behind
from hub.domain.case import CaseState, Room
from hub.domain.copies import but
from hub.domain.events import Fact

SHARING: Final = ("thread.opened", "thread.participant_added", "thread.participant_left")
"""The events that change who sees the cases."""


def share(state: CaseState, fact: Fact) -> CaseState:
    """The case after one of SHARING, which belongs to the thread's stream: the case's version stays."""
    thread_id = fact.data["thread_id"]
    agencies = next((dict(room.agencies) for room in state.rooms if room.thread == thread_id), {})
    if fact.type == "thread.opened":
        agencies = dict.fromkeys(fact.data["participants"], fact.time)
    elif fact.type == "thread.participant_added":
        agencies.setdefault(fact.data["participant"]["agency"], fact.time)
    else:
        agencies.pop(fact.data["participant"]["agency"], None)
    rooms = {room.thread: room for room in state.rooms} | {thread_id: Room(thread_id, agencies)}
    return left_behind(state, but(state, rooms=tuple(rooms.values())))
