"""What an agency may see of a case is one rule, and the policy's readings follow it."""

from __future__ import annotations

from typing import Any

import pytest

from auth.policy import Reading, reading_of
from hub.domain.audience import relations, sight
from hub.domain.commands import Answer, Reopen
from tests.domain.casework import CASE_ID, HANDLERS, SOURCE, Casework, leg_command

LEAD, SUPPORT, THIRD = HANDLERS


def left_after_another_answered() -> Casework:
    """LEAD answers alone, the case is reopened, SUPPORT joins and returns, LEAD goes on."""
    work = Casework().verified()
    lead = work.sent(LEAD)
    work.act(leg_command("accept", lead), LEAD)
    work.act(Answer(CASE_ID, lead, "Lampu sudah diganti."), LEAD)
    work.act(Reopen(CASE_ID, "Padam lagi."))
    work.act(leg_command("return", work.sent(SUPPORT, "support")), SUPPORT)
    work.act(leg_command("progress", lead), LEAD)
    return work


def seen(work: Casework, agency: str) -> list[str]:
    rule = sight(work.state, agency)
    return [fact.type for fact, _ in work.log if rule.shows(fact)]


def test_who_takes_part_sees_everything() -> None:
    work = left_after_another_answered()
    for agency in (SOURCE, LEAD):
        rule = sight(work.state, agency)
        assert (rule.whole, rule.until) == (True, work.state.version)
        assert seen(work, agency) == [fact.type for fact, _ in work.log]
        assert rule.legs(work.state) == list(work.state.legs)


def test_who_left_sees_its_leg_and_what_stood_then() -> None:
    work = left_after_another_answered()
    rule = sight(work.state, SUPPORT)
    assert (rule.whole, rule.until) == (False, work.state.version - 1)
    assert [leg.to for leg in rule.legs(work.state)] == [SUPPORT]
    assert seen(work, SUPPORT) == [
        "complaint.submitted",
        "complaint.verified",
        "complaint.reopened",
        "forwarding.sent",
        "forwarding.returned",
    ]


def test_its_own_answer_stays_its_own_after_it_left() -> None:
    work = left_after_another_answered()
    work.act(leg_command("return", work.state.legs[0].id), LEAD)
    assert seen(work, LEAD) == [fact.type for fact, _ in work.log if fact.data.get("forwarding", {}).get(
        "to", LEAD) == LEAD]  # fmt: skip
    assert "complaint.answered" in seen(work, LEAD)


def test_who_never_took_part_sees_nothing() -> None:
    work = left_after_another_answered()
    rule = sight(work.state, THIRD)
    assert (rule.whole, rule.until, rule.legs(work.state), seen(work, THIRD)) == (False, 0, [], [])


@pytest.mark.parametrize(
    ("agency", "reading"),
    [
        (SOURCE, Reading.WHOLE),
        (LEAD, Reading.WHOLE),
        (SUPPORT, Reading.FROZEN),
        (THIRD, Reading.NONE),
    ],
)
def test_the_policy_and_the_rule_agree(agency: str, reading: Any) -> None:
    state = left_after_another_answered().state
    rule = sight(state, agency)
    assert reading_of(relations(state, agency)) is reading
    assert rule.whole == (reading is Reading.WHOLE)
    assert (rule.until > 0) == (reading is not Reading.NONE)
