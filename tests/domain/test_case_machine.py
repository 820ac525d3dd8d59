"""Random lives of one case among several agencies; what must hold after every single event."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.domain.audience import actions, frozen_at, relations, takes_part
from hub.domain.case import (
    Case,
    CaseState,
    Leg,
    status_from_legs,
)
from hub.domain.commands import (
    Accept,
    Answer,
    Close,
    Forward,
    Progress,
    ReadReporter,
    Recipient,
    Reopen,
    Reply,
    Return,
    Verify,
    Withdraw,
)  # fmt: skip
from hub.domain.events import CASE_EVENTS, READING
from hub.domain.evolution import evolve
from hub.domain.rendering import cloud_event, event_data
from hub.domain.transitions import CASE, CLOSURE_REASONS, HELD_LEG, LEG, OPEN_LEG, RETURN_REASONS
from hub.domain.working_time import instant
from hub.errors import Invalid, Problem
from hub.service.views import case_view, forwarding_view, frozen_view
from schemas.registry import Registry
from tests.domain.casework import CASE_ID, HANDLERS, REPORTER, SOURCE, SPARE, Casework, uuid
from tests.domain.treework import commands

EVERYONE = (SOURCE, *HANDLERS)
NOW = instant("2025-03-14T04:00:00Z")
WORDS = st.sampled_from(["Sudah ditindaklanjuti.", "Bukan ruas kami."])


@functools.cache
def schemas() -> Registry:
    return Registry.load()


class CaseLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.work = Casework(returns_limit=1000)  # who owns it after too many: test_ownership_machine.py
        self.states: list[CaseState] = []

    @initialize(
        anonymous=st.booleans(), confidential=st.booleans(), verified=st.sampled_from([True, True, False])
    )
    def born(self, anonymous: bool, confidential: bool, verified: bool) -> None:
        reporter = {"name": "Marlina Tundan", "phone": "081250000431", "anonymous": anonymous}
        self.work.submit(reporter=reporter, confidential=confidential)
        self.states.append(self.work.state)
        if verified:
            self.attempt(Verify(CASE_ID, "accept"), SOURCE)

    # --- commands: each is tried in whatever state the case is in ------------------------------------

    def attempt(self, command: Any, actor: str) -> None:
        before, count = self.work.case, len(self.work.log)
        try:
            facts = self.work.act(command, actor)
        except Problem as refused:
            assert refused.status in (409, 422)
            assert self.work.case is before
            assert len(self.work.log) == count
            return
        assert facts, "an accepted command leaves an event"
        state = self.states[-1]
        for fact in facts:
            self.recipients_are_right(state, fact)
            state = self.state_after(fact.sequence)
            self.states.append(state)

    def state_after(self, version: int) -> CaseState:
        case: Case | None = None
        for fact, texts in self.work.log[:version]:
            case = evolve(case, fact, texts)
        assert case is not None
        return case.state

    def recipients_are_right(self, before: CaseState, fact: Any) -> None:
        after = self.state_after(fact.sequence)
        expected = {after.owner, after.source}
        for state in () if fact.type == READING else (before, after):
            expected |= {leg.to for leg in state.legs if leg.status in HELD_LEG}
        assert set(fact.recipients) == expected
        assert fact.recipients[after.owner] == "owner"
        holders = expected - {after.owner, after.source, fact.actor}
        assert all(fact.recipients[name] == "handler" for name in holders)

    @rule(decision=st.sampled_from(["accept", "accept", "accept", "incomplete", "reject"]))
    def verify(self, decision: str) -> None:
        self.attempt(Verify(CASE_ID, decision, None if decision == "accept" else "Alamat kurang."), SOURCE)

    @rule(
        to=st.lists(
            st.tuples(st.sampled_from(EVERYONE), st.sampled_from(["lead", "support"])), min_size=1, max_size=3
        ),
        note=st.none() | WORDS,
    )
    def forward_to_anyone(self, to: list[tuple[str, str]], note: str | None) -> None:
        recipients = tuple(Recipient(uuid(next(self.work.numbers)), *each) for each in to)
        self.attempt(Forward(CASE_ID, recipients, note), SOURCE)

    @rule(
        agencies=st.lists(st.sampled_from(HANDLERS), min_size=1, max_size=2, unique=True),
        note=st.none() | WORDS,
    )
    def forward_sensibly(self, agencies: list[str], note: str | None) -> None:
        first = "support" if self.work.state.lead() else "lead"
        self.forward_to_anyone(list(zip(agencies, (first, "support"), strict=False)), note)

    @rule(
        pick=st.integers(0, 9),
        action=st.sampled_from(["accept", "return", "progress", "answer", "withdraw"]),
        reason=st.sampled_from(RETURN_REASONS),
        words=WORDS,
    )
    def move_any_leg(self, pick: int, action: str, reason: str, words: str) -> None:
        if self.work.state.legs:
            leg = self.work.state.legs[pick % len(self.work.state.legs)]
            self.move(leg, action, reason, words)

    @rule(pick=st.integers(0, 9), step=st.integers(0, 9), reason=st.sampled_from(RETURN_REASONS), words=WORDS)
    def move_an_open_leg(self, pick: int, step: int, reason: str, words: str) -> None:
        legs = self.work.state.open_legs()
        if legs:
            leg = legs[pick % len(legs)]
            possible = sorted(LEG[leg.status])
            self.move(leg, possible[step % len(possible)], reason, words)

    def move(self, leg: Leg, action: str, reason: str, words: str) -> None:
        command: Any = {
            "accept": Accept(CASE_ID, leg.id),
            "return": Return(CASE_ID, leg.id, reason, words),
            "progress": Progress(CASE_ID, leg.id, words),
            "answer": Answer(CASE_ID, leg.id, words),
            "withdraw": Withdraw(CASE_ID, leg.id, words),
        }[action]
        self.attempt(command, leg.sender if action == "withdraw" else leg.to)

    @rule(reason=st.sampled_from(CLOSURE_REASONS), words=st.none() | WORDS)
    def close(self, reason: str, words: str | None) -> None:
        self.attempt(Close(CASE_ID, reason, words), SOURCE)

    @rule(words=WORDS)
    def read_the_identity(self, words: str) -> None:
        before = self.work.state
        self.attempt(ReadReporter(CASE_ID, words), SOURCE)
        assert self.work.state == replace(before, version=before.version + 1)

    @rule(words=WORDS, again=st.booleans())
    def reopen_or_reply(self, words: str, again: bool) -> None:
        self.attempt(Reopen(CASE_ID, words) if again else Reply(CASE_ID, words), SOURCE)

    # --- what always holds ---------------------------------------------------------------------------

    @invariant()
    def one_owner_and_a_known_status(self) -> None:
        state = self.work.state
        assert state.owner == SOURCE
        assert (state.status in CASE, state.version) == (True, len(self.work.log))
        assert [n for n in EVERYONE if "owner" in relations(state, n)] == [SOURCE]

    @invariant()
    def status_is_what_the_legs_say(self) -> None:
        state = self.work.state
        if state.verified and state.status != "closed":
            assert state.status == status_from_legs(state.legs)
        if not state.verified:
            assert state.legs == ()

    @invariant()
    def never_closed_over_an_open_leg(self) -> None:
        if self.work.state.status == "closed":
            assert not self.work.state.open_legs()

    @invariant()
    def answered_exactly_when_the_lead_answered_and_no_leg_is_open(self) -> None:
        state = self.work.state
        lead_answered = any(leg.role == "lead" and leg.status == "answered" for leg in state.legs)
        nothing_open = not any(leg.status in OPEN_LEG for leg in state.legs)
        if state.status != "closed":
            assert (state.status == "answered") == (lead_answered and nothing_open)

    @invariant()
    def whoever_waits_for_the_answer_is_told(self) -> None:
        """The status becomes answered by a complaint.answered and never silently."""
        became = [
            number
            for number, (old, new) in enumerate(zip(self.states, self.states[1:], strict=False), 2)
            if new.status == "answered" != old.status
        ]
        told = [fact.sequence for fact, _ in self.work.log if fact.type == "complaint.answered"]
        assert len(told) == len(became)

    @invariant()
    def folding_from_scratch_gives_the_same_case(self) -> None:
        case: Case | None = None
        for fact, texts in self.work.log:
            case = evolve(case, fact, texts)
        assert case == self.work.case

    @invariant()
    def actions_are_what_decide_accepts(self) -> None:
        state = self.work.state
        for agency in EVERYONE:
            assert set(actions(state, agency, self.work.now, self.work.limits)) == self.accepted(agency), (
                agency
            )

    def accepted(self, agency: str) -> set[str]:
        offered = commands(self.work.state, agency, spare=SPARE)
        return {command.action for command in offered if self.possible(command, agency)} - {"reconsider"}

    def possible(self, command: Any, actor: str = SOURCE) -> bool:
        refused = self.work.would(command, actor)
        assert not isinstance(refused, Invalid), refused
        return refused is None

    @invariant()
    def who_left_is_former_and_frozen_where_it_left(self) -> None:
        for agency in HANDLERS:
            state = self.work.state
            mine = [leg for leg in state.legs if leg.to == agency]
            held = any(leg.status in HELD_LEG for leg in mine)
            ended = [leg for leg in mine if leg.status not in HELD_LEG]
            assert takes_part(state, agency) == held
            assert ("former" in relations(state, agency)) == bool(ended)
            last = max((leg.ended_sequence or 0 for leg in ended), default=None)
            assert frozen_at(state, agency) == last
            if last:
                fact, _ = self.work.log[last - 1]
                assert fact.type in ("forwarding.returned", "forwarding.withdrawn")
                assert fact.data["forwarding"]["to"] == agency
                assert agency in fact.recipients, "it is told that it has left"

    @invariant()
    def the_last_event_renders_as_its_schema_says(self) -> None:
        fact, texts = self.work.log[-1]
        assert fact.type in CASE_EVENTS
        for given in (texts, None):
            data = event_data(fact, given)
            assert schemas().validate(fact.type, data) == [], (fact.type, data)
            event = cloud_event(fact, given, source="https://simpul.example.go.id")
            assert schemas().validate("event", event) == []
            assert '"reporter"' not in orjson.dumps(event).decode()
            assert not [part for part in REPORTER if part in str(event)]

    @invariant()
    def every_agency_sees_a_case_that_fits_the_schema(self) -> None:
        case = self.work.case
        assert case is not None
        for agency in EVERYONE:
            for seen in (case, Case(case.state, None)):
                view = case_view(seen, agency, NOW, reporter_name="Marlina Tundan")
                assert schemas().validate("case", view) == [], view
                named = not (case.state.anonymous or case.state.confidential)
                assert ("name" in view["complaint"]["reporter"]) == named
            version = frozen_at(case.state, agency)
            if version is not None:
                then = Case(self.state_after(version), case.texts)
                frozen = frozen_view(then, agency, NOW, erased=False)
                assert schemas().validate("case", frozen) == []
                assert {leg["to"] for leg in frozen["forwardings"]} == {agency}
                assert frozen["actions"] == []
                assert "name" not in frozen["complaint"]["reporter"]
        for leg in case.state.legs:
            assert schemas().validate("forwarding", forwarding_view(leg, CASE_ID, case.texts)) == []


CaseLife.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate,),  # shrinking lives of 30 steps takes minutes
)
# Half a minute of processor time, on a machine that three other workers share.
TestCaseLife = pytest.mark.timeout(300)(CaseLife.TestCase)
