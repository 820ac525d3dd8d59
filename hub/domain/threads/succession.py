"""Another agency, or another officer, takes a place in a thread over: by the thread's own events, so that
everybody in it learns of it in its order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.domain.events import Draft
from hub.domain.handover import Successor
from hub.domain.threads.around import common
from hub.domain.threads.commitments import commitment_draft
from hub.domain.threads.thread import (
    ALL,
    FROM_NOW,
    Commitment,
    CommitmentTexts,
    Participant,
    Thread,
    ThreadState,
)


def owes(state: ThreadState, agency: str) -> list[Commitment]:
    """What the agency has promised and not fulfilled."""
    return [each for each in state.unfulfilled() if each.agency == agency]


def is_concerned(thread: Thread, agency: str) -> bool:
    """Whether the agency has work there: it takes part, and the thread goes on or something is owed."""
    state = thread.state
    return (
        thread.texts is not None
        and state.has(agency)
        and (state.status == "open" or bool(owes(state, agency)))
    )


def agency_drafts(thread: Thread, agency: str, to: str) -> list[Draft]:
    """`to` comes with the sight that `agency` has now (one that takes part already keeps its own), what
    `agency` owes is owed by `to`, and `agency` leaves; what it might do as the thread's opener, `to` may."""
    state = thread.state
    found = state.participant(agency)
    if found is None:
        return []
    drafts = [] if state.has(to) else [_joins(state, to, found, [])]
    drafts += [_passes(thread, each, to, None) for each in owes(state, agency)]
    left = common(state) | {"participant": {"agency": agency}}
    if state.keeper == agency:
        left["keeper"] = to
    return [*drafts, Draft("thread.participant_left", left)]


def officer_drafts(thread: Thread, agency: str, leaving: Successor, taking: Successor) -> list[Draft]:
    """The commitments and the place among the agency's officers that name `leaving` name `taking`. What was
    written keeps its name."""
    state, texts = thread.state, thread.texts
    found = state.participant(agency)
    if found is None or texts is None:
        return []
    drafts = []
    named = texts.officers.get(agency, [])
    if any(_passes_on(leaving, taking, each) for each in named):
        instead = dict.fromkeys(taking.name if _passes_on(leaving, taking, each) else each for each in named)
        drafts.append(_joins(state, agency, found, list(instead)))
    for each in owes(state, agency):
        words = texts.commitments.get(each.id)
        if words is not None and words.officer is not None and _passes_on(leaving, taking, words.officer):
            drafts.append(_passes(thread, each, agency, taking.name))
    return drafts


def _passes_on(leaving: Successor, taking: Successor, named: str) -> bool:
    """Officers are named by their account's id, or as they are called; two may be called alike."""
    found = named.strip().casefold()
    return found in (leaving.id, leaving.name.casefold()) and found != taking.name.casefold()


def _joins(state: ThreadState, to: str, instead_of: Participant, officers: list[str]) -> Draft:
    after = instead_of.stays[-1].after
    joined = {"agency": to, "history": FROM_NOW if after else ALL, "after": after}
    facts: dict[str, Any] = common(state) | {"participant": joined}
    return Draft("thread.participant_added", facts, {"officers": officers})


def _passes(thread: Thread, known: Commitment, to: str, officer: str | None) -> Draft:
    """Due when it was due. `officer`: who it is now; nobody is named yet where the agency is another one."""
    words = thread.texts.commitments.get(known.id) if thread.texts is not None else None
    moved = known if to == known.agency else replace(known, agency=to, handed_over_from=known.agency)
    return commitment_draft(
        "changed", thread.state, moved, replace(words or CommitmentTexts(), officer=officer)
    )
