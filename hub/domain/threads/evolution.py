"""The folds of a thread's stream: one makes the thread, one its messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from hub.domain.events import Fact
from hub.domain.threads.thread import (
    FROM_NOW,
    INTERNAL,
    Commitment,
    CommitmentTexts,
    Message,
    MessageState,
    MessageTexts,
    Participant,
    Stay,
    Thread,
    ThreadState,
    ThreadTexts,
)

Texts = dict[str, Any] | None
"""An event's masked words; {} where it has none, None when they cannot be opened any more (erased)."""

MESSAGE_EVENTS: Final = ("thread.message_posted", "thread.message_edited", "thread.message_withdrawn")


def evolve_thread(thread: Thread | None, fact: Fact, texts: Texts) -> Thread:
    """The thread after `fact`."""
    if thread is None:
        return _opened(fact, texts)
    state = _moved(thread.state, fact)
    if fact.data.get("message", {}).get("scope") != INTERNAL:
        state = replace(state, version=fact.sequence, updated_at=fact.time)
    words = None if thread.texts is None or texts is None else _written(thread.texts, fact, texts)
    return Thread(replace(state, status=fact.data["status"], erased=words is None), words)


def evolve_message(message: Message | None, fact: Fact, texts: Texts) -> Message:
    """The message after one of MESSAGE_EVENTS that names it."""
    if message is None:
        return _posted(fact, texts)
    state, words = message.state, message.texts
    if fact.type == "thread.message_withdrawn":
        return Message(replace(state, withdrawn_sequence=fact.sequence, withdrawn_at=fact.time), words)
    state = replace(state, edits=(*state.edits, (fact.sequence, fact.time)))
    if words is None or texts is None:
        return Message(state, None)
    return Message(state, replace(words, versions=[*words.versions, texts["text"]]))


def _opened(fact: Fact, texts: Texts) -> Thread:
    data = fact.data
    stay = Stay(0, fact.time)
    state = ThreadState(
        id=data["thread_id"],
        status=data["status"],
        version=fact.sequence,
        sources=data["sources"],
        opened_by=data["opened_by"],
        participants=tuple(Participant(agency, (stay,)) for agency in data["participants"]),
        created_at=fact.time,
        updated_at=fact.time,
        erased=texts is None,
    )
    return Thread(state, None if texts is None else ThreadTexts(subject=texts.get("subject", "")))


def _moved(state: ThreadState, fact: Fact) -> ThreadState:
    data = fact.data
    if fact.type == "thread.participant_added":
        joined = data["participant"]
        after = joined.get("after", fact.sequence - 1 if joined["history"] == FROM_NOW else 0)
        return _stay_begun(state, joined["agency"], Stay(after, fact.time))
    if fact.type == "thread.participant_left":
        kept = replace(state, kept_by=data["keeper"]) if "keeper" in data else state
        return _stay_ended(kept, data["participant"]["agency"], fact)
    if fact.type.startswith("thread.commitment_"):
        made = Commitment(**data["commitment"] | {"changes": tuple(data["commitment"]["changes"])})
        known = {each.id: each for each in state.commitments} | {made.id: made}
        return replace(state, commitments=tuple(known.values()))
    if fact.type == "thread.concluded":
        return replace(state, concluded_by=fact.actor, concluded_at=fact.time)
    if fact.type == "thread.reopened":
        return replace(state, concluded_by=None, concluded_at=None)
    return state


def _stay_begun(state: ThreadState, agency: str, stay: Stay) -> ThreadState:
    known = state.participant(agency)
    if known is None:
        return replace(state, participants=(*state.participants, Participant(agency, (stay,))))
    if known.is_present:  # a handover between officers: it only names others
        return state
    return _with(state, Participant(agency, (*known.stays, stay)))


def _stay_ended(state: ThreadState, agency: str, fact: Fact) -> ThreadState:
    known = state.participant(agency)
    if known is None:
        return state
    ended = replace(known.stays[-1], until=fact.sequence, left_at=fact.time)
    return _with(state, Participant(agency, (*known.stays[:-1], ended)))


def _with(state: ThreadState, changed: Participant) -> ThreadState:
    others = tuple(changed if each.agency == changed.agency else each for each in state.participants)
    return replace(state, participants=others)


def _written(known: ThreadTexts, fact: Fact, texts: dict[str, Any]) -> ThreadTexts:
    if not texts and fact.type != "thread.reopened":
        return known  # an event that was altered and cannot be opened adds no words
    if fact.type == "thread.participant_added":
        return replace(
            known, officers=known.officers | {fact.data["participant"]["agency"]: texts["officers"]}
        )
    if fact.type.startswith("thread.commitment_"):
        made = CommitmentTexts(**texts)
        return replace(known, commitments=known.commitments | {fact.data["commitment"]["id"]: made})
    if fact.type == "thread.concluded":
        return replace(known, conclusion=texts["text"])
    if fact.type == "thread.reopened":
        return replace(known, conclusion=None)
    return known


def _posted(fact: Fact, texts: Texts) -> Message:
    given = fact.data["message"]
    state = MessageState(
        id=given["id"],
        thread_id=fact.data["thread_id"],
        sequence=fact.sequence,
        author=given["author"],
        scope=given["scope"],
        posted_at=fact.time,
        mentions=tuple(given["mentions"]),
        attachments=tuple(given["attachments"]),
        cases=tuple(given["cases"]),
        officer_id=given.get("officer_id"),
    )
    if texts is None:
        return Message(state, None)
    return Message(state, MessageTexts([texts["text"]], texts.get("officer"), texts.get("names", [])))
