"""Random lives of one case in a registry with a tree: consulted, forwarded, onward too, returned, escalated.
After every step there is one owner and no dead end.

`SIMPUL_TEST_LIVES` sets how many lives are lived (default 2,000)."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import orjson
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hub.domain.agency import HUB
from hub.domain.audience import actions, relations, takes_part
from hub.domain.case import Case, CaseState, Leg, status_from_legs
from hub.domain.commands import (
    Advise,
    Close,
    Consult,
    Forward,
    Recipient,
    Reconsider,
    Reopen,
    Return,
    Verify,
    Withdraw,
)
from hub.domain.escalation import above
from hub.domain.evolution import evolve
from hub.domain.transitions import BY_LEGS, CASE, CONSULTATION_VERDICTS, HELD_LEG
from hub.errors import Problem, StateConflict
from tests.domain.casework import CASE_ID, SOURCE, Casework, uuid
from tests.domain.treework import REGISTRY, leg_commands

NAMES = tuple(REGISTRY)
SPARE = "satker"
"""Nobody forwards to it or asks it, so that there is always one who could be."""
TARGETS = tuple(name for name in NAMES if name != SPARE)
BORN = Casework().verified()
LIVES = int(os.environ.get("SIMPUL_TEST_LIVES", "2000"))


class Ownership(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.work = Casework(BORN.case, list(BORN.log), REGISTRY)

    @initialize(limit=st.integers(1, 4))
    def born(self, limit: int) -> None:
        self.work.returns_limit = limit

    def attempt(self, command: Any, actor: str) -> None:
        before, count = self.work.case, len(self.work.log)
        assert before is not None
        try:
            facts = self.work.act(command, actor)
        except Problem as problem:
            assert (self.work.case, len(self.work.log)) == (before, count)
            if isinstance(problem, StateConflict):
                self.possible_is_possible(problem, command)
            return
        self.moved_as_the_table_says(before.state, command)
        self.everyone_who_may_see_is_told(facts)
        if command.action == "forward":
            self.forwarded_with_reason(before.state, command, actor)

    @rule(choices=st.binary(min_size=12, max_size=12))
    def live(self, choices: bytes) -> None:
        """Four commands; drawn together, since Hypothesis' own work at each draw is most of the time."""
        often = (self.forward, self.bounce, self.move_a_leg, self.move_a_leg, self.move_a_leg)
        ways = (*often, self.forward, self.consult, self.consult, self.insist, self.close_or_reopen)
        for which, high, low in zip(choices[::3], choices[1::3], choices[2::3], strict=True):
            ways[which % len(ways)](high * 256 + low)
            for holds in self.always:
                holds()

    @property
    def always(self) -> tuple[Callable[[], None], ...]:
        """What holds after every single command."""
        return (
            self.exactly_one_owner,
            self.it_goes_up_and_only_up,
            self.returns_are_bounded,
            self.nobody_holds_unasked_what_it_returned,
            self.nobody_holds_two_open_legs_or_its_own_case,
            self.status_is_what_the_legs_say,
            self.there_is_no_dead_end,
        )

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

    def insist(self, pick: int) -> None:
        """Who may not return its leg asks for a reconsideration, and asks again."""
        for leg in [leg for leg in self.work.state.open_legs() if leg.binding]:
            self.attempt(Reconsider(CASE_ID, leg.id, "Bukan wewenang kami."), leg.to)

    def consult(self, pick: int) -> None:
        state, verdict = self.work.state, CONSULTATION_VERDICTS[pick // 7 % 3]
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
        command = Close(CASE_ID, "resolved") if pick % 4 else Reopen(CASE_ID, "Belum selesai.")
        self.attempt(command, self.work.state.owner)

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

    def possible_is_possible(self, problem: StateConflict, command: Any) -> None:
        """What a 409 names can be done: by the owner, or by those whom the forwarding concerns."""
        named = problem.extra["possible"]
        leg = self.work.state.leg(getattr(command, "leg_id", ""))
        who = [leg.to, leg.sender, self.work.state.owner] if leg else list(NAMES)
        found = {name for agency in who for name in self.can(agency, leg)}
        assert set(named) <= found, (named, found, command)

    def can(self, agency: str, leg: Leg | None) -> set[str]:
        return {c.action for c in self.commands(agency, leg) if self.work.would(c, agency) is None}

    def commands(self, agency: str, only: Leg | None) -> list[Any]:
        state = self.work.state
        made: list[Any] = []
        for leg in (only,) if only else state.legs:
            if agency == leg.to:
                made += [c for c in leg_commands(leg) if c.action != "withdraw"]
            if agency in (leg.sender, state.owner):
                made.append(Withdraw(CASE_ID, leg.id, "Salah alamat."))
        if only is not None:
            return made
        role = "lead" if agency == state.owner and not state.lead() else "support"
        made.append(Forward(CASE_ID, (Recipient(uuid(1), SPARE, role),)))
        if agency == state.owner:
            made += [
                Consult(CASE_ID, uuid(2), SPARE, "?"),
                Close(CASE_ID, "resolved"),
                Verify(CASE_ID, "accept"),
            ]
        if agency in (state.owner, state.source):
            made.append(Reopen(CASE_ID, "Belum selesai."))
        return made

    # --- what always holds ----------------------------------------------------------------------------

    def exactly_one_owner(self) -> None:
        state = self.work.state
        assert [name for name in NAMES if "owner" in relations(state, name)] == [state.owner]
        assert state.owner not in state.former_owners
        assert state.owner == SOURCE or (takes_part(state, SOURCE) and SOURCE in state.former_owners)

    def it_goes_up_and_only_up(self) -> None:
        state = self.work.state
        owners = [*state.former_owners, state.owner]
        for lower, upper in pairwise(owners):
            assert upper == HUB or upper in above(lower, REGISTRY.get)

    def returns_are_bounded(self) -> None:
        """A lead leg comes back `limit` times at the most; then the case is another's, whose legs stay."""
        state, limit = self.work.state, self.work.returns_limit
        back = [leg for leg in state.legs if leg.role == "lead" and leg.status == "returned"]
        assert len(back) <= limit
        assert (len(back) == limit) == (state.escalated == "returns")
        assert not [leg for leg in state.legs if leg.binding and leg.status == "returned"]
        asked = [fact.data["forwarding"]["id"] for fact, _ in self.work.log
                 if fact.type == "forwarding.reconsideration_requested"]  # fmt: skip
        assert len(asked) == len(set(asked)), "once"

    def nobody_holds_unasked_what_it_returned(self) -> None:
        noted = {fact.data["forwarding"]["id"]: fact.data["noted"] for fact, _ in self.work.log
                 if fact.type == "forwarding.sent"}  # fmt: skip
        returned: set[str] = set()
        for fact, _ in self.work.log:
            leg = fact.data.get("forwarding", {})
            if fact.type == "forwarding.returned":
                returned.add(leg["to"])
            elif fact.type == "forwarding.sent" and leg["to"] in returned:
                assert noted[leg["id"]], "a leg to who returned the case carries a note"

    def nobody_holds_two_open_legs_or_its_own_case(self) -> None:
        holders = [leg.to for leg in self.work.state.open_legs()]
        assert len(holders) == len(set(holders))
        assert sum(leg.role == "lead" and leg.status in HELD_LEG for leg in self.work.state.legs) <= 1

    def status_is_what_the_legs_say(self) -> None:
        state = self.work.state
        if state.status != "closed":
            assert state.status == status_from_legs(state.legs)
        assert state.status != "closed" or not state.open_legs()

    def there_is_no_dead_end(self) -> None:
        """Somebody can always go on; and what `actions` names can be done."""
        state = self.work.state
        assert any(actions(state, name) for name in {state.owner, *[leg.to for leg in state.open_legs()]})

    def teardown(self) -> None:
        """At the end of a life: the fold from nothing is the same case, and `actions` are the truth."""
        case: Case | None = None
        for fact, texts in self.work.log:
            case = evolve(case, fact, texts)
        assert case == self.work.case
        if case is not None:
            for name in {case.state.owner, *[leg.to for leg in case.state.legs], *case.state.former_owners}:
                able = self.can(name, None) - {"reconsider", "advise"}
                assert set(actions(case.state, name)) == able, name
            assert case.state == CaseState.from_document(as_document(case.state))


def as_document(state: CaseState) -> Any:
    return orjson.loads(orjson.dumps(state))


Ownership.TestCase.settings = settings(
    max_examples=LIVES,
    stateful_step_count=5,
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
TestOwnership = Ownership.TestCase
