"""What an agency that returned or lost its leg still sees: random lives of a case with three agencies, read
through the hub as the API reads them. View, history and mailbox must tell the same story."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from hub.domain.case import CaseState, Leg
from hub.domain.commands import Accept, Answer, Close, Progress, Reopen, Return, Verify, Withdraw
from hub.domain.transitions import HELD_LEG
from hub.ports.store import CaseFilter
from hub.service.hub import Hub
from tests.service.hubworld import KOTIM, PLN, PUPR, STRANGER, HubWorld, principal

HANDLERS = (PUPR, PLN, STRANGER)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("forward"), st.integers(0, 2)),
        st.tuples(st.sampled_from(["accept", "progress", "answer", "return", "withdraw"]), st.integers(0, 5)),
        st.tuples(st.sampled_from(["close", "reopen"]), st.just(0)),
    ),
    min_size=4,
    max_size=24,
)


class Life:
    """One case of the hub, and what each agency wrote on it."""

    def __init__(self, world: HubWorld, reference: str) -> None:
        self.world, self.words = world, {name: [] for name in HANDLERS}
        self.case_id = world.submitted(reference)
        world.do(world.request(Verify(self.case_id, "accept")))

    @property
    def state(self) -> CaseState:
        found: CaseState = self.world.read(lambda session: session.case(self.case_id)).state
        return found

    def attempt(self, act: str, pick: int) -> None:
        """The act, if the case allows it now."""
        self.world.clock.turn(seconds=1)
        state = self.state
        if act == "forward":
            role = "support" if state.lead() else "lead"
            note = self.word(HANDLERS[pick])
            command: Any = self.world.forwarding(self.case_id, (HANDLERS[pick], role), note=note)
            self.world.run(self.world.request(command))
        elif act in ("close", "reopen"):
            command = Close(self.case_id, "archived") if act == "close" else Reopen(self.case_id, "Lagi.")
            self.world.run(self.world.request(command))
        elif state.legs:
            leg = state.legs[pick % len(state.legs)]
            actor = KOTIM if act == "withdraw" else leg.to
            self.world.run(self.world.request(self.on_leg(act, leg), actor))

    def on_leg(self, act: str, leg: Leg) -> Any:
        if act == "accept":
            return Accept(self.case_id, leg.id)
        word = self.word(leg.to)
        made: dict[str, Callable[[], Any]] = {
            "progress": lambda: Progress(self.case_id, leg.id, word),
            "answer": lambda: Answer(self.case_id, leg.id, word),
            "return": lambda: Return(self.case_id, leg.id, "not_ours", word),
            "withdraw": lambda: Withdraw(self.case_id, leg.id, word),
        }
        return made[act]()

    def word(self, agency: str) -> str:
        """A word that nothing but a leg of this agency carries."""
        self.words[agency].append(f"kata-{agency}-{len(self.words[agency])}.")
        return self.words[agency][-1]

    def others_words(self, agency: str) -> list[str]:
        return [word for name in HANDLERS if name != agency for word in self.words[name]]

    def mailbox(self, agency: str) -> dict[str, int]:
        """Event id -> sequence of what the agency got of this case."""
        rows = self.world.read(lambda session: session.mailbox(agency, 0, 100_000))
        return {row.event.id: row.event.sequence for row in rows if row.event.stream == self.case_id}

    def log(self) -> list[Any]:
        events = self.world.read(lambda session: session.stream(self.case_id, 0, 1000))
        return [event.fact() for event in events]


async def whole_history(hub: Hub, agency: str, case_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        events, after, _ = await hub.reading.history(principal(agency), case_id, after, 2)
        assert len(events) == 2 or after is None, "a page is full or the last one"
        found += events
    return found


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=ACTS)
async def test_view_history_and_mailbox_tell_one_story(world: HubWorld, acts: list[tuple[str, int]]) -> None:
    life = Life(world, world.legs.new())
    for act, pick in acts:
        life.attempt(act, pick)
    async with world.serving() as hub:
        for agency in HANDLERS:
            mine = [leg for leg in life.state.legs if leg.to == agency]
            if not mine:
                continue
            view = await hub.reading.case(principal(agency), life.case_id)
            history = await whole_history(hub, agency, life.case_id)
            agree(view, history)
            came_from_somewhere(life, agency, history)
            if not any(leg.status in HELD_LEG for leg in mine):
                shows_nothing_of_others(life, agency, view, history)
                is_complete(life, agency, history)
            else:
                assert [int(event["sequence"]) for event in history] == list(range(1, view["version"] + 1))


def agree(view: dict[str, Any], history: list[dict[str, Any]]) -> None:
    """The history ends with what the view shows: version, status and every leg."""
    last = history[-1]
    assert (int(last["sequence"]), last["time"]) == (view["version"], view["updated_at"])
    assert last["data"]["status"] == view["status"]
    legs: dict[str, str] = {}
    for event in history:
        if shown := event["data"].get("forwarding"):
            legs[shown["id"]] = shown["status"]
        if event["type"] == "id.simpul.complaint.reopened.v1":
            legs = {leg: now for leg, now in legs.items() if now != "answered"}  # says no leg, but moves one
    seen = {leg["id"]: leg["status"] for leg in view["forwardings"]}
    assert legs.items() <= seen.items()
    assert seen.keys() == {e["data"]["forwarding"]["id"] for e in history if "forwarding" in e["data"]}


def came_from_somewhere(life: Life, agency: str, history: list[dict[str, Any]]) -> None:
    """Each event is in the agency's mailbox, or stood there when it joined for the last time."""
    got = life.mailbox(agency)
    joined = max(
        fact.sequence
        for fact in life.log()
        if fact.type == "forwarding.sent" and fact.data["forwarding"]["to"] == agency
    )
    for event in history:
        assert event["id"] in got or int(event["sequence"]) < joined, event


