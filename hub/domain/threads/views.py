"""A thread, its messages and its commitments as JSON, as one agency may see them; and what of them an event
carries. Events have no reader: they go to those alone who may see all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.domain.events import Fact
from hub.domain.threads.audience import sees_commitment, shown_versions
from hub.domain.threads.thread import (
    ALL,
    FROM_NOW,
    UNFULFILLED,
    Commitment,
    CommitmentTexts,
    Message,
    MessageState,
    MessageTexts,
    Participant,
    Thread,
    ThreadState,
    ThreadTexts,
)

Words = Mapping[str, Any] | None
WORDED: Final = (
    "thread.opened",
    "thread.message_posted",
    "thread.message_edited",
    "thread.participant_added",
    "thread.commitment_made",
    "thread.commitment_changed",
    "thread.commitment_fulfilled",
    "thread.commitment_missed",
    "thread.concluded",
)
"""The events of a thread that always have words."""


def thread_view(thread: Thread, agency: str, unread: int, last_message_at: str | None) -> dict[str, Any]:
    """The thread for an agency that takes part, or as it stood when the agency left (`thread` is that)."""
    state, texts = thread.state, thread.texts
    view: dict[str, Any] = {
        "id": state.id,
        "status": state.status,
        "version": state.version,
        "cases": state.cases,
        "opened_by": state.opened_by,
        "participants": [_participant(each, texts) for each in state.participants],
        "commitments": commitments_view(thread, agency),
        "unread": unread,
        "last_message_at": last_message_at,
        "created_at": state.created_at,
        "updated_at": state.updated_at,
    }
    if state.concluded_at is not None:
        view["conclusion"] = {"agency": state.concluded_by, "concluded_at": state.concluded_at}
        if texts is not None and texts.conclusion is not None:
            view["conclusion"]["text"] = texts.conclusion
    if texts is not None and texts.subject:
        view["subject"] = texts.subject
    return view | ({} if _is_readable(state, texts) else {"erased": True})


def _is_readable(state: ThreadState, texts: ThreadTexts | None) -> bool:
    """Whether no words are missing: erased, or for who left, in an event that was altered since."""
    return bool(texts and texts.subject and (state.concluded_at is None or texts.conclusion is not None))


def commitments_view(thread: Thread, agency: str) -> list[dict[str, Any]]:
    """Those of the thread's commitments that the agency may know of."""
    state, texts = thread.state, thread.texts
    return [
        commitment_view(each, state.id, None if texts is None else texts.commitments.get(each.id))
        for each in state.commitments
        if sees_commitment(state, each, agency)
    ]


def open_commitments(thread: Thread, agency: str) -> list[dict[str, Any]]:
    """Those of them that are not fulfilled; in an erased thread nothing is owed any more."""
    if thread.texts is None:
        return []
    return [each for each in commitments_view(thread, agency) if each["status"] in UNFULFILLED]


def thread_summary(thread: Thread) -> dict[str, Any]:
    """The thread as a case names it."""
    named = {"id": thread.state.id, "status": thread.state.status}
    return named if thread.texts is None else named | {"subject": thread.texts.subject}


def commitment_view(commitment: Commitment, thread_id: str, texts: CommitmentTexts | None) -> dict[str, Any]:
    """One commitment; `texts` is None once they were erased."""
    view: dict[str, Any] = {
        "id": commitment.id,
        "thread_id": thread_id,
        "agency": commitment.agency,
        "due_on": commitment.due_on,
        "due_at": commitment.due_at,
        "status": commitment.status,
        "made_by": commitment.made_by,
        "made_at": commitment.made_at,
        "changes": [dict(each) for each in commitment.changes],
    }
    if commitment.handed_over_from is not None:
        view["handed_over_from"] = commitment.handed_over_from
    if commitment.fulfilled_at is not None:
        done = {"agency": commitment.fulfilled_by, "fulfilled_at": commitment.fulfilled_at}
        view["fulfilment"] = done
    if texts is None:
        return view | {"erased": True}
    view["text"] = texts.text
    if texts.officer is not None:
        view["officer"] = texts.officer
    for change, reason in zip(view["changes"], texts.reasons, strict=False):
        change["reason"] = reason
    if texts.fulfilment is not None:
        view["fulfilment"]["text"] = texts.fulfilment
    return view


