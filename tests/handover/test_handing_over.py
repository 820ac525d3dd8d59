"""An office hands over in the middle of its work: what passes on, what stays, who learns what."""

from __future__ import annotations

import pytest

from auth.policy import Reading, reading_of
from hub.domain.agency import HUB, Agency
from hub.domain.audience import relations
from hub.domain.case import CaseState
from hub.domain.commands import (
    Accept,
    Advise,
    Answer,
    Close,
    Forward,
    Progress,
    Recipient,
    Return,
    Tick,
    Verify,
)
from hub.domain.threads.audience import sees_message
from hub.domain.threads.commands import FulfilCommitment, PostMessage, WakeThread
from hub.errors import Forbidden, Invalid, NotFound, Problem
from hub.service.requests import ChangeAgency, RegisterAgency
from tests.handover.handwork import (
    KOTIM,
    MEDAN,
    NEW,
    OFFICE,
    PLN,
    THIRD,
    Office,
    client,
    hand_over,
    prepared,
    request,
    summary,
    told,
)
from tests.service.hubworld import HubWorld


def reading(state: CaseState, agency: str) -> Reading:
    return reading_of(relations(state, agency))


def test_everything_open_passes_on_in_one_commit(world: HubWorld, office: Office) -> None:
    before, version = world.last_position(), office.case(office.handled).version
    outcome = hand_over(world)
    said = summary(world, outcome)
    assert said["counts"] == {
        "cases": 2, "owned": 0, "forwardings": 1, "consultations": 1, "threads": 1, "commitments": 1,
    }  # fmt: skip
    assert said["cases"] == sorted([office.handled, office.asked])
    assert said["threads"] == [office.thread]
    (leg,) = office.case(office.handled).legs
    assert (leg.id, leg.to, leg.status) == (office.leg, NEW, "accepted"), "the same leg, as it stood"
    assert office.case(office.handled).version == version
    (asked,) = office.case(office.asked).consultations
    assert (asked.agency, asked.status) == (NEW, "open")
    (owed,) = office.room().state.commitments
    assert (owed.agency, owed.handed_over_from, owed.status) == (NEW, OFFICE, "open")
    assert office.room().state.present() == [KOTIM, NEW]
    assert world.last_position() == before + 6, "two cases, three of the thread, one in sum"
    assert world.difference() is None


def test_owned_cases_pass_on_and_closed_ones_do_not(world: HubWorld, office: Office) -> None:
    closed = world.submitted("H-9", MEDAN)
    world.do(world.request(Verify(closed, "accept"), MEDAN))
    world.do(world.request(Close(closed, "resolved", "Selesai."), MEDAN))
    said = summary(world, hand_over(world, MEDAN))
    assert (said["counts"]["owned"], said["cases"]) == (1, [office.owned])
    assert office.case(office.owned).owner == NEW
    assert office.case(office.owned).source == MEDAN, "the reporter is still reached through its app"
    assert reading(office.case(office.owned), MEDAN) is Reading.WHOLE
    assert office.case(closed).owner == MEDAN
    leg = world.legs.new()
    world.core.rows.add_client(client(NEW))
    world.do(world.request(Forward(office.owned, (Recipient(leg, PLN, "lead"),), None), NEW))
    assert world.difference() is None


def test_the_successor_goes_on_and_the_office_cannot(world: HubWorld, office: Office) -> None:
    hand_over(world)
    world.core.rows.add_client(client(NEW))
    (refused,) = world.run(world.request(Progress(office.handled, office.leg, "Masih kami."), OFFICE))
    assert isinstance(refused, Forbidden)
    (refused,) = world.run(world.request(Advise(office.asked, office.consultation, "ours"), OFFICE))
    assert isinstance(refused, Forbidden)
    (refused,) = world.run(
        world.request(PostMessage(office.thread, world.legs.new(), "Masih di sini.", "agencies"), OFFICE)
    )
    assert isinstance(refused, Forbidden)
    world.do(
        world.request(Progress(office.handled, office.leg, "Tim berangkat."), NEW),
        world.request(Answer(office.handled, office.leg, "Sudah diperbaiki."), NEW),
        world.request(Advise(office.asked, office.consultation, "ours"), NEW),
        world.request(FulfilCommitment(office.thread, office.commitment, "Pompa terpasang."), NEW),
    )
    assert office.case(office.handled).status == "answered"
    assert world.difference() is None


