"""Posting a message, changing one's own, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.domain.case import Case
from hub.domain.events import Draft
from hub.domain.threads.around import MOST_EDITS, Around, common, conflict, invalid, require_open
from hub.domain.threads.commands import EditMessage, PostMessage, WithdrawMessage
from hub.domain.threads.thread import INTERNAL, REPORTER, Message, MessageState, ThreadState
from hub.errors import Forbidden


def post(command: PostMessage, state: ThreadState, known: Mapping[str, Case], around: Around) -> list[Draft]:
    """A message of one scope. To the reporter it goes through the sources of the cases meant, which must be
    able to carry it, and not all be erased (409). `known` are the thread's cases."""
    _check_mentions(command, state, around)
    cases = _check_cases(command, state)
    require_open(state)
    if cases and all(each in known and known[each].state.erased for each in cases):
        raise conflict(state, "The case was erased, and its reporter with it: nobody can be written to.")
    for case_id in cases:
        source = around.find_agency(state.sources[case_id])
        if source is None or not source.active:
            name = state.sources[case_id]
            raise conflict(
                state,
                f"The source of case {case_id}, {name}, is not active any more and cannot carry a message to "
                "the reporter.",
            )
    message: dict[str, Any] = {
        "id": command.message_id,
        "author": around.actor,
        "scope": command.scope,
        "mentions": list(command.mentions),
        "attachments": list(command.attachments),
        "cases": cases,
    }
    if command.officer_id is not None:
        message["officer_id"] = command.officer_id
    texts: dict[str, Any] = {"text": command.text}
    if command.officer is not None:
        texts["officer"] = command.officer
    if command.names:
        texts["names"] = list(command.names)
    return [Draft("thread.message_posted", common(state) | {"message": message}, texts)]


def edit(command: EditMessage, state: ThreadState, message: Message, around: Around) -> list[Draft]:
    """Other words for one's own message; what it said before is kept."""
    known = message.state
    require_own(known, around.actor)
    require_open(state)
    _require_there(state, known)
    _require_words(state, message)
    if len(known.edits) >= MOST_EDITS:
        raise conflict(state, f"The message was changed {MOST_EDITS} times, which is the limit.")
    texts: dict[str, Any] = {"text": command.text}
    if message.texts is not None and message.texts.officer is not None:
        texts["officer"] = message.texts.officer
    if message.texts is not None and message.texts.names:
        texts["names"] = message.texts.names
    return [Draft("thread.message_edited", common(state) | {"message": facts_of(known)}, texts)]


def withdraw(command: WithdrawMessage, state: ThreadState, message: Message, around: Around) -> list[Draft]:
    """One's own message is taken back: that it was there stays to be seen, and its author keeps its words."""
    known = message.state
    require_own(known, around.actor)
    require_open(state)
    _require_there(state, known)
    return [Draft("thread.message_withdrawn", common(state) | {"message": facts_of(known)})]


def facts_of(known: MessageState) -> dict[str, Any]:
    """The clear members of a message that exists, as its later events carry them."""
    facts: dict[str, Any] = {
        "id": known.id,
        "author": known.author,
        "scope": known.scope,
        "mentions": list(known.mentions),
        "attachments": list(known.attachments),
        "cases": list(known.cases),
        "posted_at": known.posted_at,
    }
    return facts | ({"officer_id": known.officer_id} if known.officer_id is not None else {})


def _check_mentions(command: PostMessage, state: ThreadState, around: Around) -> None:
    """Agencies that take part, or officers of theirs; in an internal message one's own."""
    flaws = []
    for place, mention in enumerate(command.mentions):
        agency = mention if state.has(mention) else around.agency_of_officer(mention)
        if agency is None or not state.has(agency):
            sentence = f"{mention!r} is no agency that takes part in the thread, nor an officer of one."
            flaws.append((f"/mentions/{place}", sentence))
        elif command.scope == INTERNAL and agency != around.actor:
            sentence = f"{mention!r} would not see an internal message; mention officers of your own agency."
            flaws.append((f"/mentions/{place}", sentence))
    if flaws:
        raise invalid("A mention names nobody who would see the message.", *flaws)


def _check_cases(command: PostMessage, state: ThreadState) -> list[str]:
    """The cases whose reporters the message is for."""
    if command.cases and command.scope != REPORTER:
        raise invalid("Cases are named for the reporter alone.",
                      ("/cases", "Leave it out, or use the scope reporter."))  # fmt: skip
    flaws = [
        (f"/cases/{place}", f"The thread is not about the case {case_id}.")
        for place, case_id in enumerate(command.cases)
        if case_id not in state.sources
    ]
    if flaws:
        raise invalid("The thread is about other cases.", *flaws)
    return (list(command.cases) or state.cases) if command.scope == REPORTER else []


def require_own(known: MessageState, actor: str) -> None:
    """403 for a message of another agency."""
    if known.author != actor:
        raise Forbidden("A message is changed or withdrawn by the agency that wrote it.")


def _require_words(state: ThreadState, message: Message) -> None:
    if message.texts is None:
        raise conflict(state, "The message was erased with the case of the reporter that it was for.")


def _require_there(state: ThreadState, known: MessageState) -> None:
    if known.withdrawn_at is not None:
        raise conflict(state, f"The message was withdrawn at {known.withdrawn_at}.")
