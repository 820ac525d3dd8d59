"""`decide` for a thread that is there: the drafts that a command makes of it, or 403, 409, 422. Opening one
is in `rooms.py`. Whoever takes no part learns nothing: that was settled before."""

from __future__ import annotations

from collections.abc import Mapping

from hub.domain.case import Case
from hub.domain.events import Draft
from hub.domain.threads import commitments, messages, rooms
from hub.domain.threads.around import Around, common, conflict, require_open
from hub.domain.threads.audience import sees_message
from hub.domain.threads.commands import (
    AddParticipant,
    ChangeCommitment,
    Conclude,
    EditMessage,
    FulfilCommitment,
    MakeCommitment,
    PostMessage,
    RemoveParticipant,
    ReopenThread,
    ThreadCommand,
    WakeThread,
    WithdrawMessage,
)
from hub.domain.threads.thread import Message, Thread, ThreadState
from hub.errors import NotFound


def decide(
    command: ThreadCommand,
    thread: Thread,
    message: Message | None,
    cases: Mapping[str, Case],
    sequence: int,
    around: Around,
) -> list[Draft]:
    """`message` is the one that the command names, `cases` the thread's where participants change,
    `sequence` the number of the thread's next event."""
    state = thread.state
    match command:
        case PostMessage():
            return messages.post(command, state, cases, around)
        case EditMessage():
            return messages.edit(command, state, _there(message, state, around), around)
        case WithdrawMessage():
            return messages.withdraw(command, state, _there(message, state, around), around)
        case AddParticipant():
            return rooms.add_participant(command, state, cases, around)
        case RemoveParticipant():
            return rooms.remove_participant(command, state, around)
        case MakeCommitment():
            return commitments.make(command, thread, sequence, around)
        case ChangeCommitment():
            return commitments.change(command, thread, around)
        case FulfilCommitment():
            return commitments.fulfil(command, thread, around)
        case Conclude():
            return _conclude(command, state)
        case ReopenThread():
            return _reopen(state)
        case WakeThread():
            return commitments.lapsed(thread, around.now)
        case _:
            raise TypeError(f"no decision for {type(command).__name__}")


def _conclude(command: Conclude, state: ThreadState) -> list[Draft]:
    """A thread ends with what came of it; open commitments are left open only when that is said."""
    require_open(state)
    still = len(state.unfulfilled())
    if still and not command.despite_open_commitments:
        raise conflict(
            state,
            f"{still} commitment(s) are not fulfilled yet; fulfil them, or say despite_open_commitments.",
        )
    facts = common(state, "concluded") | {"open_commitments": still}
    return [Draft("thread.concluded", facts, {"text": command.text})]


def _reopen(state: ThreadState) -> list[Draft]:
    if state.erased or state.status != "concluded":
        raise conflict(state, "Only a concluded thread is reopened.")
    return [Draft("thread.reopened", common(state, "open"))]


def _there(message: Message | None, state: ThreadState, around: Around) -> Message:
    if message is None or not sees_message(state, message.state, around.actor):
        raise NotFound("There is no such message, or your agency may not read it.")
    return message
