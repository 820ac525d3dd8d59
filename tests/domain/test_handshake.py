"""Every cell of the transition tables: what is allowed leads where the table says, all else is a 409 that
names the state and what is possible instead."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.case import CaseState
from hub.domain.commands import (
    Close,
    Forward,
    Recipient,
    Reopen,
    Return,
    Verify,
)
from hub.domain.transitions import CASE, CLOSURE_REASONS, LEG, RETURN_REASONS, STATUS_BY_DECISION
from hub.errors import Invalid, StateConflict
from tests.domain.casework import CASE_ID, HANDLERS, SOURCE, Casework, in_status, leg_command, uuid

LEAD, SUPPORT, THIRD = HANDLERS
CASE_ACTIONS = ("verify", "forward", "close", "reopen")
LEG_ACTIONS = ("accept", "return", "progress", "answer", "withdraw")


def case_command(action: str) -> Any:
    return {
        "verify": Verify(CASE_ID, "accept"),
        "forward": Forward(CASE_ID, (Recipient(uuid(9), THIRD, "support"),)),
        "close": Close(CASE_ID, "resolved"),
        "reopen": Reopen(CASE_ID, "Lampunya padam lagi."),
    }[action]


PATHS = {
    "sent": (),
    "accepted": ("accept",),
    "in_progress": ("accept", "progress"),
    "answered": ("accept", "answer"),
    "returned": ("return",),
    "withdrawn": ("withdraw",),
}


def with_leg(status: str) -> tuple[Casework, str]:
    """A case whose lead leg is in `status`, held in_progress by a supporting leg that stays open."""
    work = Casework().verified()
    leg = work.sent(LEAD)
    work.sent(SUPPORT, "support")
    for action in PATHS[status]:
        work.act(leg_command(action, leg), SOURCE if action == "withdraw" else LEAD)
    assert work.state.leg(leg).status == status
    return work, leg


@pytest.mark.parametrize("action", LEG_ACTIONS)
@pytest.mark.parametrize("status", LEG)
def test_every_cell_of_the_leg_table(status: str, action: str) -> None:
    work, leg = with_leg(status)
    version = work.state.version
    if action in LEG[status]:
        work.act(leg_command(action, leg), LEAD)
        assert work.state.leg(leg).status == LEG[status][action]
        assert work.state.version > version
        return
    with pytest.raises(StateConflict) as refused:
        work.act(leg_command(action, leg), LEAD)
    assert refused.value.status == 409
    possible = sorted(LEG[status].keys() - {"withdraw"})  # which is its sender's
    assert refused.value.extra == {"state": status, "version": version, "possible": possible}
    assert status in refused.value.detail
    assert work.state.version == version


@pytest.mark.parametrize("action", CASE_ACTIONS)
@pytest.mark.parametrize("status", CASE)
def test_every_cell_of_the_case_table(status: str, action: str) -> None:
    work = in_status(status)
    version = work.state.version
    command = case_command(action)
    if action == "forward" and work.state.lead() is None:
        command = Forward(CASE_ID, (Recipient(uuid(9), THIRD, "lead"),))
    allowed = action in CASE[status] and not (action == "close" and work.state.open_legs())
    if allowed:
        work.act(command)
        assert work.state.version > version
        return
    with pytest.raises(StateConflict) as refused:
        work.act(command)
    assert refused.value.extra["state"] == status
    assert refused.value.extra["version"] == version
    possible = CASE[status].keys() - {"escalate"}  # which the law does not allow yet
    if work.state.open_legs():
        possible = possible - {"close"} | {"withdraw"}
    assert refused.value.extra["possible"] == sorted(possible)
    assert work.state.version == version


@pytest.mark.parametrize("action", LEG_ACTIONS)
def test_nothing_moves_a_leg_of_a_closed_case(action: str) -> None:
    work = in_status("closed")
    leg = work.state.legs[0].id
    with pytest.raises(StateConflict) as refused:
        work.act(leg_command(action, leg), LEAD)
    assert refused.value.extra["possible"] == []
    assert "closed" in refused.value.detail


@pytest.mark.parametrize(("decision", "status"), STATUS_BY_DECISION.items())
def test_decisions(decision: str, status: str) -> None:
    work = Casework()
    work.submit()
    (fact,) = work.act(Verify(CASE_ID, decision, None if decision == "accept" else "Foto kabur."))
    assert (fact.type, work.state.status) == (f"complaint.{status}", status)


@pytest.mark.parametrize("verdict", ["incomplete", "reject"])
def test_asking_back_or_rejecting_says_why(verdict: str) -> None:
    work = Casework()
    work.submit()
    with pytest.raises(Invalid) as refused:
        work.act(Verify(CASE_ID, verdict))
    assert [pointer for pointer, _ in refused.value.flaws] == ["/reason"]


def test_an_incomplete_complaint_can_be_verified_later() -> None:
    work = in_status("incomplete")
    work.act(Verify(CASE_ID, "accept"))
    assert work.state.status == "verified"


@pytest.mark.parametrize("reason", RETURN_REASONS)
def test_a_return_never_closes_and_gives_the_case_back(reason: str) -> None:
    work = Casework().verified()
    leg = work.sent(LEAD)
    work.act(Return(CASE_ID, leg, reason, "Lihat keterangan.", SUPPORT), LEAD)
    assert work.state.status == "verified"
    found = work.state.leg(leg)
    assert (found.reason, found.suggested_agency) == (reason, SUPPORT)


@pytest.mark.parametrize(
    ("command", "pointer"),
    [
        (lambda leg: Return(CASE_ID, leg, "bosan"), "/reason"),
        (lambda leg: Return(CASE_ID, leg, "other"), "/text"),
    ],
)
def test_a_return_names_a_listed_reason(command: Any, pointer: str) -> None:
    work = Casework().verified()
    with pytest.raises(Invalid) as refused:
        work.act(command(work.sent(LEAD)), LEAD)
    assert refused.value.flaws[0][0] == pointer


@pytest.mark.parametrize("reason", CLOSURE_REASONS)
def test_closing_carries_its_reason(reason: str) -> None:
    work = in_status("answered")
    (fact,) = work.act(Close(CASE_ID, reason, "Selesai."))
    assert fact.data["reason"] == reason


@pytest.mark.parametrize(
    ("command", "pointer"), [(Close(CASE_ID, "other"), "/text"), (Close(CASE_ID, "lupa"), "/reason")]
)
def test_closing_names_a_listed_reason(command: Close, pointer: str) -> None:
    work = in_status("answered")
    with pytest.raises(Invalid) as refused:
        work.act(command)
    assert refused.value.flaws[0][0] == pointer


def test_closing_over_an_open_leg_names_who_holds_it() -> None:
    work = in_status("in_progress")
    with pytest.raises(StateConflict, match=LEAD):
        work.act(Close(CASE_ID, "resolved"))


@pytest.mark.parametrize("status", ["answered", "closed"])
def test_reopening_leads_to_in_progress_with_the_lead_leg(status: str) -> None:
    work = in_status(status)
    work.act(Reopen(CASE_ID, "Lampunya padam lagi."))
    assert work.state.status == "in_progress"
    assert work.state.lead().status == "in_progress"
    assert work.state.legs[0].answered_at is not None, "that it was answered once stays known"


@pytest.mark.parametrize(
    ("status", "then"), [("submitted", "submitted"), ("verified", "verified"), ("rejected", "submitted")]
)
def test_reopening_without_a_lead_leads_back_to_where_it_can_go_on(status: str, then: str) -> None:
    work = in_status(status)
    work.act(Close(CASE_ID, "archived"))
    work.act(Reopen(CASE_ID, "Pelapor menyusulkan foto."))
    assert work.state.status == then


def test_reopening_without_a_lead_but_with_an_answered_support_says_what_the_legs_say() -> None:
    work = Casework().verified()
    lead, support = work.sent(LEAD), work.sent(SUPPORT, "support")
    for action in ("accept", "answer"):
        work.act(leg_command(action, support), SUPPORT)
    work.act(leg_command("return", lead), LEAD)
    before = work.state.status
    work.act(Close(CASE_ID, "archived"))
    work.act(Reopen(CASE_ID, "Masih gelap."))
    assert work.state.status == before == "in_progress"


def test_state_survives_its_json() -> None:
    import orjson

    work, _ = with_leg("returned")
    assert CaseState.from_document(orjson.loads(orjson.dumps(work.state))) == work.state


def test_the_tables_are_closed() -> None:
    """Every status that a leg can reach has a row, and what has no open leg can be closed."""
    assert {status for row in LEG.values() for status in row.values()} <= LEG.keys()
    assert {status for status, possible in CASE.items() if "close" not in possible} == {"forwarded", "closed"}
