"""Old cases, taken over whole: what happened to a complaint before the hub knew it, as events with the times
of then. Pure; what a backlog's file says is judged here, how it is read is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hub.domain.commands import SubmitComplaint
from hub.domain.decisions import submit
from hub.domain.events import Draft
from hub.domain.working_time import written

STATUSES: Final = ("submitted", "verified", "answered", "rejected", "closed")
"""Those in which a case can be taken over: it has no forwardings, since nobody here was ever sent one."""
STEPS: Final = ("verified", "answered", "rejected", "closed")
"""In the order in which they happen; `<step>_at` is the member that dates one."""
_LATER: Final = {
    "submitted": (*STEPS,),
    "verified": ("answered", "rejected", "closed"),
    "answered": ("rejected", "closed"),
    "rejected": ("answered", "closed"),
    "closed": (),
}
"""Status -> steps that contradict it: a case in that status has not taken them."""
_KNOWN: Final = ("case_id", "tracking_number", "owner", "anonymous", "confidential")


class Moment(NamedTuple):
    """When something happened; of a `whole_day` nobody wrote down the time, and `at` is its midnight."""

    at: datetime
    whole_day: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What a row says beside the complaint. `status` None: the dates alone say it. `texts` are an officer's
    words by member (answer, closing_text, rejection_reason)."""

    status: str | None
    moments: dict[str, Moment]
    """Step -> when."""
    texts: dict[str, str]
    closing_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: `at` is RFC 3339 in UTC, `texts` are masked."""

    name: str
    at: str
    facts: dict[str, Any]
    texts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TakeOver(SubmitComplaint):
    """A complaint together with what became of it, in one go. `steps` in the order of their times, none
    before `submitted_at` (RFC 3339 in UTC)."""

    submitted_at: str
    steps: tuple[Step, ...]


def take_over(command: TakeOver, now: str) -> list[tuple[str, Draft]]:
    """Each event with its own time. Every one says that it is history (so the clocks that it starts are
    shown and raise nothing), the first one since when the hub knows it."""
    (born,) = submit(command)
    known: dict[str, Any] = {name: born.facts[name] for name in _KNOWN} | {"historical": True}
    facts = born.facts | {"historical": True, "taken_over_at": now}
    drafts = [(command.submitted_at, replace(born, facts=facts))]
    for step in command.steps:
        facts = known | {"status": step.name} | step.facts
        if step.name == "answered":
            facts |= {"leg": None, "agency": born.facts["owner"], "attachments": []}
        drafts.append((step.at, Draft(f"complaint.{step.name}", facts, step.texts)))
    return drafts


def flaws_of(history: History, submitted: Moment, now: datetime) -> list[tuple[str, str]]:
    """(member, sentence), one a member, for all that cannot be: dates that are missing, contradict the
    status, run backwards or have not come yet."""
    found = dict(
        reversed([*_missing(history), *_contradictions(history), *_out_of_order(history, submitted, now)])
    )
    return sorted(found.items())


def _out_of_order(history: History, submitted: Moment, now: datetime) -> Iterator[tuple[str, str]]:
    if submitted.at > now:
        yield "submitted_at", _FUTURE
    previous, name = submitted, "submitted"
    for step in STEPS:
        moment = history.moments.get(step)
        if moment is None:
            continue
        if moment.at > now:
            yield f"{step}_at", _FUTURE
        elif (later := _not_before(moment, previous)) is None:
            yield f"{step}_at", f"lies before {name}_at. Write the time at which it was {step}."
        else:
            previous, name = later, step


def steps_of(history: History, submitted: Moment) -> tuple[Step, ...]:
    """What happened, of a history without flaws. Who answered had verified: where no date says when, it is
    recorded at the moment of the answer. A day without a time is no earlier than what came before it."""
    moments, previous = dict(history.moments), submitted
    if "answered" in moments:
        moments.setdefault("verified", moments["answered"])
    steps = []
    for name in STEPS:
        if name in moments:
            previous = _not_before(moments[name], previous) or previous
            steps.append(_step(name, written(previous.at), history))
    return tuple(steps)


_FUTURE: Final = "has not come yet by the hub's clock. Write the time at which it happened."


def _step(name: str, at: str, history: History) -> Step:
    texts = history.texts
    if name == "answered":
        return Step(name, at, {}, {"text": texts["answer"]})
    if name == "rejected":
        return Step(name, at, {}, {"reason": texts["rejection_reason"]})
    if name == "closed":
        text = {"text": texts["closing_text"]} if "closing_text" in texts else {}
        return Step(name, at, {"reason": history.closing_reason}, text)
    return Step(name, at, {}, {})


def _missing(history: History) -> list[tuple[str, str]]:
    found, dated, texts = [], history.moments, history.texts
    status = history.status
    if status is not None and status not in STATUSES:
        found.append(("status", f"is none of {', '.join(STATUSES)}. Say under [values.status] which it is."))
    elif status in STEPS and status not in dated:
        found.append((f"{status}_at", f"is empty, but the case is {status}. Write when that was."))
    if "answered" in dated and "answer" not in texts:
        found.append(("answer", "is empty, but answered_at says that the case was answered. Write the answer,"
                                " or give one under [defaults]."))  # fmt: skip
    if "rejected" in dated and "rejection_reason" not in texts:
        found.append(("rejection_reason", "is empty, but the complaint was rejected. Write why, or give a "
                                          "reason under [defaults]."))  # fmt: skip
    if "closed" in dated and history.closing_reason is None:
        found.append(("closing_reason", "is empty, but the case was closed. Write why, or give a reason "
                                        "under [defaults], such as archived."))  # fmt: skip
    return found


def _contradictions(history: History) -> list[tuple[str, str]]:
    dated, texts, status = history.moments, history.texts, history.status or "submitted"
    found = [(f"{step}_at", f"is given, but by its status the case is {status} and was not {step}. Leave the "
                            "date out, or correct the status.")
             for step in (_LATER.get(status, ()) if history.status else ()) if step in dated]  # fmt: skip
    if "rejected" in dated and "answered" in dated:
        found.append(("rejected_at", "is given, and answered_at too: a case was rejected or answered, not "
                                     "both. Leave one of the dates out."))  # fmt: skip
    for step, member in (
        ("answered", "answer"),
        ("rejected", "rejection_reason"),
        ("closed", "closing_text"),
    ):
        if member in texts and step not in dated and not _said_already(found, status, step):
            found.append((f"{step}_at", f"is empty, but {member} is not. Write when the case was {step}."))
    return found


def _said_already(found: list[tuple[str, str]], status: str, step: str) -> bool:
    """Whether the missing date is told as the status's own."""
    return status == step or any(member == f"{step}_at" for member, _ in found)


def _not_before(moment: Moment, previous: Moment) -> Moment | None:
    """The moment, or for a whole day the first moment in it that is not before the previous one; None if it
    is before it."""
    if moment.at >= previous.at:
        return moment
    if moment.whole_day and previous.at < moment.at + timedelta(days=1):
        return Moment(previous.at)
    return None
