"""Who does what by when: made, changed, fulfilled, missed."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date

from hub.domain.bounds import (
    MOST_CHANGES,
    MOST_PROMISED,
    MOST_THREAD_WORDS,
    THREAD_FULL,
    has_thread_words_left,
)
from hub.domain.events import Draft
from hub.domain.threads.around import (
    ERASED,
    MOST_COMMITMENTS,
    Around,
    common,
    conflict,
    invalid,
    require_open,
)
from hub.domain.threads.audience import sees_commitment
from hub.domain.threads.commands import ChangeCommitment, FulfilCommitment, MakeCommitment
from hub.domain.threads.thread import Commitment, CommitmentTexts, Thread, ThreadState
from hub.domain.working_time import due_calendar_days, instant, local_day, written
from hub.errors import Forbidden, NotFound

_ELSEWHERE = "Conclude it, and open another one about the same cases."


def make(command: MakeCommitment, thread: Thread, sequence: int, around: Around) -> list[Draft]:
    """Any participant, for any. `sequence` is the number that its event will have."""
    state = thread.state
    if not state.has(command.agency):
        raise invalid("The agency takes no part in the thread.",
                      ("/agency", f"{command.agency!r} takes no part; invite it first."))  # fmt: skip
    due_at = _due_at(command.agency, command.due_on, around)
    require_open(state)
    if len(state.unfulfilled()) >= MOST_COMMITMENTS:
        raise conflict(state, f"A thread has at most {MOST_COMMITMENTS} commitments that are not fulfilled.")
    if len(state.commitments) >= MOST_PROMISED:
        why = f"A thread has at most {MOST_PROMISED:,} commitments, fulfilled ones too. {_ELSEWHERE}"
        raise conflict(state, why, code=THREAD_FULL)
    _require_words(thread)
    made = Commitment(
        command.commitment_id,
        command.agency,
        command.due_on,
        due_at,
        "open",
        around.actor,
        around.now,
        sequence,
    )
    return [commitment_draft("made", state, made, CommitmentTexts(command.text, command.officer))]


def change(command: ChangeCommitment, thread: Thread, around: Around) -> list[Draft]:
    """Another date, with its reason. One that was missed is open again: it is owed by the new date."""
    known, texts = _known(thread, command.commitment_id, around)
    due_at = _due_at(known.agency, command.due_on, around)
    _require_unfulfilled(thread.state, known)
    if len(known.changes) >= MOST_CHANGES:
        why = f"The commitment's date was changed {MOST_CHANGES} times, the most that it can be; fulfil it"
        raise conflict(thread.state, f"{why}, and make another one for what is left.", code=THREAD_FULL)
    _require_words(thread)
    entry = {"due_on": command.due_on, "agency": around.actor, "changed_at": around.now}
    changed = replace(
        known, due_on=command.due_on, due_at=due_at, status="open", changes=(*known.changes, entry)
    )
    reasons = replace(texts, reasons=[*texts.reasons, command.reason])
    return [commitment_draft("changed", thread.state, changed, reasons)]


def fulfil(command: FulfilCommitment, thread: Thread, around: Around) -> list[Draft]:
    """Late or in time: what was promised is done, and how. Possible after the conclusion too."""
    known, texts = _known(thread, command.commitment_id, around)
    _require_unfulfilled(thread.state, known)
    done = replace(known, status="fulfilled", fulfilled_by=around.actor, fulfilled_at=around.now)
    return [commitment_draft("fulfilled", thread.state, done, replace(texts, fulfilment=command.text))]


def lapsed(thread: Thread, now: str) -> list[Draft]:
    """Every commitment that is late by `now` and not recorded as missed, earliest first. The moment `due_at`
    itself is still in time, as for a case's deadlines. In an erased thread nothing is owed any more."""
    if thread.texts is None:
        return []
    late = [each for each in thread.state.commitments if each.status == "open" and each.due_at < now]
    drafts = []
    for each in sorted(late, key=lambda one: (one.due_at, one.id)):
        words = thread.texts.commitments.get(each.id, CommitmentTexts())
        drafts.append(commitment_draft("missed", thread.state, replace(each, status="missed"), words))
    return drafts


def _known(thread: Thread, commitment_id: str, around: Around) -> tuple[Commitment, CommitmentTexts]:
    """For the agency that owes it, or the one that recorded it; who may not know of it learns nothing."""
    known = thread.state.commitment(commitment_id)
    if known is None or not sees_commitment(thread.state, known, around.actor):
        raise NotFound("There is no such commitment, or your agency takes no part in its thread.")
    require_concerned(known, around.actor)
    if thread.texts is None:
        raise conflict(thread.state, ERASED)
    return known, thread.texts.commitments.get(commitment_id, CommitmentTexts())


def require_concerned(known: Commitment, actor: str) -> None:
    """403 for who neither owes nor recorded it."""
    if actor not in (known.agency, known.made_by):
        raise Forbidden(
            f"A commitment is changed or fulfilled by the agency that owes it ({known.agency}), or by the "
            f"one that recorded it ({known.made_by})."
        )


def _require_words(thread: Thread) -> None:
    """Fulfilling is possible always: what was promised can be done."""
    if not has_thread_words_left(thread.texts):
        why = f"The thread keeps {MOST_THREAD_WORDS:,} characters of commitments, the most that it can."
        raise conflict(thread.state, f"{why} {_ELSEWHERE}", code=THREAD_FULL, refused="commit")


def _require_unfulfilled(state: ThreadState, known: Commitment) -> None:
    if known.status == "fulfilled":
        raise conflict(state, f"The commitment was fulfilled at {known.fulfilled_at}.")


def _due_at(agency: str, due_on: str, around: Around) -> str:
    """When the office of the agency closes on that day, or on the first working day after it."""
    calendar, day = around.calendar_of(agency), date.fromisoformat(due_on)
    today = local_day(calendar, instant(around.now))
    if day < today:
        sentence = f"Today is {today.isoformat()} where {agency} is; name that day or a later one."
        raise invalid("The date has passed.", ("/due_on", sentence))
    if (day - today).days > 3660:
        raise invalid("The date is too far away.", ("/due_on", "Name a day within the next ten years."))
    due = due_calendar_days(calendar, instant(around.now), (day - today).days)
    if due <= instant(around.now):
        due = due_calendar_days(calendar, instant(around.now), (day - today).days + 1)
    return written(due)


def commitment_draft(what: str, state: ThreadState, commitment: Commitment, texts: CommitmentTexts) -> Draft:
    """The event `thread.commitment_<what>`: the commitment as it is after it."""
    facts = common(state) | {"commitment": asdict(commitment)}
    return Draft(f"thread.commitment_{what}", facts, asdict(texts))
