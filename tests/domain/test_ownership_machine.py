"""Random lives of one case in a registry with a tree: asked back, consulted, forwarded, onward too, returned,
escalated, reopened, while weeks and Lebaran pass and policies and calendars change. After every step there is
one owner, no dead end (`ownerwatch.py`), and exactly the clocks that there should be (`clockwatch.py`).

`SIMPUL_TEST_LIVES` sets how many lives are lived (default 2,000).

Rules that were broken on purpose, one at a time, and failed here: a clock that a return does not stop;
the pause charged; the deadline not moved by it; missed or warned twice; missed without a word; the very
moment late; closure from the first answer on; running on without a reply; a reply that does not count;
the next agency charged for the last one's time; the owner's calendar for everybody; a running clock
moved to a new calendar; closing that stops nothing; an escalation that leaves the old owner the clock; a
reopened leg without a new one; history that raises; a case closed as of when it was noticed; a support's
miss that goes up; the hub's that goes to itself; clocks or deadlines that the log does not hold;
`actions` without the limits of reopening or the law's 60 days. Going up twice for two misses, warning
early and a limit told that is only shown fail in `test_lapses.py` and `test_clocks.py`."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hub.domain.agency import HUB
from hub.domain.audience import actions, takes_part
from hub.domain.case import CaseState, Leg
from hub.domain.commands import (
    Accept,
    Advise,
    Answer,
    Close,
    Consult,
    Escalate,
    Forward,
    PassOn,
    Recipient,
    Reconsider,
    Reopen,
    Reply,
    Return,
    Verify,
)
from hub.domain.decide import decide
from hub.domain.lapses import is_due
from hub.domain.passing_on import waits_for
from hub.domain.transitions import BY_LEGS, BY_TIME, CASE, VERDICTS
from hub.domain.working_time import instant
from hub.errors import Problem, StateConflict
from tests.domain.casework import CASE_ID, SOURCE, Casework, uuid
from tests.domain.clockwatch import Watch
from tests.domain.ownerwatch import ALWAYS
from tests.domain.treework import REGISTRY, SPARE, commands, leg_commands, rulebooks

NAMES = tuple(REGISTRY)
ENDING = (SOURCE, "prov-kalteng", "kemendagri", "dinas-kotim", "dinas-prov", "kemenpu", "balai")
"""Whoever is deactivated in these lives."""
TARGETS = tuple(name for name in NAMES if name != SPARE)
RULES = rulebooks()
LIVES = int(os.environ.get("SIMPUL_TEST_LIVES", "2000"))
STARTS = ("2025-03-14T02:26:53Z", "2025-03-21T14:59:00Z", "2025-03-26T03:00:00Z", "2025-03-30T20:00:00Z")
"""A Friday; a Friday at 23:59 in Papua; two days before Lebaran's leave; on its eve."""
SPANS = (
    {"minutes": 40}, {"hours": 5}, {"hours": 11}, {"days": 1}, {"days": 2}, {"days": 4}, {"weeks": 1},
    {"days": 16}, {"days": 63}, {"milliseconds": -300},
)  # fmt: skip
"""Another process's wall clock may be a little behind."""


def born(start: str, how: int) -> Casework:
    """Submitted, verified or answered before the hub knew it, or submitted or verified here."""
    work = Casework(agencies=REGISTRY, rules=RULES[0], at=instant(start))
    if how < 3:
        work.take_over(*("verified", "answered")[:how])
        return work
    work.submit()
    if how > 3:
        work.act(Verify(CASE_ID, "accept"))
    return work


BORN = [born(start, how) for start in STARTS for how in (0, 1, 2, 3, 3, 4, 4, 4, 4, 4)]


