"""What the passing of time makes of a case, by examples: warned, missed, passed up, closed by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.agency import HUB
from hub.domain.clocks import next_wake
from hub.domain.commands import (
    Accept,
    Answer,
    Consult,
    Forward,
    Recipient,
    Reopen,
    Reply,
    Return,
    Verify,
)
from hub.domain.derivation import derive
from hub.domain.timekeeping import is_overdue
from hub.domain.transitions import CASE
from hub.domain.working_time import instant
from tests.domain.casework import CASE_ID, SOURCE, Casework, uuid
from tests.domain.treework import REGISTRY, rulebooks
from tests.domain.waitwork import LEAD, MONDAY, RULES, SUPPORT, clock, open_clocks, told, work_in


def test_the_very_moment_is_in_time_and_a_millisecond_later_is_not() -> None:
    work = work_in()
    lead = work.sent(LEAD)
    late = replace(work, log=list(work.log))
    work.at = instant(work.state.leg(lead).due_at)
    work.act(Accept(CASE_ID, lead), LEAD)
    work.act(Answer(CASE_ID, lead, "Tepat waktu."), LEAD)
    assert clock(work, "follow_up").state == "met"
    assert ("deadline.missed", "follow_up") not in told(work)
    late.at = instant(late.state.leg(lead).due_at) + timedelta(milliseconds=1)
    late.act(Accept(CASE_ID, lead), LEAD)
    assert ("deadline.missed", "follow_up") in told(late), "recorded before the command that comes too late"
    assert is_overdue(late.state)


def test_a_missed_follow_up_goes_up_once() -> None:
    work = work_in()
    lead = work.sent("dinas-prov")
    work.act(Accept(CASE_ID, lead), "dinas-prov")
    work.wait(days=30)
    assert told(work) == [
        ("deadline.approaching", "follow_up"),
        ("deadline.missed", "follow_up"),
        ("complaint.escalated", "missed"),
    ]  # fmt: skip
    escalated = work.log[-1][0]
    assert (escalated.actor, work.state.owner, work.state.status) == (HUB, "prov-kalteng", "in_progress")
    work.act(Answer(CASE_ID, lead, "Akhirnya."), "dinas-prov")
    work.act(Reopen(CASE_ID, "Belum."), "prov-kalteng")
    work.wait(days=30)
    assert told(work)[3:] == [
        ("deadline.approaching", "follow_up"), ("deadline.missed", "follow_up")
    ], "the owner to whom it went up is told, and passes nothing on"  # fmt: skip


def test_a_supporting_agencys_miss_goes_up_to_nobody() -> None:
    work = work_in("in_progress")
    support = work.sent(SUPPORT, "support")
    work.act(Accept(CASE_ID, support), SUPPORT)
    work.act(Answer(CASE_ID, work.state.legs[0].id, "Sudah."), LEAD)
    work.wait(days=30)
    assert ("deadline.missed", "follow_up") in told(work)
    assert work.state.owner == SOURCE


def test_nothing_goes_up_from_the_hub() -> None:
    work = work_in()
    work.returns_limit = 1
    work.act(Return(CASE_ID, work.sent(LEAD), "not_ours"), LEAD)
    assert work.state.owner == HUB
    work.act(Forward(CASE_ID, (Recipient(uuid(8), SUPPORT, "lead"),)), HUB)
    work.wait(days=30)
    assert ("deadline.missed", "follow_up") in told(work)
    assert [what for what, _ in told(work)].count("complaint.escalated") == 1


@pytest.mark.parametrize("stage", ["acceptance", "consultation", "verification"])
def test_other_stages_are_missed_and_stay_where_they_are(stage: str) -> None:
    work = work_in()
    if stage == "consultation":
        work.act(Consult(CASE_ID, uuid(7), SUPPORT, "?"))
    elif stage == "acceptance":
        work.sent(LEAD)
    work.at = instant(clock(work, stage).due_at)
    work.wait(seconds=1)
    missed = [fact for fact, _ in work.log if fact.type == "deadline.missed"]
    mine = next(fact for fact in missed if fact.data["deadline"]["stage"] == stage)
    named = {"consultation": "consultation_id", "acceptance": "forwarding_id"}
    assert ({"consultation_id", "forwarding_id"} & mine.data.keys()) == set(filter(None, [named.get(stage)]))
    assert work.state.owner == SOURCE


@pytest.mark.parametrize(
    "status", ["submitted", "incomplete", "verified", "forwarded", "in_progress", "answered"]
)
def test_a_hub_that_was_down_says_the_same_as_one_that_was_up(status: str) -> None:
    """In the same order, though later; with a question that is open beside it, and a second handler."""
    up = work_in("submitted" if status in ("submitted", "incomplete") else "verified")
    if status == "incomplete":
        up.act(Verify(CASE_ID, "incomplete", "Di mana?"))
    elif status != "submitted":
        up.act(Consult(CASE_ID, uuid(7), "dinas-kotim", "Aset siapa?"))
    if status in ("forwarded", "in_progress", "answered"):
        legs = {agency: up.sent(agency, role) for agency, role in ((LEAD, "lead"), (SUPPORT, "support"))}
        for agency, leg in legs.items() if status != "forwarded" else ():
            up.act(Accept(CASE_ID, leg), agency)
            if status == "answered":
                up.act(Answer(CASE_ID, leg, "Sudah."), agency)
    assert up.state.status == status
    down = replace(up, log=list(up.log))
    for _ in range(24 * 45):
        up.wait(hours=1)
    down.wait(days=45)
    assert told(up) == told(down) != []
    assert [(c.id, c.state, c.warned) for c in up.state.clocks] == [
        (c.id, c.state, c.warned) for c in down.state.clocks
    ]
    assert down.pass_time() == [], "and says it once"


def test_nobody_replies_and_the_case_closes_as_of_its_due_moment() -> None:
    work = work_in("answered")
    due = clock(work, "closure").due_at
    work.wait(days=40)  # the hub was down
    assert told(work) == [("deadline.approaching", "closure"), ("complaint.closed", "no_reply")]
    ended = clock(work, "closure")
    assert (ended.state, ended.ended_at, work.state.status) == ("met", due, "closed")


def test_a_question_without_a_reply_is_archived_as_of_its_due_moment() -> None:
    work = work_in("submitted")
    work.act(Verify(CASE_ID, "incomplete", "Di mana?"))
    due = clock(work, "reply").due_at
    work.wait(days=60)
    assert told(work) == [("deadline.approaching", "reply"), ("complaint.closed", "archived")]
    assert {(c.stage, c.state, c.ended_at) for c in work.state.clocks} == {
        ("reply", "missed", due), ("verification", "met", due)
    }  # fmt: skip


def test_what_would_be_late_after_the_case_has_closed_by_itself_is_not() -> None:
    """However late the hub notices: nobody answers a consultation on a closed case."""
    slowly = rulebooks()[0]
    slowly.rows = tuple(
        replace(row, amount=30) if row.stage == "consultation" else row for row in slowly.rows
    )
    work = Casework(agencies=REGISTRY, rules=slowly, at=MONDAY)
    work.submit()
    work.act(Verify(CASE_ID, "accept"))
    work.act(Consult(CASE_ID, uuid(7), SUPPORT, "Aset siapa?"))
    work.act(Accept(CASE_ID, work.sent(LEAD)), LEAD)
    work.act(Answer(CASE_ID, work.state.legs[0].id, "Sudah."), LEAD)
    closes = clock(work, "closure").due_at
    assert clock(work, "consultation").due_at > closes
    work.wait(days=120)
    assert told(work) == [("deadline.approaching", "closure"), ("complaint.closed", "no_reply")]
    assert (clock(work, "consultation").state, clock(work, "consultation").ended_at) == ("met", closes)


def test_a_historical_case_is_shown_and_raises_nothing() -> None:
    work = Casework(agencies=REGISTRY, rules=RULES[0], at=MONDAY)
    work.take_over("verified", "answered")
    work.wait(days=400)
    assert told(work) == []
    assert {c.state for c in work.state.clocks} == {"historical"}
    assert work.state.status == "answered"
    assert not is_overdue(work.state)


def test_an_answer_from_before_the_hub_is_reopened_to_where_its_owner_can_go_on() -> None:
    work = Casework(agencies=REGISTRY, rules=RULES[0], at=MONDAY)
    work.take_over("verified", "answered")
    work.act(Reopen(CASE_ID, "Masih gelap."))
    assert work.state.status == "verified"
    assert work.state.status in CASE["answered"]["reopen"]
    assert open_clocks(work) == [("verification", SOURCE, "running")], "and from now on it counts"


def test_what_begins_after_a_case_was_taken_over_counts() -> None:
    work = Casework(agencies=REGISTRY, rules=RULES[0], at=MONDAY)
    work.take_over()
    work.act(Verify(CASE_ID, "incomplete", "Di mana?"))
    assert open_clocks(work) == [("reply", SOURCE, "running"), ("verification", SOURCE, "historical")]
    work.wait(days=2)
    work.act(Reply(CASE_ID, "Di sini."))
    old = clock(work, "verification")
    steps = derive(old, RULES[0].calendar(old.calendar)).steps
    assert [step.number for step in steps if step.why == "counted"] == [1, 2, 3]
    assert next_wake(old) is None
    work.act(Verify(CASE_ID, "accept"))
    work.sent(LEAD)
    work.wait(days=90)
    assert ("deadline.missed", "follow_up") in told(work)
    assert ("deadline.missed", "verification") not in told(work)


def test_a_clock_that_ends_while_it_is_paused_can_be_derived_still() -> None:
    work = work_in("submitted")
    work.act(Verify(CASE_ID, "incomplete", "Di mana?"))
    work.wait(days=4)
    work.act(Verify(CASE_ID, "reject", "Tidak ada jawaban."))
    ended = clock(work, "verification")
    steps = derive(ended, RULES[0].calendar(ended.calendar)).steps
    assert [step.number for step in steps if step.why == "counted"] == [1, 2, 3]


def test_wall_clocks_that_differ_crash_nothing() -> None:
    work = work_in("submitted")
    work.act(Verify(CASE_ID, "incomplete", "Di mana?"))
    work.wait(milliseconds=-400)
    work.act(Reply(CASE_ID, "Di sini."))
    work.wait(milliseconds=-400)
    work.act(Verify(CASE_ID, "accept"))
    lead = work.sent(LEAD)
    work.wait(milliseconds=-400)
    work.act(Accept(CASE_ID, lead), LEAD)
    for each in work.state.clocks:
        assert each.ended_at is None or each.ended_at >= each.started_at
        assert all(until is None or until >= begun for begun, until in each.pauses)
