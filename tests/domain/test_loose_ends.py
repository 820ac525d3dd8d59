"""What once fell between two rules: an owner that is gone, a question asked again, the owner of a moment."""

from __future__ import annotations

from dataclasses import replace

from hub.domain.commands import Accept, Return, Verify
from tests.domain.casework import CASE_ID, SOURCE, Casework
from tests.domain.treework import REGISTRY
from tests.domain.waitwork import LEAD, RULES, clock, open_clocks, told, work_in


def test_asked_back_again_the_reporter_has_the_whole_time_again() -> None:
    work = work_in("submitted")
    work.act(Verify(CASE_ID, "incomplete", "Di mana?"))
    first = clock(work, "reply")
    work.wait(days=7)
    work.act(Verify(CASE_ID, "incomplete", "Di tiang nomor berapa?"))
    again = clock(work, "reply")
    assert (again.started_at, again.state) == (work.now, "running")
    assert again.due_at > first.due_at
    assert [(c.state, c.ended_at) for c in work.state.clocks if c.id == first.id] == [("met", work.now)]
    assert open_clocks(work) == [("reply", SOURCE, "running"), ("verification", SOURCE, "paused")]


def test_the_third_return_gives_the_former_owner_no_clock_of_no_time() -> None:
    work = work_in()
    work.returns_limit = 1
    work.wait(hours=1)
    work.act(Return(CASE_ID, work.sent(LEAD), "not_ours"), LEAD)
    owner = work.state.owner
    assert owner != SOURCE
    assert open_clocks(work) == [("verification", owner, "running")]
    owners = [(c.agency, c.started_at) for c in work.state.clocks if c.stage == "verification"]
    assert owners == [(SOURCE, work.log[0][0].time), (owner, work.now)]


def _gone(work: Casework) -> Casework:
    """The owner is deactivated."""
    work.agencies = {**work.agencies, SOURCE: replace(REGISTRY[SOURCE], active=False)}
    return work


def test_a_case_whose_owner_is_gone_goes_up_with_the_next_missed_deadline() -> None:
    work = _gone(work_in())
    work.wait(days=30)
    (cause,) = [reason for kind, reason in told(work) if kind == "complaint.escalated"]
    assert cause == "missed" and work.agencies[work.state.owner].active
    assert work.state.former_owners == (SOURCE,)
    assert ("verification", work.state.owner) in [(c.stage, c.agency) for c in work.state.clocks if c.is_open]


def test_so_it_does_while_another_agency_leads() -> None:
    work = work_in()
    work.act(Accept(CASE_ID, work.sent(LEAD)), LEAD)
    _gone(work).wait(days=60)
    assert work.state.owner != SOURCE and work.agencies[work.state.owner].active


def test_an_active_owner_keeps_the_case_when_it_is_late() -> None:
    work = Casework(agencies=REGISTRY, rules=RULES[0], at=work_in().at)
    work.submit()
    work.act(Verify(CASE_ID, "accept"))
    work.wait(days=30)
    assert work.state.owner == SOURCE and ("deadline.missed", "verification") in told(work)
