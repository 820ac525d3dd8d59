"""For whom a case waits, by examples: which clock starts, stands still, runs on and ends with which event."""

from __future__ import annotations

import pytest

from hub.domain.commands import (
    Accept,
    Advise,
    Answer,
    Close,
    Consult,
    Escalate,
    Reopen,
    Reply,
    Return,
    Verify,
    Withdraw,
)
from hub.domain.timekeeping import waits
from tests.domain.casework import CASE_ID, SOURCE, uuid
from tests.domain.waitwork import LEAD, RULES, SUPPORT, clock, open_clocks, work_in


def test_the_owner_is_waited_for_until_somebody_leads_and_again_once_nobody_does() -> None:
    work = work_in("submitted")
    assert open_clocks(work) == [("verification", SOURCE, "running")]
    first = clock(work, "verification")
    work.act(Verify(CASE_ID, "accept"))
    assert clock(work, "verification") is first, "verified is not forwarded yet"
    support = work.sent(LEAD)
    assert first.id not in [c.id for c in work.state.clocks if c.is_open]
    assert open_clocks(work) == [("acceptance", LEAD, "running"), ("follow_up", LEAD, "running")]
    work.wait(hours=2)
    work.act(Return(CASE_ID, support, "not_ours"), LEAD)
    assert open_clocks(work) == [("verification", SOURCE, "running")]
    again = clock(work, "verification")
    assert (again.started_at, again.id != first.id) == (work.now, True)


def test_support_alone_does_not_stop_the_owners_clock() -> None:
    work = work_in()
    lead = work.sent(LEAD)
    work.sent(SUPPORT, "support")
    work.act(Withdraw(CASE_ID, lead, "Salah alamat."))
    assert [stage for stage, _, _ in open_clocks(work)] == ["acceptance", "follow_up", "verification"]


def test_a_returned_legs_time_is_not_charged_to_the_next_agency() -> None:
    work = work_in()
    first = work.sent(LEAD)
    work.wait(days=2)
    work.act(Return(CASE_ID, first, "not_ours"), LEAD)
    work.wait(hours=1)
    second = work.sent(SUPPORT)
    due = {leg.to: leg.due_at for leg in work.state.legs}
    assert clock(work, "follow_up").started_at == work.now == work.state.leg(second).created_at
    assert due == {LEAD: "2025-03-17T09:00:00.000Z", SUPPORT: "2025-03-19T08:00:00.000Z"}  # WIB, WITA
    assert work.log[-1][0].data["forwarding"]["due_at"] == due[SUPPORT], "the agency reads it at once"


def test_acceptance_ends_the_one_and_an_answer_the_other() -> None:
    work = work_in()
    lead = work.sent(LEAD)
    assert [c.stage for c in work.state.clocks if c.shown_only] == ["follow_up"], "the statute stands beside"
    work.act(Accept(CASE_ID, lead), LEAD)
    assert open_clocks(work) == [("follow_up", LEAD, "running")]
    work.act(Answer(CASE_ID, lead, "Sudah."), LEAD)
    assert open_clocks(work) == [("closure", SOURCE, "running")]
    assert not [c for c in work.state.clocks if c.shown_only and c.is_open]


def test_closure_runs_from_the_joint_answer_on_and_not_from_the_first() -> None:
    work = work_in("in_progress")
    support = work.sent(SUPPORT, "support")
    work.act(Answer(CASE_ID, work.state.legs[0].id, "Sudah."), LEAD)
    assert [stage for stage, _, _ in open_clocks(work)] == ["acceptance", "follow_up"]
    work.wait(hours=3)
    work.act(Accept(CASE_ID, support), SUPPORT)
    work.act(Answer(CASE_ID, support, "Kami juga."), SUPPORT)
    assert open_clocks(work) == [("closure", SOURCE, "running")]
    assert clock(work, "closure").started_at == work.now


def test_a_question_to_the_reporter_stops_the_owners_clock_until_the_reply() -> None:
    work = work_in("submitted")
    work.wait(hours=4)
    work.act(Verify(CASE_ID, "incomplete", "Di tiang nomor berapa?"))
    asked = work.now
    assert open_clocks(work) == [("reply", SOURCE, "running"), ("verification", SOURCE, "paused")]
    work.wait(days=2)
    work.act(Reply(CASE_ID, "Tiang nomor 14."))
    assert work.state.status == "submitted"
    assert open_clocks(work) == [("verification", SOURCE, "running")]
    mine = clock(work, "verification")
    assert mine.pauses == ((asked, work.now),)
    assert mine.due_at == "2025-03-17T09:00:00.000Z", "two office days later than 13 March"
    assert clock(work, "reply").state == "met"


