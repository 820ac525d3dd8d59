"""One case driven through decide and evolve alone: what the service does, without a database or a seal."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from hub.domain.agency import HUB, Agency
from hub.domain.audience import told
from hub.domain.case import Case
from hub.domain.commands import (
    Accept,
    Answer,
    Close,
    Forward,
    Progress,
    Recipient,
    Return,
    SubmitComplaint,
    Tick,
    Verify,
    Withdraw,
)
from hub.domain.decide import decide
from hub.domain.decisions import Around, submit
from hub.domain.events import Draft, Fact
from hub.domain.evolution import evolve, with_changed
from hub.domain.history import Step, TakeOver, take_over
from hub.domain.lapses import is_due
from hub.domain.limits import Limits
from hub.domain.privacy import split_complaint
from hub.domain.timekeeping import Rules, follow, with_clocks
from hub.domain.transitions import STATUS_BY_DECISION
from hub.domain.working_time import written
from hub.errors import Problem

SOURCE = "pemkab-kotim"
HANDLERS = ("dinas-pupr-kalteng", "kemen-pupr", "pln-kalteng")
SPARE = "bpbd-kalteng"
"""An agency to which nobody forwards, so that there is always one left that could be asked."""
AGENCIES = {
    SOURCE: Agency(SOURCE, "Pemerintah Kabupaten Kotawaringin Timur", "regency", region="62.02"),
    "dinas-pupr-kalteng": Agency("dinas-pupr-kalteng", "Dinas PUPR Kalimantan Tengah", "unit"),
    "kemen-pupr": Agency("kemen-pupr", "Kementerian Pekerjaan Umum", "ministry"),
    "pln-kalteng": Agency("pln-kalteng", "PLN Wilayah Kalimantan Tengah", "agency"),
    SPARE: Agency(SPARE, "BPBD Kalimantan Tengah", "unit"),
    "ombudsman": Agency("ombudsman", "Ombudsman RI", "oversight"),
    "dinas-lama": Agency("dinas-lama", "Dinas Bina Marga (lama)", "unit", active=False),
}
CASE_ID = "0195a1b2-0000-7000-8000-000000000001"
EVENT_ID = "0195a1b2-0000-7000-8000-0000000000e1"


def uuid(number: int) -> str:
    return f"0195a1b2-0000-7000-8000-{number:012x}"


def complaint(**changes: Any) -> dict[str, Any]:
    """A complaint with everything in it that must never travel."""
    return {
        "source": {"agency": SOURCE, "reference": "PGD-2025-000431", "url": "https://kotim.example/431"},
        "classification": "complaint",
        "title": "Lampu jalan padam di Jalan Tjilik Riwut",
        "description": "Sudah tiga malam gelap. Saya Marlina Tundan, NIK 6202014107890001, hp 081250000431.",
        "category": "road",
        "tags": ["lampu jalan"],
        "submitted_at": "2025-03-14T09:26:53+07:00",
        "occurred_on": "2025-03-11",
        "channel": "web",
        "location": {
            "region": "62.02.02",
            "address": "Jalan Tjilik Riwut km 3",
            "point": {"type": "Point", "coordinates": [112.95, -2.53]},
        },
        "reporter": {
            "name": "Marlina Tundan",
            "phone": "081250000431",
            "email": "marlina.tundan@surel.example",
            "national_id": "6202014107890001",
            "anonymous": False,
        },
        "confidential": False,
        "attachments": [
            {
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "media_type": "image/jpeg",
                "name": "lampu-padam.jpg",
                "size": 284113,
                "url": "https://kotim.example/foto/431.jpg",
            }
        ],
    } | changes


_written = lru_cache(4096)(written)
REPORTER = ("Marlina", "Tundan", "081250000431", "6202014107890001", "surel.example")
"""Fragments of the reporter's identity, none of which may show anywhere."""