class Ownership(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.work, self.watch = Casework(), Watch()

    @initialize(limit=st.integers(1, 4), which=st.integers(0, len(BORN) - 1))
    def born(self, limit: int, which: int) -> None:
        known = BORN[which]
        self.work = Casework(known.case, list(known.log), REGISTRY, limit, rules=RULES[0], at=known.at)
        self.watch.look(self.work)

    def attempt(self, command: Any, actor: str) -> None:
        """It may come after a deadline that nobody has noticed yet."""
        count, case, passed = len(self.work.log), self.work.case, []
        before = self.work.state
        if is_due(before, self.work.now):
            ahead = replace(self.work, log=list(self.work.log))
            passed, before = ahead.pass_time(), ahead.state
        try:
            facts = self.work.act(command, actor)
        except Problem as problem:
            assert (self.work.case, len(self.work.log)) == (case, count)
            self.time_does_what_the_table_says()
            if isinstance(problem, StateConflict):
                self.possible_is_possible(problem, command, actor)
            return
        assert [fact.type for fact in facts[: len(passed)]] == [fact.type for fact in passed]
        self.moved_as_the_table_says(before, command)
        self.everyone_who_may_see_is_told(facts)
        if command.action == "forward":
            self.forwarded_with_reason(before, command, actor)

    @rule(choices=st.binary(min_size=24, max_size=24))
    def live(self, choices: bytes) -> None:
        """Eight steps; drawn together, since Hypothesis' own work at each draw is most of the time."""
        often = (self.forward, self.carry_on, self.carry_on, self.move_a_leg, self.time_passes)
        seldom = (self.bounce, self.consult, self.insist, self.close_or_reopen, self.escalate)
        ways = (*often, *often, *seldom, *(self.consult, self.time_passes, self.rules_change),
                *(self.deactivate, self.verify_or_reply, self.verify_or_reply))  # fmt: skip
        for which, high, low in zip(choices[::3], choices[1::3], choices[2::3], strict=True):
            assert self.work.at is not None
            self.work.at += timedelta(seconds=high)
            ways[which % len(ways)](high * 256 + low)
            self.deactivated_agencies_keep_nothing()
            self.time_does_what_the_table_says()
            self.watch.look(self.work)
            for holds in ALWAYS:
                holds(self.work)

    # --- time, and the rules by which it counts -------------------------------------------------------

    def time_passes(self, pick: int) -> None:
        """Some time, or until a deadline's very moment or just after it. Every third time the hub is down
        meanwhile, and it is a command that finds what has passed."""
        work, span = self.work, SPANS[pick % len(SPANS)]
        ends = sorted(
            clock.due_at for clock in work.state.clocks if clock.is_open and clock.due_at > work.now
        )
        assert work.at is not None
        work.at = instant(ends[0]) if ends and not pick // 10 % 4 else work.at + timedelta(**span)
        if pick // 40 % 3 == 0:
            self.move_a_leg(pick // 120)
        self.time_does_what_the_table_says()
        if pick // 40 % 3 == 1:
            work.wait(milliseconds=1)

    def rules_change(self, pick: int) -> None:
        """Other policies first, then another official calendar."""
        self.work.rules = RULES[min(RULES.index(self.work.rules) + 1, len(RULES) - 1)]  # type: ignore[arg-type]

    def deactivate(self, pick: int) -> None:
        """One agency, or none: who was active no more is so again."""
        agencies = dict(REGISTRY)
        if pick % 4:
            name = (self.work.state.owner, *ENDING)[pick // 4 % (1 + len(ENDING))]
            if name != HUB:
                agencies[name] = replace(REGISTRY[name], active=False)
        self.work.agencies = agencies

    def deactivated_agencies_keep_nothing(self) -> None:
        """What the hub's sweep makes of it; whom a missed deadline passed the case to is active anyway."""
        work = self.work
        self.time_does_what_the_table_says()
        for name in [each.id for each in work.agencies.values() if not each.active]:
            before, steps = work.state, 0
            while drafts := decide(PassOn(CASE_ID, name), work.case, work.around(HUB)):  # type: ignore[arg-type]
                work.record(drafts, HUB)
                steps += 1
                assert steps < 10, "it ends"
            assert not waits_for(work.state, name)
            assert steps == 0 or waits_for(before, name)
            assert work.state.returned_leads <= before.returned_leads, "to be gone is not to return"

    def time_does_what_the_table_says(self) -> None:
        before = self.work.state
        facts, after = self.work.pass_time(), self.work.state
        if after.status != before.status:
            assert after.status in {end for ends in BY_TIME[before.status].values() for end in ends}
        for fact in facts:
            assert (fact.actor, before.status in ("closed", "rejected")) == (HUB, False)
        assert sum(fact.type == "complaint.escalated" for fact in facts) <= 1

    # --- commands: each by whoever may be there to give it --------------------------------------------

    def forward(self, pick: int) -> None:
        state = self.work.state
        actor = (state.owner, *[leg.to for leg in state.open_legs()], *state.former_owners)
        to, role = TARGETS[pick % len(TARGETS)], "support" if state.lead() else "lead"
        who = actor[pick // 10 % len(actor)]
        if who != state.owner:
            role = "support" if pick % 5 else "lead"  # which is not for it to name
        recipient = Recipient(uuid(next(self.work.numbers)), to, role)
        self.attempt(Forward(CASE_ID, (recipient,), "Mohon ditangani." if pick % 3 else None), who)

    def bounce(self, pick: int) -> None:
        """The owner names a lead, who returns it at once."""
        state = self.work.state
        if state.lead() is None:
            leg = uuid(next(self.work.numbers))
            to = Recipient(leg, TARGETS[pick % len(TARGETS)], "lead")
            self.attempt(Forward(CASE_ID, (to,), "Coba lagi." if pick % 3 else None), state.owner)
            if self.work.state.leg(leg) is not None:
                self.attempt(Return(CASE_ID, leg, "not_ours"), to.agency)

    def move_a_leg(self, pick: int) -> None:
        legs = self.work.state.legs
        if legs:
            leg = legs[pick % len(legs)]
            command = leg_commands(leg)[pick // 100 % 6]
            self.attempt(command, leg.sender if command.action == "withdraw" else leg.to)

    def carry_on(self, pick: int) -> None:
        """An open leg goes its way, most often to its answer."""
        legs = self.work.state.open_legs()
        if legs:
            leg = legs[pick % len(legs)]
            then = Answer(CASE_ID, leg.id, "Sudah diperbaiki.")
            self.attempt(Accept(CASE_ID, leg.id) if leg.status == "sent" else then, leg.to)

    def insist(self, pick: int) -> None:
        """Who may not return its leg asks for a reconsideration, and asks again."""
        for leg in [leg for leg in self.work.state.open_legs() if leg.binding]:
            self.attempt(Reconsider(CASE_ID, leg.id, "Bukan wewenang kami."), leg.to)

    def consult(self, pick: int) -> None:
        state, verdict = self.work.state, VERDICTS[pick // 7 % 3]
        asked = [each for each in state.consultations if each.status == "open"]
        if asked and pick % 2:
            self.attempt(Advise(CASE_ID, asked[0].id, verdict), asked[0].agency)
        elif state.consultations and not pick % 5:
            self.attempt(Advise(CASE_ID, state.consultations[0].id, verdict), state.consultations[0].agency)
        else:
            consultation = uuid(next(self.work.numbers))
            agency = TARGETS[pick % len(TARGETS)]
            self.attempt(Consult(CASE_ID, consultation, agency, "Wewenang Anda?"), state.owner)

    def close_or_reopen(self, pick: int) -> None:
        """Mostly what can be done."""
        ended = self.work.state.status in ("answered", "closed")
        command = Reopen(CASE_ID, "Belum selesai.") if ended == bool(pick % 4) else Close(CASE_ID, "resolved")
        self.attempt(command, self.work.state.owner)

    def verify_or_reply(self, pick: int) -> None:
        state = self.work.state
        if state.status in ("submitted", "incomplete") and pick % 3:
            decision = ("accept", "accept", "incomplete", "incomplete", "incomplete", "reject")[pick // 3 % 6]
            self.attempt(Verify(CASE_ID, decision, "Alamat kurang."), state.owner)
        else:
            self.attempt(Reply(CASE_ID, "Masih gelap."), state.source)

    def escalate(self, pick: int) -> None:
        self.attempt(Escalate(CASE_ID, "Sudah dua bulan."), (self.work.state.owner, SOURCE)[pick % 2])

    # --- what holds after each command ----------------------------------------------------------------

    def moved_as_the_table_says(self, before: CaseState, command: Any) -> None:
        status = self.work.state.status
        if command.action in CASE[before.status]:
            assert status in CASE[before.status][command.action]
        elif command.action in BY_LEGS.get(before.status, {}):
            assert status in BY_LEGS[before.status][command.action], (before.status, command.action)
        else:
            assert (command.action, status) in (("advise", before.status), ("reconsider", before.status))
        if command.action == "return":
            assert status != "closed", "not ours never closes a case"

    def everyone_who_may_see_is_told(self, facts: list[Any]) -> None:
        state = self.work.state
        may_see = {name for name in NAMES if takes_part(state, name)}
        assert may_see <= set(facts[-1].recipients)

    def forwarded_with_reason(self, before: CaseState, command: Forward, actor: str) -> None:
        (to,) = command.to
        assert actor == before.owner or to.role == "support", "the owner alone names who leads"
        back = any(leg.to == to.agency and leg.status == "returned" for leg in before.legs)
        said = [
            fact.data["consultation"] for fact, _ in self.work.log if fact.type == "consultation.answered"
        ]
        verdicts = [each["verdict"] for each in said if each["agency"] == to.agency]
        if back or verdicts[-1:] == ["not_ours"]:
            assert command.note, "who returned it is told why it comes again"

    def possible_is_possible(self, problem: StateConflict, command: Any, actor: str) -> None:
        """What a 409 names can be done by whom it is told."""
        named, leg = problem.extra["possible"], self.work.state.leg(getattr(command, "leg_id", ""))
        assert set(named) <= self.can(actor, leg), (named, command)

    def can(self, agency: str, leg: Leg | None) -> set[str]:
        offered = commands(self.work.state, agency, leg)
        return {command.action for command in offered if self.work.would(command, agency) is None}

    def teardown(self) -> None:
        """At the end of a life: `actions` are the truth."""
        if self.work.case is None:
            return
        state = self.work.state
        for name in {state.owner, SOURCE, *[leg.to for leg in state.legs], *state.former_owners}:
            able = self.can(name, None) - {"reconsider", "advise"}
            assert set(actions(state, name, self.work.now, self.work.limits)) == able, name
        assert state == CaseState.from_document(as_document(state))


def as_document(state: CaseState) -> Any:
    return orjson.loads(orjson.dumps(state))


Ownership.TestCase.settings = settings(
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
TestOwnership = pytest.mark.timeout(300)(Ownership.TestCase)