def shows_nothing_of_others(
    life: Life, agency: str, view: dict[str, Any], history: list[dict[str, Any]]
) -> None:
    left = max(leg.ended_sequence or 0 for leg in life.state.legs if leg.to == agency)
    others = [leg.id for leg in life.state.legs if leg.to != agency]
    assert max(int(event["sequence"]) for event in history) == left
    assert max(life.mailbox(agency).values()) == left, "nor does its mailbox go on"
    for shown in (view, history):
        text = orjson.dumps(shown).decode()
        assert not [each for each in (*others, *life.others_words(agency)) if each in text]
    assert {leg["to"] for leg in view["forwardings"]} == {agency}
    assert view["actions"] == []


def is_complete(life: Life, agency: str, history: list[dict[str, Any]]) -> None:
    """Nothing is hidden that is not another agency's leg."""
    left = int(history[-1]["sequence"])
    expected = []
    for fact in life.log()[:left]:
        leg = fact.data.get("forwarding")
        holder = fact.data["agency"] if fact.type == "complaint.answered" else leg and leg["to"]
        if holder in (None, agency):
            expected.append(fact.id)
    assert [event["id"] for event in history] == expected


async def test_the_answer_of_another_is_not_shown_to_who_came_later_and_left(world: HubWorld) -> None:
    """complaint.answered carries the lead's words: another agency's leg."""
    life = Life(world, "PGD-LAIN")
    for act, pick in (("forward", 0), ("accept", 0), ("answer", 0), ("reopen", 0), ("forward", 1)):
        life.attempt(act, pick)
    life.attempt("return", 1)
    async with world.serving() as hub:
        history = await whole_history(hub, PLN, life.case_id)
        kinds = [event["type"].removeprefix("id.simpul.").removesuffix(".v1") for event in history]
        assert kinds == [
            "complaint.submitted",
            "complaint.verified",
            "complaint.reopened",
            "forwarding.sent",
            "forwarding.returned",
        ]
        assert not [word for word in life.words[PUPR] if word in str(history)]


async def test_who_completes_the_answer_by_leaving_is_not_sent_it(world: HubWorld) -> None:
    """A support that returns the last open leg makes the case answered, and is no longer part of it then."""
    life = Life(world, "PGD-PERGI")
    for act, pick in (("forward", 0), ("forward", 1), ("accept", 0), ("answer", 0), ("return", 1)):
        life.attempt(act, pick)
    assert life.state.status == "answered"
    last = life.log()[-1]
    assert (last.type, sorted(last.recipients)) == ("complaint.answered", sorted((KOTIM, PUPR)))
    assert last.id not in life.mailbox(PLN)


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_pages_are_full_although_events_between_them_are_hidden(world: HubWorld, limit: int) -> None:
    life = Life(world, f"PGD-HAL-{limit}")
    for act, pick in (("forward", 0), ("forward", 1), ("accept", 0), ("accept", 1)):
        life.attempt(act, pick)
    for _ in range(7):
        life.attempt("progress", 0)
    life.attempt("progress", 1)
    life.attempt("return", 1)
    async with world.serving() as hub:
        after: int | None = 0
        sizes, seen = [], []
        while after is not None:
            events, after, _ = await hub.reading.history(principal(PLN), life.case_id, after, limit)
            sizes.append(len(events))
            seen += [int(event["sequence"]) for event in events]
        assert seen == [1, 2, 4, 6, 14, 15]
        assert sizes == [min(limit, 6 - start) for start in range(0, 6, limit)]
        (listed,), _ = await hub.reading.cases(principal(PLN), CaseFilter(), None, 9)
        assert listed["version"] == 15
