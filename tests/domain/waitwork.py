"""A case with clocks in a given status, and what its clocks and its log say."""

from __future__ import annotations

from typing import Any

from hub.domain.clocks import Clock
from hub.domain.commands import (
    Accept,
    Answer,
    Verify,
)
from hub.domain.working_time import instant
from tests.domain.casework import CASE_ID, Casework
from tests.domain.treework import REGISTRY, rulebooks

RULES = rulebooks()
MONDAY = instant("2025-03-10T03:00:00.000Z")
LEAD, SUPPORT = "kemenpu", "balai"


def work_in(status: str = "verified", **how: Any) -> Casework:
    """A case that was submitted on Monday, 10 March 2025, at 10:00 WIB."""
    work = Casework(agencies=REGISTRY, rules=RULES[0], at=MONDAY)
    work.submit(**how)
    if status != "submitted":
        work.act(Verify(CASE_ID, "accept"))
    if status in ("in_progress", "answered"):
        work.act(Accept(CASE_ID, work.sent(LEAD)), LEAD)
    if status == "answered":
        work.act(Answer(CASE_ID, work.state.legs[0].id, "Sudah."), LEAD)
    assert work.state.status == status
    return work


def open_clocks(work: Casework) -> list[tuple[str, str, str]]:
    """(stage, agency, state) of those that count and have not ended."""
    return sorted((c.stage, c.agency, c.state) for c in work.state.clocks if c.is_open and not c.shown_only)


def clock(work: Casework, stage: str) -> Clock:
    """The latest that counts."""
    found: list[Clock] = [c for c in work.state.clocks if c.stage == stage and not c.shown_only]
    return found[-1]


def told(work: Casework) -> list[tuple[str, str]]:
    """The deadlines' events and what closes or passes the case on, with the stage or the reason."""
    return [
        (
            fact.type,
            fact.data.get("deadline", {}).get("stage") or fact.data.get("reason") or fact.data["cause"],
        )
        for fact, _ in work.log
        if fact.type.startswith("deadline.") or fact.type in ("complaint.closed", "complaint.escalated")
    ]