@pytest.mark.parametrize(("decision", "status"), [("accept", "verified"), ("reject", "rejected")])
def test_a_verdict_without_a_reply_ends_the_question(decision: str, status: str) -> None:
    work = work_in("submitted")
    work.act(Verify(CASE_ID, "incomplete", "Di mana?"))
    work.wait(days=1)
    work.act(Verify(CASE_ID, decision, "Sudah jelas."))
    assert work.state.status == status
    running = [("verification", SOURCE, "running")] if status == "verified" else []
    assert open_clocks(work) == running, "nobody waits for a rejected complaint"


def test_a_reply_to_the_answer_keeps_the_case_open_and_the_owner_is_waited_for() -> None:
    work = work_in("answered")
    work.act(Reply(CASE_ID, "Masih gelap."))
    assert (work.state.status, work.state.replied) == ("answered", True)
    assert open_clocks(work) == [("verification", SOURCE, "running")]
    work.act(Reply(CASE_ID, "Sungguh."))
    work.wait(days=60)
    assert work.state.status == "answered", "it does not close by itself any more"
    work.act(Reopen(CASE_ID, "Belum selesai."))
    work.act(Answer(CASE_ID, work.state.legs[0].id, "Kini sudah."), LEAD)
    assert open_clocks(work) == [("closure", SOURCE, "running")], "a reply counts for its own answer alone"


def test_a_reply_while_the_case_is_handled_changes_no_clock() -> None:
    work = work_in("in_progress")
    before = work.state.clocks
    work.act(Reply(CASE_ID, "Tambahan foto."))
    assert work.state.clocks == before
    assert "clocks" not in work.log[-1][0].data


def test_a_consultation_has_a_clock_of_its_own_and_stops_no_other() -> None:
    work = work_in()
    work.act(Consult(CASE_ID, uuid(7), SUPPORT, "Jalan nasional?"))
    assert open_clocks(work) == [("consultation", SUPPORT, "running"), ("verification", SOURCE, "running")]
    assert work.log[-1][0].data["consultation"]["due_at"] == clock(work, "consultation").due_at
    assert work.state.consultation(uuid(7)).due_at == clock(work, "consultation").due_at
    work.act(Advise(CASE_ID, uuid(7), "not_ours"), SUPPORT)
    assert open_clocks(work) == [("verification", SOURCE, "running")]


def test_closing_stops_everything_and_reopening_starts_the_leads_follow_up_anew() -> None:
    work = work_in("in_progress")
    work.act(Consult(CASE_ID, uuid(7), "dinas-prov", "Aset siapa?"))
    lead = work.state.legs[0].id
    work.act(Answer(CASE_ID, lead, "Sudah."), LEAD)
    old = work.state.leg(lead).due_at
    work.act(Close(CASE_ID, "resolved"))
    assert open_clocks(work) == []
    work.wait(days=14)
    work.act(Reopen(CASE_ID, "Padam lagi."))
    assert ("follow_up", LEAD, "running") in open_clocks(work)
    assert clock(work, "follow_up").started_at == work.now
    assert work.state.leg(lead).due_at == clock(work, "follow_up").due_at > old


def test_an_escalation_passes_the_owners_clock_on() -> None:
    work = work_in()
    work.returns_limit = 1
    work.act(Return(CASE_ID, work.sent("dinas-prov"), "not_ours"), "dinas-prov")
    assert work.state.owner == "prov-kalteng"
    assert open_clocks(work) == [("verification", "prov-kalteng", "running")]
    assert not [c for c in work.state.clocks if c.agency == SOURCE and c.is_open]


def test_policies_and_calendars_change_for_what_starts_later() -> None:
    work = work_in()
    lead = work.sent(LEAD)
    work.rules = RULES[2]
    work.act(Accept(CASE_ID, lead), LEAD)
    support = work.sent(SUPPORT, "support")
    ours, theirs = (next(c for c in work.state.clocks if c.stage == "follow_up" and c.subject == leg)
                    for leg in (lead, support))  # fmt: skip
    assert (ours.policy, theirs.policy) == ("follow-up-5wd", "follow-up-4cd")
    assert ours.calendar == RULES[0].calendar_of(LEAD).version
    assert theirs.calendar == RULES[2].calendar_of(SUPPORT).version


def test_the_ombudsman_sees_and_owns_nothing_and_no_clock_moves() -> None:
    work = work_in("in_progress")
    work.wait(days=61)
    before = work.state
    work.act(Escalate(CASE_ID, "Sudah dua bulan."), SOURCE)
    assert work.state.overseers == ("ombudsman",)
    assert work.log[-1][0].data["reporter_agrees"] is True, "on record"
    assert (work.state.owner, work.state.clocks) == (before.owner, before.clocks)
    assert waits(work.state) == waits(before)