def test_running_clocks_keep_their_day_and_name_the_successor(world: HubWorld, office: Office) -> None:
    before = {clock.id: clock for clock in office.case(office.handled).clocks}
    said = summary(world, hand_over(world))
    after = {clock.id: clock for clock in office.case(office.handled).clocks}
    assert before.keys() == after.keys(), "none begins or ends"
    for name, clock in after.items():
        known = before[name]
        assert (clock.due_at, clock.calendar, clock.policy) == (known.due_at, known.calendar, known.policy)
        assert clock.agency == (NEW if known.agency == OFFICE and known.is_open else known.agency)
    (follow_up,) = [each for each in said["due"] if each["stage"] == "follow_up"]
    assert follow_up["due_at"] == office.case(office.handled).legs[0].due_at
    world.clock.turn(days=30)
    world.do(world.request(Tick(office.handled), KOTIM))
    events = world.read(lambda session: session.stream(office.handled, 0, 100))
    missed = [fact.data for fact in (event.fact() for event in events) if fact.type == "deadline.missed"]
    assert [each["responsible_agency"] for each in missed if each["deadline"]["stage"] == "follow_up"] == [
        NEW
    ]
    world.do(world.request(WakeThread(office.thread), KOTIM))
    (owed,) = office.room().state.commitments
    assert (owed.status, owed.agency) == ("missed", NEW)
    assert world.difference() is None


def test_what_was_missed_before_is_missed_by_the_office(world: HubWorld, office: Office) -> None:
    world.clock.turn(days=30)
    hand_over(world)
    facts = [event.fact() for event in world.read(lambda session: session.stream(office.handled, 0, 100))]
    missed = [fact.data for fact in facts if fact.type == "deadline.missed"]
    assert OFFICE in [each["responsible_agency"] for each in missed]
    assert NEW not in [each["responsible_agency"] for each in missed]
    (owed,) = office.room().state.commitments
    assert (owed.status, owed.agency) == ("missed", NEW), "missed by the office, and owed by the successor"
    assert world.difference() is None


def test_each_learns_of_its_own_cases_alone(world: HubWorld, office: Office) -> None:
    hand_over(world)
    for agency in (KOTIM, OFFICE, NEW, HUB, PLN, MEDAN):
        cases = {data["case_id"] for data in told(world, agency) if "case_id" in data}
        sums = [data for data in told(world, agency) if "summary" in data]
        takes_part = agency in (KOTIM, OFFICE, NEW)
        assert cases == ({office.handled, office.asked} if takes_part else set()), agency
        assert len(sums) == (agency in (OFFICE, NEW, HUB)), agency


def test_the_office_keeps_what_stood_then(world: HubWorld, office: Office) -> None:
    hand_over(world)
    state = office.case(office.handled)
    assert reading(state, OFFICE) is Reading.FROZEN
    assert reading(state, NEW) is Reading.WHOLE
    messages = world.read(lambda session: session.all_messages(office.thread)).values()
    room = office.room().state
    seen = {agency: [m.texts.versions[0] for m in messages if sees_message(room, m.state, agency)]
            for agency in (OFFICE, NEW, KOTIM)}  # fmt: skip
    assert seen[OFFICE] == ["Catatan dalam.", "Kami berangkat."]
    assert seen[NEW] == ["Kami berangkat."], "what the office saw, but for its own notes"
    world.do(world.request(PostMessage(office.thread, world.legs.new(), "Baru.", "agencies"), KOTIM))
    messages = world.read(lambda session: session.all_messages(office.thread)).values()
    assert [m.texts.versions[0] for m in messages if sees_message(room, m.state, NEW)][-1] == "Baru."
    assert not [m for m in messages if m.texts.versions[0] == "Baru." and sees_message(room, m.state, OFFICE)]


