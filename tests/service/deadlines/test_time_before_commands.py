"""Whatever is due on a case happens before a command on it does, whoever comes first: clock or agency."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.domain.agency import Agency
from hub.domain.commands import (
    Accept,
    Answer,
    Close,
    Consult,
    Progress,
    Reopen,
    Reply,
    Tick,
    Verify,
)
from hub.errors import Forbidden, PreconditionFailed, StateConflict
from hub.service.requests import BY_ITSELF, ChangeAgency, RegisterAgency, Request
from tests.service.clockwork import facts, types, wake
from tests.service.hubworld import KOTIM, PLN, PUPR, STRANGER, HubWorld, statuses

PROVINCE = "pemprov-kalteng"
LATE = datetime(2025, 4, 30, 2, 0, tzinfo=UTC)


def tick(case_id: str) -> Request:
    return Request(BY_ITSELF, Tick(case_id))


def below_a_province(world: HubWorld) -> None:
    world.core.operate(RegisterAgency(Agency(PROVINCE, "Provinsi Kalimantan Tengah", "province", "62")))
    for name in (KOTIM, PUPR):
        world.core.operate(ChangeAgency(name, {"parent": PROVINCE}))


def accepted(world: HubWorld) -> tuple[str, str]:
    case_id, leg = world.forwarded()
    world.do(world.request(Accept(case_id, leg), PUPR))
    return case_id, leg


def test_an_answer_after_the_deadline_finds_it_missed(hub: HubWorld) -> None:
    below_a_province(hub)
    case_id, leg = accepted(hub)
    hub.clock.moment = LATE
    hub.do(hub.request(Answer(case_id, leg, "Sudah menyala."), PUPR))
    assert types(hub, case_id, 4) == [
        "deadline.approaching",
        "deadline.missed",
        "complaint.escalated",
        "forwarding.answered",
        "complaint.answered",
    ]
    missed, escalated = facts(hub, case_id)[5:7]
    assert (missed.actor, missed.time) == ("hub", "2025-04-30T02:00:00.000Z")
    assert missed.data["deadline"]["due_at"] == "2025-03-21T09:00:00.000Z", "five working days, late or not"
    assert (escalated.data["to"], escalated.data["cause"]) == (PROVINCE, "missed")
    assert hub.difference() is None


def test_who_lost_the_case_to_time_acts_no_more_as_its_owner(world: HubWorld) -> None:
    """The clock has not come by yet; what an owner may do is judged after what time has done."""
    below_a_province(world)
    case_id, _ = accepted(world)
    world.clock.moment = LATE
    (result,) = world.run(world.request(Consult(case_id, world.core.ids.new(), PLN, "Aset Anda?"), KOTIM))
    assert isinstance(result, Forbidden)
    assert types(world, case_id)[-1] == "complaint.escalated", "it stays, though the command was refused"
    assert world.read(lambda s: s.case(case_id)).state.owner == PROVINCE


def test_a_conflict_names_a_version_that_is_there(world: HubWorld) -> None:
    case_id, leg = accepted(world)
    world.do(world.request(Answer(case_id, leg, "Sudah."), PUPR))
    world.clock.moment = LATE
    (result,) = world.run(world.request(Reply(case_id, "Belum."), KOTIM))
    assert isinstance(result, StateConflict)
    assert (result.extra["state"], result.extra["possible"]) == ("closed", ["reopen"])
    assert result.extra["version"] == world.version(case_id)


@pytest.mark.parametrize("first", ["command", "clock"])
async def test_the_version_that_the_caller_saw_is_the_one_before(world: HubWorld, first: str) -> None:
    case_id = world.submitted()
    world.clock.moment = LATE
    if first == "clock":
        await wake(world)
    (result,) = world.run(world.request(Verify(case_id, "accept"), if_match=1))
    if first == "clock":
        assert isinstance(result, PreconditionFailed), "what it saw is no longer so"
        assert (result.extra["version"], world.version(case_id)) == (3, 3)
    else:
        assert (result.status, world.version(case_id)) == (200, 4)


def test_a_refusal_that_comes_before_time_leaves_the_case_alone(world: HubWorld) -> None:
    case_id, leg = accepted(world)
    world.clock.moment = LATE
    results = world.run(
        world.request(Close(case_id, "resolved"), STRANGER),
        world.request(Verify(case_id, "accept"), if_match=1),
        world.request(Answer(case_id, leg, "?"), KOTIM),
    )
    assert statuses(results) == [404, 412, 403]
    assert world.version(case_id) == 4


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0)])
def test_a_tick_among_commands_of_one_batch(hub: HubWorld, order: tuple[int, ...]) -> None:
    below_a_province(hub)
    case_id, leg = accepted(hub)
    hub.clock.moment = LATE
    commands = [
        tick(case_id),
        hub.request(Progress(case_id, leg, "Tim di lokasi."), PUPR, key="k"),
        hub.request(Answer(case_id, leg, "Sudah."), PUPR),
    ]
    results = hub.run(*(commands[place] for place in order), tick(case_id), commands[1])
    assert statuses(results) == [200] * 5
    assert results[-1].replayed
    kinds = types(hub, case_id, 4)
    assert kinds[:3] == ["deadline.approaching", "deadline.missed", "complaint.escalated"]
    assert sorted(kinds[3:]) == ["complaint.answered", "forwarding.answered", "forwarding.progressed"]
    assert [fact.sequence for fact in facts(hub, case_id)] == list(range(1, 11))
    assert hub.difference() is None


def test_a_repeated_key_is_no_command(world: HubWorld) -> None:
    """It answers what it did then, and leaves what is due to the clock."""
    case_id = world.submitted()
    request = world.request(Verify(case_id, "incomplete", "Nomor tiang?"), key="k")
    world.do(request)
    world.clock.moment = LATE
    assert world.do(request).replayed
    assert world.version(case_id) == 2


async def test_an_answered_case_closes_by_itself(hub: HubWorld) -> None:
    case_id, leg = accepted(hub)
    hub.do(hub.request(Answer(case_id, leg, "Sudah."), PUPR))
    hub.clock.moment = LATE
    await wake(hub)
    assert types(hub, case_id, 6) == ["deadline.approaching", "complaint.closed"]
    closed = facts(hub, case_id)[-1]
    assert (closed.actor, closed.data["reason"], closed.data["status"]) == ("hub", "no_reply", "closed")
    state = hub.read(lambda s: s.case(case_id)).state
    assert [clock.state for clock in state.clocks if clock.stage == "closure"] == ["met"]
    assert not any(clock.is_open for clock in state.clocks)
    hub.do(hub.request(Reopen(case_id, "Padam lagi."), KOTIM))
    assert hub.difference() is None


async def test_a_reply_keeps_an_answered_case_open(hub: HubWorld) -> None:
    case_id, leg = accepted(hub)
    hub.do(hub.request(Answer(case_id, leg, "Sudah."), PUPR))
    hub.do(hub.request(Reply(case_id, "Belum menyala."), KOTIM))
    hub.clock.moment = LATE
    await wake(hub)
    state = hub.read(lambda s: s.case(case_id)).state
    assert state.status == "answered"
    assert [clock.stage for clock in state.clocks if clock.is_open] == ["verification"]


async def test_an_incomplete_complaint_is_archived_when_nobody_replies(hub: HubWorld) -> None:
    case_id = hub.submitted()
    hub.do(hub.request(Verify(case_id, "incomplete", "Nomor tiang?")))
    hub.clock.moment = LATE
    await wake(hub)
    closed = facts(hub, case_id)[-1]
    assert (closed.type, closed.data["reason"]) == ("complaint.closed", "archived")
    assert "deadline.missed" not in types(hub, case_id), "nobody was late"


async def test_the_reply_resumes_the_owners_clock(hub: HubWorld) -> None:
    """Friday to Friday asked back: the deadline moves on by the office days between."""
    case_id = hub.submitted()
    hub.clock.turn(hours=1)
    hub.do(hub.request(Verify(case_id, "incomplete", "Nomor tiang?")))
    (clock, _) = hub.read(lambda s: s.case(case_id)).state.clocks
    assert (clock.state, clock.due_at) == ("paused", "2025-03-19T09:00:00.000Z")
    hub.clock.turn(days=7)
    hub.do(hub.request(Reply(case_id, "Tiang nomor 14."), KOTIM))
    clock, reply = hub.read(lambda s: s.case(case_id)).state.clocks
    assert (clock.state, clock.due_at, reply.state) == ("running", "2025-03-26T09:00:00.000Z", "met")
    assert hub.read(lambda s: s.case(case_id)).state.status == "submitted"
    assert hub.difference() is None


def test_the_clock_itself_needs_no_rights_and_nobody_else_can_be_it(world: HubWorld) -> None:
    case_id: Any = world.submitted()
    world.clock.moment = LATE
    assert statuses(world.run(tick(case_id), tick("0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"))) == [200, 404]
