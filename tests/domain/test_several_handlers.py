"""Several agencies on one case: when it is answered, whose words that are, and who may be asked at all."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.audience import frozen_at, takes_part
from hub.domain.commands import (
    Accept,
    Answer,
    Forward,
    Recipient,
)
from hub.errors import Invalid, StateConflict
from tests.domain.casework import CASE_ID, HANDLERS, SOURCE, Casework, in_status, leg_command, uuid

LEAD, SUPPORT, _ = HANDLERS


def types(facts: list[Any]) -> list[str]:
    return [fact.type for fact in facts]


def test_answered_only_when_no_other_leg_is_open() -> None:
    work = Casework().verified()
    lead, support = work.sent(LEAD), work.sent(SUPPORT, "support")
    work.act(Accept(CASE_ID, lead), LEAD)
    work.act(Accept(CASE_ID, support), SUPPORT)
    assert types(work.act(Answer(CASE_ID, lead, "Sudah diganti."), LEAD)) == ["forwarding.answered"]
    assert work.state.status == "in_progress"
    made = work.act(Answer(CASE_ID, support, "Trafo normal."), SUPPORT)
    assert types(made) == ["forwarding.answered", "complaint.answered"]
    assert work.state.status == "answered"
    assert work.log[-1][1]["text"] == "Sudah diganti.", "the case's answer is the lead's"
    assert made[-1].data["agency"] == LEAD


@pytest.mark.parametrize("action", ["return", "withdraw"])
def test_the_case_is_answered_too_when_the_last_open_support_goes_away(action: str) -> None:
    """Who waits for complaint.answered (a local app's connector) must get it in this way as well."""
    work = Casework().verified()
    lead, support = work.sent(LEAD), work.sent(SUPPORT, "support")
    work.act(Accept(CASE_ID, lead), LEAD)
    work.act(Answer(CASE_ID, lead, "Sudah diganti."), LEAD)
    made = work.act(leg_command(action, support), SUPPORT if action == "return" else SOURCE)
    assert work.state.status == "answered"
    assert types(made)[-1] == "complaint.answered"
    assert work.log[-1][1]["text"] == "Sudah diganti."


def test_the_joint_answer_carries_the_leads_attachments_whoever_answers_last() -> None:
    photo = {"sha256": "ab" * 32, "media_type": "image/png", "size": 4}
    work = Casework().verified()
    lead, support = work.sent(LEAD), work.sent(SUPPORT, "support")
    for leg, agency in ((lead, LEAD), (support, SUPPORT)):
        work.act(Accept(CASE_ID, leg), agency)
    work.act(Answer(CASE_ID, lead, "Sudah diganti.", (photo,), ("sesudah.png",)), LEAD)
    work.act(Answer(CASE_ID, support, "Trafo normal."), SUPPORT)
    fact, texts = work.log[-1]
    assert fact.type == "complaint.answered"
    assert fact.data["attachments"] == [photo]
    assert texts["names"] == ["sesudah.png"]


@pytest.mark.parametrize(
    ("to", "pointers"),
    [
        ([(SOURCE, "lead")], ["/to/0/agency"]),
        ([("tidak-ada", "lead")], ["/to/0/agency"]),
        ([("dinas-lama", "lead")], ["/to/0/agency"]),
        ([("ombudsman", "lead")], ["/to/0/agency"]),
        ([(LEAD, "lead"), (LEAD, "support")], ["/to/1/agency"]),
        ([(LEAD, "lead"), (SUPPORT, "lead")], ["/to/1/role"]),
        ([(LEAD, "support")], ["/to"]),
        ([("tidak-ada", "lead"), (SUPPORT, "lead"), (SUPPORT, "support")],
         ["/to/0/agency", "/to/2/agency", "/to/1/role"]),
    ],
)  # fmt: skip
def test_impossible_recipients_are_named(to: list[tuple[str, str]], pointers: list[str]) -> None:
    work = Casework().verified()
    command = Forward(CASE_ID, tuple(Recipient(uuid(i), agency, role) for i, (agency, role) in enumerate(to)))
    with pytest.raises(Invalid) as refused:
        work.act(command)
    assert [pointer for pointer, _ in refused.value.flaws] == pointers


@pytest.mark.parametrize("status", ["submitted", "answered", "closed"])
def test_a_wrong_recipient_is_told_before_a_wrong_state(status: str) -> None:
    """The order of checks: 422, then 409."""
    work = in_status(status)
    with pytest.raises(Invalid):
        work.act(Forward(CASE_ID, (Recipient(uuid(9), "tidak-ada", "lead"),)))


def test_a_second_lead_and_a_second_open_leg_are_conflicts() -> None:
    work = Casework().verified()
    work.sent(LEAD)
    for recipient in (Recipient(uuid(1), SUPPORT, "lead"), Recipient(uuid(2), LEAD, "support")):
        with pytest.raises(StateConflict, match=LEAD):
            work.act(Forward(CASE_ID, (recipient,)))


def test_who_returned_may_be_asked_again() -> None:
    work = Casework().verified()
    work.act(leg_command("return", work.sent(LEAD)), LEAD)
    work.sent(LEAD, note="Tiangnya berdiri di ruas provinsi.")
    assert work.state.status == "forwarded"
    assert [leg.status for leg in work.state.legs] == ["returned", "sent"]


def test_who_left_twice_is_frozen_where_it_left_last_and_hears_no_more() -> None:
    work = Casework().verified()
    for _ in range(2):
        work.act(leg_command("return", work.sent(LEAD, note="Mohon dicek lagi.")), LEAD)
        left = work.state.version
    work.sent(SUPPORT)
    assert frozen_at(work.state, LEAD) == left
    assert not takes_part(work.state, LEAD)
    assert LEAD in work.log[left - 1][0].recipients
    assert LEAD not in work.log[-1][0].recipients