def message_view(message: Message, state: ThreadState, agency: str) -> dict[str, Any]:
    """The message for an agency that sees it. What was withdrawn only its author still reads; who left reads
    the words of that time."""
    known, texts = message.state, message.texts
    *before, number = shown_versions(state, known, agency)
    view = _message(known, texts) | {"posted_at": known.posted_at}
    if number:
        view["edited_at"] = known.edits[number - 1][1]
    if texts is None:
        return view | {"text": None, "erased": True}
    if known.withdrawn_at is not None:
        view |= {"withdrawn": True, "attachments": []}
        if agency != known.author:
            return view | {"text": None}
    view["text"] = texts.versions[number]
    if number:
        times = [known.posted_at, *(at for _, at in known.edits)]
        view["earlier"] = [{"text": texts.versions[each], "written_at": times[each]} for each in before]
    return view


def thread_event_data(fact: Fact, texts: Words) -> dict[str, Any]:
    """The `data` of a `thread.*` event, as `schemas/<type>/1.json` describes it."""
    data = {name: fact.data[name] for name in ("thread_id", "cases", "status")}
    data |= {"agency": fact.actor, "version": fact.sequence}
    if texts is None:
        data["erased"] = True
    kind = fact.type.removeprefix("thread.")
    if kind == "opened":
        return data | {"thread": _opened(fact, texts)}
    if kind.startswith("message_"):
        return data | {"message": _message_of(fact, texts)}
    if kind.startswith("participant_"):
        return data | {"participant": _participant_of(fact, texts)}
    if kind.startswith("commitment_"):
        made = Commitment(**fact.data["commitment"])
        words = None if texts is None else CommitmentTexts(**texts)
        return data | {"commitment": commitment_view(made, fact.data["thread_id"], words)}
    if kind == "concluded":
        conclusion = {"agency": fact.actor, "concluded_at": fact.time} | _text(texts)
        return data | {"conclusion": conclusion, "open_commitments": fact.data["open_commitments"]}
    return data


def _participant(participant: Participant, texts: ThreadTexts | None) -> dict[str, Any]:
    last = participant.stays[-1]
    view: dict[str, Any] = {
        "agency": participant.agency,
        "history": FROM_NOW if last.after else ALL,
        "joined_at": last.joined_at,
    }
    if last.left_at is not None:
        view["left_at"] = last.left_at
    if texts is not None and (officers := texts.officers.get(participant.agency)):
        view["officers"] = officers
    return view


def _message(known: MessageState, texts: MessageTexts | None) -> dict[str, Any]:
    names = texts.names if texts is not None else []
    view: dict[str, Any] = {
        "id": known.id,
        "thread_id": known.thread_id,
        "author": _author(known.author, known.officer_id, texts.officer if texts is not None else None),
        "scope": known.scope,
        "mentions": list(known.mentions),
        "attachments": _named(known.attachments, names),
    }
    return view | ({"cases": list(known.cases)} if known.cases else {})


def _author(agency: str, officer_id: str | None, officer: str | None) -> dict[str, Any]:
    """Who wrote it: the agency, and by name or account the officer where that is known."""
    named = officer or officer_id
    return {"agency": agency} | ({"officer": named} if named else {})


def _named(attached: Any, names: list[str]) -> list[dict[str, Any]]:
    return [a | ({"name": names[place]} if place < len(names) else {}) for place, a in enumerate(attached)]


def _opened(fact: Fact, texts: Words) -> dict[str, Any]:
    data = fact.data
    opened = {
        "id": data["thread_id"],
        "cases": data["cases"],
        "participants": data["participants"],
        "opened_by": data["opened_by"],
        "created_at": fact.time,
    }
    return opened | ({"subject": texts["subject"]} if texts else {})


def _message_of(fact: Fact, texts: Words) -> dict[str, Any]:
    given = fact.data["message"]
    author = _author(given["author"], given.get("officer_id"), (texts or {}).get("officer"))
    view = {
        "id": given["id"],
        "thread_id": fact.data["thread_id"],
        "author": author,
        "scope": given["scope"],
        "posted_at": given.get("posted_at", fact.time),
    }
    if fact.type == "thread.message_withdrawn":
        return view | {"withdrawn": True}
    view["mentions"] = given["mentions"]
    view["attachments"] = _named(given["attachments"], (texts or {}).get("names") or [])
    view["text"] = None if texts is None else texts["text"]
    if given["cases"]:
        view["cases"] = given["cases"]
    if fact.type == "thread.message_edited":
        view["edited_at"] = fact.time
    return view


def _participant_of(fact: Fact, texts: Words) -> dict[str, Any]:
    given = fact.data["participant"]
    if fact.type == "thread.participant_left":
        return {"agency": given["agency"], "left_at": fact.time}
    view = {"agency": given["agency"], "history": given["history"], "joined_at": fact.time}
    officers = (texts or {}).get("officers")
    return view | ({"officers": officers} if officers else {})


def _text(texts: Words) -> dict[str, Any]:
    return {"text": texts["text"]} if texts else {}
