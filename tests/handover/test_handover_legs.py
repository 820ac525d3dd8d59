"""To whom a handover gives what it cannot hold: its own forwarding, a second one of a case, one of a case
that it returned. After each the case has an owner who can act, and the clocks that it waits by."""

from __future__ import annotations

from typing import Any

import pytest

from auth.policy import Reading, reading_of
from hub.domain.audience import actions, relations
from hub.domain.bounds import MOST_LEGS
from hub.domain.case import CaseState, Leg, status_from_legs
from hub.domain.commands import Accept, Advise, Answer, Consult, Forward, Progress, Recipient, Return, Verify
from hub.domain.timekeeping import waits
from schemas.registry import Registry as Schemas
from tests.handover.handwork import KOTIM, MEDAN, PLN, PUPR, hand_over, summary
from tests.service.hubworld import HubWorld, principal

OPEN = ("sent", "accepted", "in_progress")


def state_of(world: HubWorld, case_id: str) -> CaseState:
    state: CaseState = world.read(lambda session: session.case(case_id)).state
    return state


def sound(world: HubWorld, case_id: str) -> CaseState:
    """The case, of which what always holds was checked."""
    state = state_of(world, case_id)
    holders = [leg.to for leg in state.open_legs()]
    assert state.owner not in holders, "nobody handles its own case"
    assert not [leg for leg in state.open_legs() if leg.sender == leg.to]
    assert len(holders) == len(set(holders)), "nobody holds two"
    assert state.status == status_from_legs(state.legs)
    ticking = {(each.stage, each.subject, each.agency) for each in state.clocks if each.is_open}
    assert ticking == set(waits(state)) != set()
    for name in {state.owner, *holders}:
        assert actions(state, name, "2025-03-14T02:00:00.000Z")
    assert world.difference() is None, "the log alone gives the same"
    return state


def words(world: HubWorld, case_id: str, leg: Leg) -> Any:
    return world.read(lambda session: session.case(case_id)).texts.legs[leg.id]


def moved(world: HubWorld, case_id: str, leg: str, agency: str, status: str) -> None:
    """The holder brings its forwarding as far as that."""
    steps = [Accept(case_id, leg), Progress(case_id, leg, "Kami periksa."), Answer(case_id, leg, "Sudah.")]
    for step in steps[: ("sent", "accepted", "in_progress", "answered").index(status)]:
        world.do(world.request(step, agency))


def begun(world: HubWorld, *to: tuple[str, str], status: str = "sent") -> tuple[str, ...]:
    """A case of KOTIM, and its forwardings; the first is that far."""
    case_id, *legs = world.forwarded(*to)
    moved(world, case_id, legs[0], to[0][0], status)
    return case_id, *legs


def returned_first(world: HubWorld, status: str) -> tuple[str, str]:
    """PLN returned the case, and PUPR has it."""
    case_id, leg = world.forwarded((PLN, "lead"))
    world.do(world.request(Return(case_id, leg, "not_ours", "Bukan aset kami."), PLN))
    second = world.forwarding(case_id, (PUPR, "lead"))
    world.do(world.request(second))
    moved(world, case_id, second.to[0].leg_id, PUPR, status)
    return case_id, second.to[0].leg_id


def heard(world: HubWorld, agency: str, case_id: str) -> list[str]:
    """The types of what of the case is in the agency's mailbox."""
    facts = [row.event.fact() for row in world.read(lambda session: session.mailbox(agency, 0, 1000))]
    return [fact.type for fact in facts if fact.data.get("case_id") == case_id]


@pytest.mark.parametrize("status", OPEN)
def test_who_returned_the_case_gets_it_with_a_note(world: HubWorld, status: str) -> None:
    case_id, leg = returned_first(world, status)
    due_at = state_of(world, case_id).leg(leg).due_at  # type: ignore[union-attr]
    world.clock.turn(hours=30)
    said = summary(world, hand_over(world, PUPR, PLN))
    state = sound(world, case_id)
    assert [(each.sender, each.to, each.role, each.status) for each in state.legs] == [
        (KOTIM, PLN, "lead", "returned"),
        (KOTIM, PUPR, "lead", "withdrawn"),
        (KOTIM, PLN, "lead", "sent"),
    ]
    assert state.status == "forwarded"
    last = state.legs[-1]
    assert f"{PUPR} to {PLN}: {PLN} returned this case before" in words(world, case_id, last).note
    assert words(world, case_id, state.legs[1]).reason
    assert last.due_at == due_at, "a handover gives no new time"
    assert (said["cases"], said["counts"]["forwardings"]) == ([case_id], 1)
    assert [each["due_at"] for each in said["due"] if each["stage"] == "follow_up"] == [due_at]
    assert heard(world, PLN, case_id)[-3:] == [
        "forwarding.sent", "forwarding.withdrawn", "agency.handed_over",
    ]  # fmt: skip
    for agency in (KOTIM, PUPR):
        assert "forwarding.withdrawn" in heard(world, agency, case_id)
        assert heard(world, agency, case_id)[-1] == "agency.handed_over"
    moved(world, case_id, last.id, PLN, "answered")
    assert sound(world, case_id).status == "answered"


