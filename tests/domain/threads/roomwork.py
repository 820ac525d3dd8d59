"""One thread driven through its decisions and folds alone: what the service does, without a database or a
seal. The agencies sit in three zones, one has its own days off; the cases are theirs in different ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from hub.domain.agency import HUB, Agency
from hub.domain.case import Case, Consultation, Leg
from hub.domain.events import Draft, Fact, thread_stream
from hub.domain.threads.around import Around
from hub.domain.threads.audience import readers, readers_of_commitment, readers_of_message, sees_message
from hub.domain.threads.commands import OpenThread, WakeThread
from hub.domain.threads.decisions import decide
from hub.domain.threads.evolution import MESSAGE_EVENTS, evolve_message, evolve_thread
from hub.domain.threads.rooms import open_thread
from hub.domain.threads.thread import Message, Thread, ThreadState
from hub.domain.threads.views import message_view, thread_event_data, thread_view
from hub.domain.working_time import Calendar, for_agency, instant, written
from tests.domain import decrees
from tests.domain.casework import Casework, uuid

THREAD_ID = uuid(0x7000)
KOTIM, BANJAR, PUPR, BALAI, PAPUA, SPARE, OUTSIDE, GONE = (
    "pemkab-kotim",
    "pemkab-banjar",
    "dinas-pupr-kalteng",
    "balai-sungai",
    "dinas-papua",
    "bpbd-kalteng",
    "pln-papua",
    "dinas-lama",
)
"""SPARE takes part in the cases and is never invited in the random lives; OUTSIDE takes part in none; GONE is
not active any more."""
ZONES = {BANJAR: "Asia/Makassar", BALAI: "Asia/Makassar", PAPUA: "Asia/Jayapura"}
DAYS_OFF = {BALAI: {"2025-03-17": "Hari jadi balai", "2025-03-26": "Pawai"}}
REGISTRY = {
    name: Agency(
        name,
        name,
        "unit",
        time_zone=ZONES.get(name, "Asia/Jakarta"),
        days_off=DAYS_OFF.get(name, {}),
        active=name != GONE,
    )
    for name in (KOTIM, BANJAR, PUPR, BALAI, PAPUA, SPARE, OUTSIDE, GONE)
}
OFFICERS = {uuid(0x9000 + place): name for place, name in enumerate(REGISTRY)}
"""Account -> agency."""
OFFICIAL = decrees.calendar()
CALENDARS = {
    name: for_agency(OFFICIAL, each.time_zone, each.days_off or None) for name, each in REGISTRY.items()
}
FLOOD, BRIDGE, ORPHAN = uuid(0xA1), uuid(0xA2), uuid(0xA3)
"""The last one's source is not active any more."""


def _case(case_id: str, source: str, owner: str, handlers: Sequence[str], asked: Sequence[str]) -> Case:
    work, at = Casework(), "2025-03-01T00:00:00.000Z"
    work.submit()
    assert work.case is not None
    legs = tuple(Leg(uuid(n), owner, to, "support", "accepted", at, at) for n, to in enumerate(handlers, 1))
    consulted = tuple(
        Consultation(uuid(n), owner, to, "open", at, at, None) for n, to in enumerate(asked, 50)
    )
    state = replace(
        work.state, id=case_id, source=source, owner=owner, legs=legs, consultations=consulted, version=9
    )
    return Case(state, work.case.texts)


CASES = {
    FLOOD: _case(FLOOD, KOTIM, KOTIM, (PUPR, BALAI, SPARE), (PAPUA,)),
    BRIDGE: _case(BRIDGE, BANJAR, BANJAR, (PUPR, BALAI), (KOTIM, SPARE)),
    ORPHAN: _case(ORPHAN, GONE, KOTIM, (BALAI, PAPUA), ()),
}


