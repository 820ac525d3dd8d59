"""Random lives of one thread over one to three cases: agencies in three zones come, leave and come again;
messages of all scopes are posted, changed and taken back; commitments are made, moved, kept and missed while
Lebaran passes; it is concluded and reopened; and much is tried that must be refused. After every step each
agency reads exactly what `roomrights.py` says that it may, in every view, event and file (`roomwatch.py`).

`SIMPUL_TEST_LIVES` sets how many lives are lived (default 300).

Rules that were broken on purpose, one at a time, and failed here. Sight: an internal message shown to
others, moving the thread's version, its file given out; from_now that shows all, all that shows nothing; who
left seeing on; edits made while one was away shown (as the newest words or among the earlier ones, at once or
after leaving again); stays forgotten on coming again or in the stored document; a withdrawn text or file
shown, or hidden from its author; versions lost. Readers: those who left, or who know nothing of the message
or commitment; not those who leave; no carriers, or those of all cases. Commitments: listed to who does not
know them; missed again and again, or at the very moment; a new date that leaves it missed; the calendar of
who recorded it; due today after hours; a past day; today as in UTC; kept twice; reasons lost; another
number than its event's. Refusals: a conclusion despite open or missed commitments; posting to a concluded
thread; editing what is another's or withdrawn; a 403 that tells of an internal message or of an unknown
commitment; mentions of who is away or would not see it; a source that is gone; anybody invited or shown out
by anybody; the last one leaving, or told that it could. Log: a text in the clear header; a conclusion kept
after the reopening; texts kept without their key."""

from __future__ import annotations

import itertools
import os
from datetime import timedelta
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import initialize, rule

from hub.domain.agency import HUB
from hub.domain.threads.commands import (
    ChangeCommitment,
    Conclude,
    FulfilCommitment,
    MakeCommitment,
    OpenThread,
    PostMessage,
    ReopenThread,
)
from hub.domain.working_time import instant
from hub.errors import Forbidden, Invalid, NotFound, Problem, StateConflict
from tests.domain.threads.roomlife import NOWHERE, OPENINGS, PLAYERS, SPANS, STARTS, Life
from tests.domain.threads.roomrights import Promise, Rights, due, today
from tests.domain.threads.roomwatch import Watch, the_log_is_the_truth
from tests.domain.threads.roomwork import (
    CASES,
    THREAD_ID,
    Roomwork,
)

LIVES = int(os.environ.get("SIMPUL_TEST_LIVES", "300"))


