"""Deadline policies: dated rows that say how long a stage may take, and by which source; and how long an
ended case is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from hub.domain.working_time import is_iso_date
from hub.errors import Invalid

STAGES: Final = ("verification", "acceptance", "follow_up", "closure", "consultation", "reply")
RETENTION: Final = "retention"
"""Not a stage in which somebody is waited for: so long after its end a case is erased (`retention.py`)."""
CLASSIFICATIONS: Final = ("complaint", "aspiration", "information_request")
ANY: Final = "*"
MOST: Final = {"working_days": 1_250, "calendar_days": 1_830, "hours": 43_920, "minutes": 2_635_200}
"""Unit -> the largest amount: about five years each. More is a slip of the keyboard."""
MOST_KEPT: Final = {"months": 1_200, "years": 100}
"""The same for RETENTION, which has units of its own: an archive schedule counts in years."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One row, never changed once it was recorded: another amount is another row with a later `valid_from`
    (ISO date, by the calendar of the agency that the clock runs for). `classification` is one of
    CLASSIFICATIONS or "*" for all that have no row of their own. `assumption`: no regulation says so, the hub
    chose it. `shown_only`: a limit that stands beside the stage's own for the reader; nothing is warned of or
    escalated by it. `escalates`: once it is missed, the case goes up one level."""

    id: str
    classification: str
    stage: str
    amount: int
    unit: str
    valid_from: str
    source: str
    assumption: bool = False
    shown_only: bool = False
    escalates: bool = False

    def document(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


_ALWAYS: Final = "1900-01-01"
"""Before any complaint that a backlog could hold: the hub's defaults apply to each of them."""
_TOLD: Final = "SP4N-LAPOR!, as reporters are told: "
_STATUTE: Final = (
    "Permen PANRB 62/2018 (replaced by Permen PANRB 5/2025, whose figures are not confirmed; sources "
    "disagree on working or calendar days): "
)
DEFAULTS: Final = (
    Policy("verification-3wd", ANY, "verification", 3, "working_days", _ALWAYS,
           _TOLD + "verified and forwarded within 3 working days of submission"),
    Policy("acceptance-1wd", ANY, "acceptance", 1, "working_days", _ALWAYS,
           "assumption: no rule says when an agency must accept or return a forwarding", assumption=True),
    Policy("follow-up-5wd", ANY, "follow_up", 5, "working_days", _ALWAYS,
           _TOLD + "followed up within 5 working days of the forwarding", escalates=True),
    Policy("closure-10wd", ANY, "closure", 10, "working_days", _ALWAYS,
           _TOLD + "closes by itself 10 working days after the follow-up if nobody replies"),
    Policy("consultation-3wd", ANY, "consultation", 3, "working_days", _ALWAYS,
           "assumption: no rule says when a consulted agency must answer", assumption=True),
    Policy("reply-10wd", ANY, "reply", 10, "working_days", _ALWAYS,
           "assumption, after one app's rule: incomplete complaints are archived after 10 working days",
           assumption=True),
    Policy("statute-complaint-14wd", "complaint", "follow_up", 14, "working_days", "2019-01-01",
           _STATUTE + "14 days for a complaint that needs no field inspection (tidak berkadar pengawasan); "
           "60 where it needs one, which a complaint does not say here", shown_only=True),
    Policy("statute-information-5wd", "information_request", "follow_up", 5, "working_days", "2019-01-01",
           _STATUTE + "5 days for an information request", shown_only=True),
)  # fmt: skip
"""What applies until the hub's administrator decides otherwise. No statutory limit is known for aspirations.
There is no row for RETENTION: nothing is erased by itself. How many years an agency's archive schedule (JRA)
gives to complaints is not confirmed for any, what is erased never comes back, and destroying an archive
before its schedule allows it is an offence (UU 43/2009)."""


def policy_for(rows: Sequence[Policy], classification: str, stage: str, at: date) -> Policy | None:
    """The row in force on the day `at`: a row of the classification itself before one for all, and the latest
    of them. None when no row was in force yet."""
    return _in_force(rows, classification, stage, at, shown_only=False)


def companion_for(rows: Sequence[Policy], classification: str, stage: str, at: date) -> Policy | None:
    """The shown-only row that stands beside `policy_for`'s on that day, if there is one."""
    return _in_force(rows, classification, stage, at, shown_only=True)