@dataclass
class Casework:
    """A case with all its events, in the order in which they happened. With `rules` it has clocks; with `at`
    its time stands still until somebody turns it (`wait`), else every event takes a second."""

    case: Case | None = None
    log: list[tuple[Fact, dict[str, Any]]] = field(default_factory=list)
    agencies: Mapping[str, Agency] = field(default_factory=lambda: AGENCIES)
    returns_limit: int = 3
    numbers: Any = field(default_factory=lambda: itertools.count(1000))
    rules: Rules | None = None
    at: datetime | None = None

    @property
    def state(self) -> Any:
        assert self.case is not None
        return self.case.state

    def submit(self, **changes: Any) -> None:
        parts = split_complaint(complaint(**changes))
        command = SubmitComplaint(
            CASE_ID, "7K3M-0Q9X-V2BD", EVENT_ID, parts.clear, parts.masked, b"sealed", "ab" * 32
        )
        self.record(submit(command), SOURCE)

    def take_over(self, *statuses: str) -> None:
        """A case of a backlog that went through these, all of it now."""
        parts, now = split_complaint(complaint()), self.now
        steps = tuple(Step(status, now, {"reason": "resolved"}, {"text": "Sudah."}) for status in statuses)
        command = TakeOver(
            CASE_ID, "7K3M-0Q9X-V2BD", EVENT_ID, parts.clear, parts.masked, b"sealed", "ab" * 32, now, steps
        )
        self.record([draft for _, draft in take_over(command, now)], SOURCE)

    def act(self, command: Any, actor: str = SOURCE) -> list[Fact]:
        """Decides and applies, after what the passing of time has made of the case; raises the domain's
        Problem and changes nothing."""
        before, count = self.case, len(self.log)
        try:
            passed = self.pass_time()
            assert self.case is not None
            return passed + self.record(decide(command, self.case, self.around(actor)), actor)
        except Problem:
            self.case = before
            del self.log[count:]
            raise

    def pass_time(self) -> list[Fact]:
        """What the hub's clock, or the next command, makes of the time that has passed."""
        made: list[Fact] = []
        while self.case is not None and is_due(self.case.state, self.now):
            drafts = decide(Tick(CASE_ID), self.case, self.around(HUB))
            if not drafts:
                break
            made += self.record(drafts, HUB)
            assert len(made) < 100, "each thing is said once"
        return made

    def wait(self, **span: float) -> list[Fact]:
        """Turns the clock, which may go back a little, and lets the hub notice."""
        assert self.at is not None
        self.at += timedelta(**span)
        return self.pass_time()

    def around(self, actor: str) -> Around:
        return Around(actor, self.agencies.get, self.now, self.limits)

    @property
    def limits(self) -> Limits:
        return Limits(self.returns_limit)

    @property
    def now(self) -> str:
        """When the next event will happen."""
        return _written(self.at) if self.at else self.times(len(self.log) + 1)

    @staticmethod
    def times(number: int) -> str:
        return f"2025-03-14T02:{number // 60 % 60:02d}:{number % 60:02d}.000Z"

    def would(self, command: Any, actor: str = SOURCE) -> Problem | None:
        """The Problem that deciding raises now, None when it is accepted."""
        assert self.case is not None
        try:
            decide(command, self.case, self.around(actor))
        except Problem as refused:
            return refused
        return None

    def record(self, drafts: list[Draft], actor: str) -> list[Fact]:
        made, now = [], self.at and self.now
        for draft in drafts:
            number = len(self.log) + 1
            name, time = draft.id or uuid(next(self.numbers)), now or self.times(number)
            fact = Fact(name, draft.type, time, CASE_ID, number, actor, {}, draft.facts)
            before = self.case.state if self.case else None
            fact, after = self.moved(fact, draft)
            fact = replace(fact, recipients=told(before, after.state, fact))
            fact = Fact.from_bytes(fact.to_bytes())  # what is stored is what is read back
            self.case = after
            self.log.append((fact, draft.texts))
            made.append(fact)
        return made

    def moved(self, fact: Fact, draft: Draft) -> tuple[Fact, Case]:
        """As the service does it: the clocks that an event changes stand in the event."""
        after = evolve(self.case, fact, draft.texts)
        if self.rules is None:
            return fact, after
        clocks = follow(after.state, fact, self.rules, passes_on=draft.passes_on)
        fact = replace(fact, data=with_clocks(fact.data, clocks))
        return fact, Case(with_changed(after.state, clocks), after.texts)

    # --- shortcuts to a state ------------------------------------------------------------------------

    def verified(self) -> Casework:
        self.submit()
        self.act(Verify(CASE_ID, "accept"))
        return self

    def sent(self, agency: str, role: str = "lead", note: str | None = None) -> str:
        leg_id = uuid(next(self.numbers))
        self.act(Forward(CASE_ID, (Recipient(leg_id, agency, role),), note))
        return leg_id


def leg_command(action: str, leg: str) -> Any:
    return {
        "accept": Accept(CASE_ID, leg),
        "return": Return(CASE_ID, leg, "not_ours", "Ini ruas jalan nasional."),
        "progress": Progress(CASE_ID, leg, "Tim sudah ke lokasi."),
        "answer": Answer(CASE_ID, leg, "Lampu sudah diganti."),
        "withdraw": Withdraw(CASE_ID, leg, "Salah alamat."),
    }[action]


def in_status(status: str) -> Casework:
    """A case in `status`; where legs are needed, a single lead leg."""
    work = Casework()
    work.submit()
    if status in ("incomplete", "rejected"):
        verdict = next(name for name, result in STATUS_BY_DECISION.items() if result == status)
        work.act(Verify(CASE_ID, verdict, "Lokasi belum disebut."))
    elif status != "submitted":
        work.act(Verify(CASE_ID, "accept"))
    if status in ("forwarded", "in_progress", "answered", "closed"):
        leg = work.sent(HANDLERS[0])
        for action in {"forwarded": (), "in_progress": ("accept",)}.get(status, ("accept", "answer")):
            work.act(leg_command(action, leg), HANDLERS[0])
    if status == "closed":
        work.act(Close(CASE_ID, "resolved"))
    assert work.state.status == status
    return work