def test_who_was_asked_and_said_not_ours_gets_it_with_a_note(world: HubWorld) -> None:
    case_id, _ = begun(world, (PUPR, "lead"))
    asked = world.legs.new()
    world.do(world.request(Consult(case_id, asked, PLN, "Wewenang Anda?")))
    world.do(world.request(Advise(case_id, asked, "not_ours"), PLN))
    hand_over(world, PUPR, PLN)
    last = sound(world, case_id).legs[-1]
    assert (last.to, last.status) == (PLN, "sent")
    assert "not its own" in words(world, case_id, last).note


def test_a_missed_deadline_stays_missed_and_is_told_once(world: HubWorld) -> None:
    case_id, _ = returned_first(world, "accepted")
    world.clock.turn(days=30)
    hand_over(world, PUPR, PLN)
    world.clock.turn(days=30)
    hand_over(world, PLN, PUPR)
    events = world.read(lambda session: session.stream(case_id, 0, 1000))
    missed = [fact.data for fact in (event.fact() for event in events) if fact.type == "deadline.missed"]
    late = [each["responsible_agency"] for each in missed if each["deadline"]["stage"] == "follow_up"]
    assert late == [PUPR]
    assert world.difference() is None


def test_a_case_with_no_room_for_it_goes_back_to_its_owner(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.domain.handover_legs.MOST_LEGS", 2)
    assert MOST_LEGS > 2
    case_id, _ = returned_first(world, "accepted")
    hand_over(world, PUPR, PLN)
    state = sound(world, case_id)
    assert ([each.status for each in state.legs], state.status) == (["returned", "withdrawn"], "verified")


async def test_its_events_are_the_contracts(world: HubWorld) -> None:
    case_id, _ = returned_first(world, "accepted")
    hand_over(world, PUPR, PLN)
    schemas = Schemas.load()
    async with world.serving() as hub:
        page = await hub.reading.history(principal(PLN), case_id, 0, 100)
    made = [(event["type"].split(".", 2)[2].removesuffix(".v1"), event["data"]) for event in page.events]
    assert [kind for kind, _ in made][-3:] == [
        "forwarding.sent", "forwarding.withdrawn", "agency.handed_over",
    ]  # fmt: skip
    for kind, data in made[-3:]:
        assert schemas.validate(kind, data) == []
    assert made[-3][1]["forwarding"]["note"]
    assert made[-3][1]["forwarding"]["due_at"]


@pytest.mark.parametrize("status", OPEN)
def test_the_owner_takes_back_what_it_had_forwarded(world: HubWorld, status: str) -> None:
    case_id, leg = begun(world, (PUPR, "lead"), status=status)
    said = summary(world, hand_over(world, PUPR, KOTIM))
    state = sound(world, case_id)
    assert (state.owner, state.status) == (KOTIM, "verified")
    assert [(each.id, each.to, each.status) for each in state.legs] == [(leg, PUPR, "withdrawn")]
    assert f"{PUPR} to {KOTIM}" in words(world, case_id, state.legs[0]).reason
    assert waits(state) == {("verification", case_id, KOTIM): True}
    assert {"accept", "return", "withdraw"}.isdisjoint(actions(state, KOTIM, "2025-03-14T02:00:00.000Z"))
    assert (said["cases"], said["counts"]["forwardings"]) == ([case_id], 0)
    assert reading_of(relations(state, PUPR)) is Reading.FROZEN
    for agency in (KOTIM, PUPR):
        assert heard(world, agency, case_id)[-2:] == ["forwarding.withdrawn", "agency.handed_over"]
    world.do(world.request(world.forwarding(case_id, (PLN, "lead"))))
    sound(world, case_id)


@pytest.mark.parametrize("status", OPEN)
def test_a_handler_that_becomes_the_owner_holds_the_case_itself(world: HubWorld, status: str) -> None:
    case_id, leg = begun(world, (PUPR, "lead"), status=status)
    said = summary(world, hand_over(world, KOTIM, PUPR))
    state = sound(world, case_id)
    assert (state.owner, state.status, state.source) == (PUPR, "verified", KOTIM)
    assert [(each.id, each.status) for each in state.legs] == [(leg, "withdrawn")]
    assert waits(state) == {("verification", case_id, PUPR): True}
    assert (said["counts"]["owned"], said["counts"]["forwardings"]) == (1, 0)
    assert reading_of(relations(state, PUPR)) is Reading.WHOLE
    new = world.legs.new()
    world.do(world.request(Forward(case_id, (Recipient(new, PLN, "lead"),), None), PUPR))
    sound(world, case_id)


@pytest.mark.parametrize(("agency", "to"), [(PUPR, KOTIM), (KOTIM, PUPR), (PUPR, PLN)])
def test_what_was_answered_stays_as_it_was(world: HubWorld, agency: str, to: str) -> None:
    case_id, _ = begun(world, (PUPR, "lead"), status="answered")
    before = state_of(world, case_id)
    hand_over(world, agency, to)
    state = sound(world, case_id)
    assert (state.legs, state.status, state.version) == (before.legs, "answered", before.version)
    assert state.owner == (to if agency == KOTIM else KOTIM)
    assert waits(state) == {("closure", case_id, state.owner): True}


@pytest.mark.parametrize("to", [KOTIM, PLN])
def test_the_answer_is_given_once_nobody_else_is_waited_for(world: HubWorld, to: str) -> None:
    """The lead has answered, and the last other forwarding becomes the owner's own."""
    case_id, lead, _ = world.forwarded((PUPR, "lead"), (PLN, "support"))
    moved(world, case_id, lead, PUPR, "answered")
    hand_over(world, *((PLN, KOTIM) if to == KOTIM else (KOTIM, PLN)))
    state = sound(world, case_id)
    assert (state.status, state.owner) == ("answered", to)
    events = world.read(lambda session: session.stream(case_id, 0, 100))
    assert events[-1].fact().type == "complaint.answered"


@pytest.mark.parametrize("other", OPEN)
@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize(("agency", "to"), [(PUPR, PLN), (PLN, PUPR)])
def test_of_two_forwardings_the_lead_stays(
    world: HubWorld, agency: str, to: str, status: str, other: str
) -> None:
    case_id, lead, support = begun(world, (PUPR, "lead"), (PLN, "support"), status=status)
    moved(world, case_id, support, PLN, other)
    hand_over(world, agency, to)
    state = sound(world, case_id)
    found = [(each.id, each.to, each.status) for each in state.legs]
    assert found == [(lead, to, status), (support, PLN, "withdrawn")]
    assert words(world, case_id, state.legs[1]).reason


def test_of_two_that_support_the_one_further_on_stays(world: HubWorld) -> None:
    case_id, _, first, second = begun(world, (PUPR, "lead"), (PLN, "support"), (MEDAN, "support"))
    moved(world, case_id, second, MEDAN, "accepted")
    hand_over(world, MEDAN, PLN)
    state = sound(world, case_id)
    assert [(each.id, each.to) for each in state.open_legs()][1:] == [(second, PLN)]
    assert state.leg(first).status == "withdrawn"  # type: ignore[union-attr]


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize(("agency", "to"), [(PLN, PUPR), (PUPR, PLN)])
def test_nobody_is_its_own_sender(world: HubWorld, agency: str, to: str, status: str) -> None:
    """PUPR leads and has forwarded the case onward to PLN."""
    case_id, _ = begun(world, (PUPR, "lead"), status="accepted")
    onward = world.forwarding(case_id, (PLN, "support"))
    world.do(world.request(onward, PUPR))
    moved(world, case_id, onward.to[0].leg_id, PLN, status)
    hand_over(world, agency, to)
    state = sound(world, case_id)
    assert [(each.to, each.status) for each in state.legs] == [(to, "accepted"), (PLN, "withdrawn")]


@pytest.mark.parametrize("status", OPEN)
def test_what_the_successor_had_sent_onward_comes_from_the_owner(world: HubWorld, status: str) -> None:
    """It has answered its own forwarding already, so that nothing else of the case is open there."""
    case_id, lead = begun(world, (PUPR, "lead"), status="accepted")
    onward = world.forwarding(case_id, (PLN, "support"))
    world.do(world.request(onward, PUPR))
    moved(world, case_id, onward.to[0].leg_id, PLN, status)
    world.do(world.request(Answer(case_id, lead, "Sudah."), PUPR))
    hand_over(world, PLN, PUPR)
    state = sound(world, case_id)
    assert [(each.sender, each.to, each.status) for each in state.legs] == [
        (KOTIM, PUPR, "answered"),
        (PUPR, PLN, "withdrawn"),
        (KOTIM, PUPR, "sent"),
    ]
    assert words(world, case_id, state.legs[-1]).note


def test_what_is_not_verified_has_nothing_to_settle(world: HubWorld) -> None:
    case_id = world.submitted("S-1")
    version = state_of(world, case_id).version
    hand_over(world, KOTIM, PUPR)
    assert sound_before_verification(world, case_id).version == version
    world.do(world.request(Verify(case_id, "accept"), PUPR))
    sound(world, case_id)


def sound_before_verification(world: HubWorld, case_id: str) -> CaseState:
    state = state_of(world, case_id)
    assert waits(state) == {("verification", case_id, PUPR): True}
    assert world.difference() is None
    return state
