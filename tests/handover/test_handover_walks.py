"""Random handovers among everything else that happens: whatever their order, nobody reads what it may not,
what anybody may read can be read, and the tables equal the log."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from auth.policy import Reading, reading_of
from hub.domain.audience import relations
from hub.domain.commands import (
    Accept,
    Advise,
    Answer,
    Close,
    Consult,
    Forward,
    Progress,
    Recipient,
    Reopen,
    Return,
    Verify,
)
from hub.domain.threads.commands import (
    AddParticipant,
    MakeCommitment,
    OpenThread,
    PostMessage,
    RemoveParticipant,
)
from hub.domain.timekeeping import ENDED, waits
from hub.errors import NotFound
from tests.handover.handwork import prepared, request
from tests.service.hubworld import KOTIM, MEDAN, PLN, PUPR, STRANGER, HubWorld, principal

AGENCIES = (KOTIM, MEDAN, PUPR, PLN)
KINDS = ("hand", "hand", "forward", "accept", "progress", "answer", "return", "consult", "advise", "open",
         "invite", "leave", "post", "owe", "reopen", "close", "turn")  # fmt: skip
STEP = st.tuples(st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 3))
SLOW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def engine() -> str:
    return "sqlite"


class Walk:
    """Two cases and whatever the steps make of them; many commands are refused."""

    def __init__(self, world: HubWorld, number: int) -> None:
        self.world = world
        self.cases = [
            world.submitted(f"W-{number}-{place}", agency) for place, agency in enumerate((KOTIM, MEDAN))
        ]
        for case_id, owner in zip(self.cases, (KOTIM, MEDAN), strict=True):
            world.do(world.request(Verify(case_id, "accept"), owner))
        self.threads: list[str] = []

    def step(self, kind: str, one: int, other: int) -> None:
        case_id, agency, to = self.cases[one % 2], AGENCIES[one], AGENCIES[other]
        if kind == "hand":
            self.world.run(request(prepared(self.world, agency, to)))
        elif kind == "turn":
            self.world.clock.turn(days=one + other)
        else:
            for command, actor in self.commands(kind, case_id, agency, to):
                self.world.run(self.world.request(command, actor))

    def commands(self, kind: str, case_id: str, agency: str, to: str) -> list[tuple[Any, str]]:
        """By whoever may, where that is easily said; else by `agency`."""
        state, new = self.state(case_id), self.world.legs.new()
        legs = [(leg.id, leg.to) for leg in state.open_legs()]
        asked = [each for each in state.consultations if each.status == "open"]
        thread = self.threads[-1] if self.threads else None
        due_on = self.world.clock.moment.date().isoformat()
        made: dict[str, list[tuple[Any, str]]] = {
            "forward": [(Forward(case_id, (Recipient(new, to, "lead"),), "Mohon."), state.owner)],
            "accept": [(Accept(case_id, leg), holder) for leg, holder in legs],
            "progress": [(Progress(case_id, leg, "Kami periksa."), holder) for leg, holder in legs],
            "answer": [(Answer(case_id, leg, "Sudah."), holder) for leg, holder in legs],
            "return": [(Return(case_id, leg, "not_ours"), holder) for leg, holder in legs],
            "consult": [(Consult(case_id, new, to, "Milik siapa?"), state.owner)],
            "advise": [(Advise(case_id, each.id, "ours"), each.agency) for each in asked],
            "open": [(OpenThread(new, "Ruang", tuple(self.cases[:1]), (to,)), agency)],
            "reopen": [(Reopen(case_id, "Belum."), state.owner)],
            "close": [(Close(case_id, "resolved", None), state.owner)],
        }
        if kind == "open":
            self.threads.append(new)
        if thread is None or kind in made:
            return made.get(kind, [])
        cases = tuple(self.cases[:1])
        return {
            "invite": [(AddParticipant(thread, cases, to, "from_now"), agency)],
            "leave": [(RemoveParticipant(thread, cases, agency), agency)],
            "post": [(PostMessage(thread, new, "Kabar.", "agencies"), agency)],
            "owe": [(MakeCommitment(thread, new, to, "Pompa.", due_on), agency)],
        }[kind]

    def state(self, case_id: str) -> Any:
        return self.world.read(lambda session: session.case(case_id)).state


def held_soundly(walk: Walk) -> None:
    """Whatever was handed to whom: nobody is its own sender or holds two, and an open case has a clock."""
    for state in map(walk.state, walk.cases):
        holders = [leg.to for leg in state.open_legs()]
        assert len(holders) == len(set(holders))
        assert not [leg for leg in state.open_legs() if leg.sender == leg.to]
        ticking = {(each.stage, each.subject, each.agency) for each in state.clocks if each.is_open}
        assert ticking == set(waits(state))
        assert ticking or state.status in ENDED


async def look(walk: Walk) -> None:
    """Every agency reads each case, by every route that folds it."""
    async with walk.world.serving() as hub:
        for case_id in walk.cases:
            state = walk.state(case_id)
            for agency in (*AGENCIES, STRANGER):
                who, seen = principal(agency), reading_of(relations(state, agency))
                if seen is Reading.NONE:
                    with pytest.raises(NotFound):
                        await hub.reading.case(who, case_id)
                    continue
                view = await hub.reading.case(who, case_id)
                events, _, _ = await hub.reading.history(who, case_id, 0, 1000)
                handed = [each for each in events if "agency.handed_over" in each["type"]]
                assert len(events) - len(handed) <= view["version"] <= state.version
                if seen is not Reading.WHOLE:
                    assert len(handed) <= len(state.handovers)
                else:
                    given = [(each["data"]["from"], each["data"]["to"]) for each in handed]
                    assert given == [(each.sender, each.to) for each in state.handovers]
                    assert len(events) - len(handed) <= state.version
                    half = len(events) // 2
                    if half:
                        first = await hub.reading.history(who, case_id, 0, half)
                        rest = await hub.reading.history(who, case_id, first.after or 0, 1000)
                        assert first.events + rest.events == events
                if seen is Reading.WHOLE:
                    assert view["owner"] == state.owner
                    assert [each["to"] for each in view["forwardings"]] == [leg.to for leg in state.legs]
                else:
                    assert {each["to"] for each in view["forwardings"]} <= {agency}
                    assert view["actions"] == []


def told_too_much(walk: Walk) -> list[str]:
    """Agencies with a handover in their mailbox of a case in which they never had a part."""
    wrong = []
    for agency in (*AGENCIES, STRANGER, "hub"):
        rows = walk.world.read(lambda session, name=agency: session.mailbox(name, 0, 10_000))
        for fact in (row.event.fact() for row in rows):
            if "case_id" not in fact.data or fact.type != "agency.handed_over":
                continue
            state = walk.world.read(lambda session, name=fact.data["case_id"]: session.case(name)).state
            if not relations(state, agency):
                wrong.append(f"{agency} {fact.data['case_id']}")
    return wrong


@SLOW
@given(steps=st.lists(STEP, min_size=30, max_size=70))
async def test_whatever_happens_between_handovers(world: HubWorld, steps: list[tuple[str, int, int]]) -> None:
    walk = Walk(world, world.last_position())
    for kind, one, other in steps:
        walk.step(kind, one, other)
        if kind == "hand":
            held_soundly(walk)
    await look(walk)
    assert told_too_much(walk) == []
    assert world.difference() is None
