"""An agency is deactivated: what waits for it passes on, and the case always has an owner who can act."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.agency import HUB
from hub.domain.audience import actions
from hub.domain.commands import (
    Accept,
    Answer,
    Close,
    Escalate,
    Forward,
    PassOn,
    Recipient,
    Return,
    Verify,
)
from hub.domain.decide import decide
from hub.domain.events import Fact
from hub.domain.passing_on import waits_for
from hub.domain.rendering import event_data
from schemas.registry import Registry as Schemas
from tests.domain.casework import CASE_ID, SOURCE, Casework, uuid
from tests.domain.treework import REGISTRY
from tests.domain.waitwork import LEAD, RULES, open_clocks, told, work_in

ABOVE = "prov-kalteng"


def ended(work: Casework, *agencies: str) -> Casework:
    """They are deactivated; nothing is told of it yet."""
    work.agencies = {**work.agencies, **{name: replace(REGISTRY[name], active=False) for name in agencies}}
    return work


def passed_on(work: Casework, agency: str = SOURCE) -> list[Fact]:
    """What the hub makes of it, step by step."""
    made: list[Fact] = []
    assert work.case is not None
    while drafts := decide(PassOn(CASE_ID, agency), work.case, work.around(HUB)):
        made += work.record(drafts, HUB)
        assert len(made) < 10
    return made


@pytest.mark.parametrize("status", ["submitted", "verified", "incomplete"])
def test_the_ownership_goes_up_at_once_and_a_clock_runs(status: str) -> None:
    work = ended(Casework(agencies=REGISTRY, rules=RULES[0], at=work_in().at), SOURCE)
    work.submit()
    if status != "submitted":
        work.act(Verify(CASE_ID, "accept" if status == "verified" else status, "Di mana?"))
    (fact,) = passed_on(work)
    data = fact.data
    assert (fact.type, data["cause"], data["from"], data["to"]) == (
        "complaint.escalated", "missed", SOURCE, ABOVE,
    )  # fmt: skip
    assert (work.state.owner, work.state.former_owners) == (ABOVE, (SOURCE,))
    assert ("verification", ABOVE) in [(stage, agency) for stage, agency, _ in open_clocks(work)]
    assert passed_on(work) == [], "once"


def test_a_case_whose_last_clock_was_missed_before_is_not_stuck() -> None:
    work = Casework(agencies=REGISTRY, rules=RULES[0], at=work_in().at)
    work.submit()
    work.act(Verify(CASE_ID, "accept"))
    work.wait(days=60)
    assert told(work)[-1] == ("deadline.missed", "verification")
    ended(work, SOURCE).wait(days=60)
    assert work.state.owner == SOURCE, "no clock of it will ever say anything again"
    passed_on(work)
    assert work.state.owner == ABOVE
    assert open_clocks(work)[-1] == ("verification", ABOVE, "running")


def test_who_is_inactive_above_is_passed_over_and_the_hub_is_the_last() -> None:
    work = ended(work_in("verified"), SOURCE, ABOVE)
    passed_on(work)
    assert work.state.owner == "kemendagri"
    ended(work, "kemendagri")
    passed_on(work, "kemendagri")
    assert work.state.owner == HUB


def test_an_open_leg_is_taken_back_and_the_owner_is_waited_for() -> None:
    work = work_in()
    work.act(Accept(CASE_ID, work.sent(LEAD)), LEAD)
    (fact,) = passed_on(ended(work, LEAD), LEAD)
    assert (fact.type, fact.actor, fact.data["forwarding"]["to"]) == ("forwarding.withdrawn", HUB, LEAD)
    assert "deactivated" in work.log[-1][1]["reason"]
    assert (work.state.status, work.state.lead()) == ("verified", None)
    assert open_clocks(work) == [("verification", SOURCE, "running")]
    assert work.state.returned_leads == 0, "it returned nothing"
    assert "forward" in actions(work.state, SOURCE, work.now)


def test_owner_and_handler_of_one_case_at_once() -> None:
    """One agency after the other: the case is the one above's, which forwards anew."""
    work = work_in()
    work.act(Accept(CASE_ID, work.sent(LEAD)), LEAD)
    ended(work, SOURCE, LEAD)
    passed_on(work, LEAD)
    passed_on(work, SOURCE)
    assert (work.state.owner, work.state.open_legs()) == (ABOVE, [])
    assert open_clocks(work) == [("verification", ABOVE, "running")]


def test_a_support_that_is_gone_makes_the_joint_answer() -> None:
    work = work_in()
    lead, support = work.sent(LEAD), work.sent("dinas-prov", "support")
    work.act(Accept(CASE_ID, lead), LEAD)
    work.act(Answer(CASE_ID, lead, "Sudah menyala."), LEAD)
    assert work.state.status == "in_progress"
    facts = passed_on(ended(work, "dinas-prov"), "dinas-prov")
    assert [fact.type for fact in facts] == ["forwarding.withdrawn", "complaint.answered"]
    assert (work.state.status, work.state.leg(support).status) == ("answered", "withdrawn")


def test_reactivated_in_between_it_keeps_everything() -> None:
    work = ended(work_in("verified"), SOURCE)
    work.agencies = REGISTRY
    assert passed_on(work) == [] and work.state.owner == SOURCE


def test_an_ended_case_stays_where_it_is() -> None:
    work = work_in("verified")
    work.act(Close(CASE_ID, "resolved"))
    assert not waits_for(work.state, SOURCE)
    assert passed_on(ended(work, SOURCE)) == []


def test_who_takes_a_deactivated_owners_place_may_still_be_passed_over_for_a_miss() -> None:
    work = ended(work_in("verified"), SOURCE)
    passed_on(work)
    assert work.state.escalated is None
    work.act(Forward(CASE_ID, (Recipient(uuid(99), "dinas-kotim", "lead"),)), ABOVE)
    work.wait(days=60)
    assert work.state.owner == "kemendagri"
    causes = [fact.data for fact, _ in work.log if fact.type == "complaint.escalated"]
    assert [(each["cause"], each.get("deactivated")) for each in causes] == [
        ("missed", True), ("missed", None)
    ]  # fmt: skip


def test_the_third_return_still_binds_after_the_owner_is_gone() -> None:
    work = work_in()
    work.returns_limit = 1
    work.act(Return(CASE_ID, work.sent("dinas-prov"), "not_ours"), "dinas-prov")
    owner = work.state.owner
    assert (work.state.escalated, owner) == ("returns", ABOVE)
    passed_on(ended(work, owner), owner)
    assert work.state.escalated == "returns" and work.state.owner != owner


def test_what_agencies_read_of_it_says_so() -> None:
    work = ended(work_in("verified"), SOURCE)
    (fact,) = passed_on(work)
    data = event_data(fact, {})
    assert data["deactivated"] is True
    assert Schemas.load().validate("complaint.escalated", data) == []


def test_a_case_at_the_ombudsman_too() -> None:
    work = work_in("verified")
    work.wait(days=63)
    work.act(Escalate(CASE_ID, "Sudah dua bulan."))
    passed_on(ended(work, SOURCE))
    assert work.state.owner == ABOVE and work.state.overseers == ("ombudsman",)