@dataclass
class Roomwork:
    """A thread with all its events. `at` stands still until somebody turns it."""

    at: datetime = field(default_factory=lambda: instant("2025-03-14T02:00:00Z"))
    thread: Thread | None = None
    messages: dict[str, Message] = field(default_factory=dict)
    log: list[tuple[Fact, dict[str, Any]]] = field(default_factory=list)
    left_with: dict[str, Thread] = field(default_factory=dict)
    """agency -> the thread right after it left last."""
    calendars: dict[str, Calendar] = field(default_factory=lambda: dict(CALENDARS))

    @property
    def state(self) -> ThreadState:
        assert self.thread is not None
        return self.thread.state

    @property
    def now(self) -> str:
        return written(self.at)

    def around(self, actor: str) -> Around:
        return Around(actor, REGISTRY.get, self.now, self.calendars.__getitem__, OFFICERS.get)

    def open(self, command: OpenThread, actor: str = KOTIM) -> list[Fact]:
        known = {name: CASES[name] for name in command.cases if name in CASES}
        return self.record(open_thread(command, known, self.around(actor)), actor)

    def drafts(self, command: Any, actor: str) -> list[Draft]:
        """What the command would make of the thread, or its Problem."""
        assert self.thread is not None
        message = self.messages.get(getattr(command, "message_id", ""))
        cases = {name: CASES[name] for name in self.state.cases}
        return decide(command, self.thread, message, cases, len(self.log) + 1, self.around(actor))

    def act(self, command: Any, actor: str) -> list[Fact]:
        """After what the passing of time has made of the thread."""
        return self.pass_time() + self.record(self.drafts(command, actor), actor)

    def pass_time(self) -> list[Fact]:
        return self.record(self.drafts(WakeThread(THREAD_ID), HUB), HUB)

    def wait(self, **span: float) -> list[Fact]:
        self.at += timedelta(**span)
        return self.pass_time()

    def record(self, drafts: list[Draft], actor: str) -> list[Fact]:
        made = []
        for draft in drafts:
            number, before = len(self.log) + 1, self.thread
            fact = Fact(
                uuid(number), draft.type, self.now, thread_stream(THREAD_ID), number, actor, {}, draft.facts
            )
            fact, texts = Fact.from_bytes(fact.to_bytes()), orjson.loads(orjson.dumps(draft.texts))
            self.thread = evolve_thread(before, fact, texts)
            if fact.type in MESSAGE_EVENTS:
                name = fact.data["message"]["id"]
                self.messages[name] = evolve_message(self.messages.get(name), fact, texts)
            if fact.type == "thread.participant_left":
                self.left_with[fact.data["participant"]["agency"]] = self.thread
            fact = replace(fact, recipients=self.recipients(before, fact))
            self.log.append((fact, texts))
            made.append(fact)
        return made

    def recipients(self, before: Thread | None, fact: Fact) -> dict[str, str]:
        if fact.type in MESSAGE_EVENTS:
            return readers_of_message(self.state, self.messages[fact.data["message"]["id"]].state)
        if "commitment" in fact.data:
            known = self.state.commitment(fact.data["commitment"]["id"])
            assert known is not None
            return readers_of_commitment(self.state, known)
        return readers(before.state if before else None, self.state)

    # --- what an agency is shown ----------------------------------------------------------------------

    def seen_messages(self, agency: str) -> list[dict[str, Any]]:
        return [
            message_view(each, self.state, agency)
            for each in self.messages.values()
            if sees_message(self.state, each.state, agency)
        ]

    def page(self, agency: str) -> bytes:
        """The thread and its messages, as every route that shows them would: an agency that left is shown the
        thread as it stood then."""
        shown = self.seen_messages(agency)
        thread = self.thread if self.state.has(agency) else self.left_with[agency]
        assert thread is not None
        unread = sum(each["author"]["agency"] != agency for each in shown)
        last = shown[-1]["posted_at"] if shown else None
        return orjson.dumps([thread_view(thread, agency, unread, last), shown])

    def event(self, fact: Fact, texts: dict[str, Any] | None) -> bytes:
        return orjson.dumps(thread_event_data(fact, texts))

    def folded(self, *, erased: bool = False) -> tuple[Thread | None, dict[str, Message]]:
        """The stored bytes folded from the start; `erased`: with the key destroyed."""
        thread, messages = None, {}
        for fact, texts in self.log:
            read = Fact.from_bytes(fact.to_bytes())
            words = None if erased else texts
            thread = evolve_thread(thread, read, words)
            if read.type in MESSAGE_EVENTS:
                name = read.data["message"]["id"]
                messages[name] = evolve_message(messages.get(name), read, words)
        return thread, messages