class Threads(Life):
    @initialize(which=st.integers(0, len(OPENINGS) - 1), start=st.sampled_from(STARTS))
    def opened(self, which: int, start: str) -> None:
        opener, self.cases, others = OPENINGS[which]
        self.numbers, self.words = itertools.count(0x1000), itertools.count(1)
        self.work, self.watch, subject = Roomwork(instant(start)), Watch(), self.word()
        facts = self.work.open(OpenThread(THREAD_ID, subject, self.cases, others), opener)
        self.rights, self.open = Rights(opener, subject, {opener, *others}), True
        self.seen(facts)

    @rule(seed=st.integers(0, 2**64 - 1))
    def live(self, seed: int) -> None:
        """Sixteen steps; drawn together, since Hypothesis' own work at each draw is most of the time, and
        spread evenly: what it draws itself is mostly the first way again and again."""
        chance = Random(seed + len(self.work.log))
        often = (self.post, self.edit, self.edit, self.come_and_go, self.come_and_go, self.promise)
        owing = (self.promise, self.move_promise, self.keep_promise, self.time_passes)
        ways = (*often, *often, *owing, *owing, self.edit, self.withdraw, self.withdraw, self.end, self.stray,
                self.absence)  # fmt: skip
        for _ in range(16):
            self.work.at += timedelta(seconds=chance.randrange(256))
            self.pass_time()
            way = self.end if not self.open and not chance.randrange(4) else chance.choice(ways)
            way(chance.choice(sorted(self.rights.here)), chance.getrandbits(16))

    # --- commitments ----------------------------------------------------------------------------------

    def promise(self, actor: str, pick: int) -> None:
        agency, day = (actor, *PLAYERS)[pick % 6], self.day(pick // 6)
        refused: type[Problem] | None = None
        if agency not in self.rights.here or day < today(agency, self.work.at).isoformat():
            refused = Invalid
        elif not self.open:
            refused = StateConflict
        name, words = self.uuid(), [self.word() for _ in range(1 + pick // 48 % 2)]
        command = MakeCommitment(THREAD_ID, name, agency, words[0], day, (*words, None)[1])
        if facts := self.attempt(command, actor, refused):
            at = due(agency, day, self.work.at)
            self.rights.promised(name, Promise(agency, actor, at, words))
            self.seen(facts)
            self.is_due(name, day)

    def day(self, pick: int) -> str:
        """Mostly today or soon, as some agency's calendar has it; sometimes past."""
        ahead = (0, 0, 1, 2, 3, 5, 9, -1)[pick % 8]
        return (today(PLAYERS[pick // 8 % 5], self.work.at) + timedelta(days=ahead)).isoformat()

    def is_due(self, name: str, day: str) -> None:
        known, promise = self.work.state.commitment(name), self.rights.promises[name]
        assert known is not None
        assert (known.due_on, instant(known.due_at)) == (day, promise.due_at)
        assert today(promise.agency, promise.due_at).isoformat() >= day and known.due_at > self.work.now
        assert known.status == promise.status == "open"

    def one_of(self, actor: str, pick: int) -> tuple[str, type[Problem] | None]:
        """Mostly a commitment that the actor may change; and the problem if it may not."""
        mine = [n for n, p in self.rights.promises.items() if actor in (p.agency, p.made_by)]
        names = mine if mine and pick % 4 else list(self.rights.promises)
        name = names[pick // 4 % len(names)] if names and pick % 31 else NOWHERE
        promise = self.rights.promises.get(name)
        if promise is None or not self.rights.knows(actor, name):
            return name, NotFound
        return name, None if actor in (promise.agency, promise.made_by) else Forbidden

    def move_promise(self, actor: str, pick: int) -> None:
        (name, refused), day, word = self.one_of(actor, pick), self.day(pick // 124), self.word()
        promise = self.rights.promises.get(name)
        if promise is not None and refused is None:
            if day < today(promise.agency, self.work.at).isoformat():
                refused = Invalid
            elif promise.status == "fulfilled":
                refused = StateConflict
        if facts := self.attempt(ChangeCommitment(THREAD_ID, name, day, word), actor, refused):
            assert promise is not None
            promise.due_at, promise.status = due(promise.agency, day, self.work.at), "open"
            promise.words.append(word)
            self.seen(facts)
            self.is_due(name, day)

    def keep_promise(self, actor: str, pick: int) -> None:
        (name, refused), word = self.one_of(actor, pick), self.word()
        promise = self.rights.promises.get(name)
        if promise is not None and refused is None and promise.status == "fulfilled":
            refused = StateConflict
        if facts := self.attempt(FulfilCommitment(THREAD_ID, name, word), actor, refused):
            assert promise is not None
            promise.status = "fulfilled"
            promise.words.append(word)
            self.seen(facts)

    # --- time, the end, and what has no place ---------------------------------------------------------

    def time_passes(self, actor: str, pick: int) -> None:
        """Some time, or until a commitment's very moment, which is still in time."""
        ends = sorted(each.due_at for each in self.rights.promises.values() if each.status == "open")
        self.work.at = ends[0] if ends and pick % 3 else self.work.at + timedelta(**SPANS[pick // 3 % 6])
        self.pass_time()
        self.work.at += timedelta(milliseconds=1)
        self.pass_time()

    def pass_time(self) -> None:
        late = self.rights.late(self.work.at)
        wake = self.work.state.next_wake()
        open_ends = [each.due_at for each in self.rights.promises.values() if each.status == "open"]
        assert (instant(wake) if wake else None) == min(open_ends, default=None)
        facts = self.work.pass_time()
        assert [(each.type, each.data["commitment"]["id"]) for each in facts] == [
            ("thread.commitment_missed", name) for name in late
        ]
        for name in late:
            promise = self.rights.promises[name]
            assert promise.due_at not in promise.misses, "once for each due date"
            promise.misses.append(promise.due_at)
            promise.status = "missed"
        assert all(fact.actor == HUB for fact in facts) and not self.work.pass_time()
        if facts:
            self.seen(facts)

    def end(self, actor: str, pick: int) -> None:
        """Concluded when it is open, reopened when it is not; sometimes the other way round, in vain."""
        if self.open == bool(pick % 8):
            still = [each for each in self.rights.promises.values() if each.status != "fulfilled"]
            word, despite = self.word(), bool(pick & 16)
            refused = None if self.open and (despite or not still) else StateConflict
            if facts := self.attempt(Conclude(THREAD_ID, word, despite), actor, refused):
                assert facts[0].data["open_commitments"] == len(still)
                self.open, self.rights.conclusion = False, word
                self.seen(facts)
        elif facts := self.attempt(ReopenThread(THREAD_ID), actor, StateConflict if self.open else None):
            self.open, self.rights.conclusion = True, None
            self.seen(facts)

    def stray(self, actor: str, pick: int) -> None:
        """Cases for a scope that has none, or of another thread."""
        scope, case = ("agencies", "internal", "reporter")[pick % 3], (*CASES, NOWHERE)[pick // 3 % 4]
        if scope != "reporter" or case not in self.cases:
            command = PostMessage(THREAD_ID, self.uuid(), self.word(), scope, cases=(case,))
            self.attempt(command, actor, Invalid)

    def teardown(self) -> None:
        if hasattr(self, "work"):
            the_log_is_the_truth(self.work)


Threads.TestCase.settings = settings(
    max_examples=LIVES,
    stateful_step_count=3,
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
# Half a minute of processor time, on a machine that three other workers share.
TestThreads = pytest.mark.timeout(300)(Threads.TestCase)