def test_a_leg_may_still_be_returned_by_the_successor(world: HubWorld, office: Office) -> None:
    hand_over(world)
    world.core.rows.add_client(client(NEW))
    world.do(world.request(Return(office.handled, office.leg, "not_ours", "Bukan kami."), NEW))
    assert reading(office.case(office.handled), NEW) is Reading.WHOLE, "still in the thread"
    assert world.difference() is None


def test_handed_on_twice_and_back(world: HubWorld, office: Office) -> None:
    hand_over(world)
    hand_over(world, NEW, THIRD)
    assert reading(office.case(office.handled), NEW) is Reading.FROZEN
    hand_over(world, THIRD, OFFICE)
    state = office.case(office.handled)
    assert [each.to for each in state.handovers] == [NEW, THIRD, OFFICE]
    assert state.legs[0].to == OFFICE
    assert reading(state, OFFICE) is Reading.WHOLE
    assert office.room().state.present() == [KOTIM, OFFICE]
    assert world.difference() is None


def test_nothing_to_hand_over_is_no_event(world: HubWorld, office: Office) -> None:
    before = world.last_position()
    assert hand_over(world, THIRD).ids[2] == "0"
    assert world.last_position() == before


def test_what_went_away_meanwhile_is_left_out(world: HubWorld, office: Office) -> None:
    command = prepared(world)
    world.do(world.request(Return(office.handled, office.leg, "not_ours", "Bukan kami."), OFFICE))
    said = summary(world, world.do(request(command)))
    assert said["cases"] == [office.asked]
    assert world.difference() is None


@pytest.mark.parametrize(
    ("agency", "to", "kind"),
    [
        (OFFICE, OFFICE, Invalid),
        (OFFICE, "tidak-ada", Invalid),
        (OFFICE, HUB, Invalid),
        (OFFICE, "ombudsman-uji", Invalid),
        (OFFICE, THIRD, Invalid),
        ("tidak-ada", NEW, NotFound),
    ],
)
def test_refusals_leave_no_trace(
    world: HubWorld, office: Office, agency: str, to: str, kind: type[Problem]
) -> None:
    world.core.operate(RegisterAgency(Agency("ombudsman-uji", "Ombudsman uji", "oversight")))
    world.core.operate(ChangeAgency(THIRD, {"active": False}))
    before = world.last_position()
    (refused,) = world.run(request(prepared(world, agency, to)))
    assert isinstance(refused, kind)
    assert world.last_position() == before


def test_a_crash_in_the_middle_leaves_no_trace(
    world: HubWorld, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*given: object) -> None:
        raise RuntimeError("the thread's part fails, after the cases'")

    monkeypatch.setattr("hub.service.handing_over.agency_drafts", crash)
    before = world.last_position()
    results = world.run(request(prepared(world)), world.request(Accept(office.foreign, "x"), PLN))
    assert results[0].status == 500
    assert world.last_position() == before
    assert office.case(office.handled).legs[0].to == OFFICE
    assert world.difference() is None


def test_a_note_is_sealed_and_an_inactive_office_may_be_handed_over(world: HubWorld, office: Office) -> None:
    world.core.operate(ChangeAgency(OFFICE, {"active": False}))
    note = "Akun pindah ke Diskominfo."
    hand_over(world, text=note)
    events = world.read(lambda session: session.events_after(0, 1000))
    assert not [event for event in events if note.encode() in event.header + (event.sealed or b"")]
    assert world.difference() is None
    hand_over(world, NEW, THIRD, text=note)
    assert world.difference() is None