def _in_force(
    rows: Sequence[Policy], classification: str, stage: str, at: date, *, shown_only: bool
) -> Policy | None:
    day, best = at.isoformat(), None
    for row in rows:
        if row.stage != stage or row.shown_only is not shown_only or row.valid_from > day:
            continue
        if row.classification not in (classification, ANY):
            continue
        if best is None or _rank(row) > _rank(best):
            best = row
    return best


def _rank(row: Policy) -> tuple[bool, str]:
    return row.classification != ANY, row.valid_from


def check_policies(rows: Sequence[Policy]) -> None:
    """Raises Invalid (422) with a pointer `/policies/<index>/<field>` for each row that cannot be, or that
    says something that another row says already; and when a stage would be left without a row for all, on
    whatever day."""
    flaws = [(f"/policies/{index}{pointer}", detail)
             for index, row in enumerate(rows) for pointer, detail in _row_flaws(row)]  # fmt: skip
    flaws += _repeated(rows)
    covered = {row.stage for row in rows
               if row.classification == ANY and not row.shown_only and row.valid_from <= _ALWAYS}  # fmt: skip
    flaws += [("/policies", f"The stage {stage} needs a row for the classification {ANY!r} valid from "
                            f"{_ALWAYS} or before, so that every case has a clock, an old one too.")
              for stage in STAGES if stage not in covered]  # fmt: skip
    if flaws:
        raise Invalid("The deadline policies cannot be like this.", flaws=flaws)


def refuse_changed(rows: Sequence[Policy], recorded: Iterable[Policy]) -> None:
    """Raises Invalid (422) with a pointer `/policies/<index>/<member>` where a row is not what its id meant
    before: cases cite the id, and two of them would cite one with different days."""
    before = {row.id: row for row in recorded}
    flaws = [(f"/policies/{index}/{field.name}",
              f"The row {row.id!r} was recorded with {field.name} = {getattr(before[row.id], field.name)!r}, "
              "and cases cite it by its id. Leave it as it was, and add a row with a new id and its own "
              "valid_from.")
             for index, row in enumerate(rows) if row.id in before
             for field in fields(Policy)
             if getattr(row, field.name) != getattr(before[row.id], field.name)]  # fmt: skip
    if flaws:
        raise Invalid("A policy is never changed under its id.", flaws=flaws)


def _row_flaws(row: Policy) -> list[tuple[str, str]]:
    flaws: list[tuple[str, str]] = []
    if not 1 <= len(row.id) <= 128 or not row.id.isprintable():
        flaws.append(("/id", "An id is 1 to 128 characters without control characters."))
    if row.classification not in (*CLASSIFICATIONS, ANY):
        flaws.append(("/classification", f"One of {', '.join(CLASSIFICATIONS)}, or {ANY} for all."))
    if row.stage not in (*STAGES, RETENTION):
        flaws.append(("/stage", f"One of {', '.join(STAGES)}, {RETENTION}."))
    most = MOST_KEPT if row.stage == RETENTION else MOST
    if row.unit not in most:
        flaws.append(("/unit", f"One of {', '.join(most)}."))
    elif type(row.amount) is not int or not 1 <= row.amount <= most[row.unit]:
        flaws.append(("/amount", f"A whole number from 1 to {most[row.unit]} ({row.unit})."))
    if row.stage == RETENTION and (row.shown_only or row.escalates):
        flaws.append(("/stage", "Retention has neither shown_only nor escalates: a case is kept, or erased."))
    if not is_iso_date(row.valid_from):
        flaws.append(("/valid_from", "A date such as 2025-07-01 is needed."))
    if not 1 <= len(row.source.strip()) <= 1000 or not row.source.isprintable():
        flaws.append(("/source", "Name the regulation, or say that it is an assumption."))
    return flaws


def _repeated(rows: Sequence[Policy]) -> list[tuple[str, str]]:
    """Two rows with one id, or two that would be in force at once for the same."""
    flaws: list[tuple[str, str]] = []
    ids: dict[str, int] = {}
    keys: dict[tuple[str, str, str, bool], int] = {}
    for index, row in enumerate(rows):
        first = ids.setdefault(row.id, index)
        if first != index:
            flaws.append((f"/policies/{index}/id", f"Row {first} has this id already; give it another."))
        first = keys.setdefault((row.classification, row.stage, row.valid_from, row.shown_only), index)
        if first != index:
            flaws.append((f"/policies/{index}/valid_from",
                          f"Row {first} ({rows[first].id}) starts on the same day for the same "
                          "classification and stage; choose another day or leave one out."))  # fmt: skip
    return flaws
