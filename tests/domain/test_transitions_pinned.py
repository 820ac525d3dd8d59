"""Every (status, command) of a case and of a leg, written out by hand from the contract and the domain
reference. Nothing here is made from the code's own table: whoever changes that must change this too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.domain.audience import actions
from hub.domain.commands import (
    Accept,
    Answer,
    Close,
    Consult,
    Escalate,
    Forward,
    Progress,
    Recipient,
    Reopen,
    Reply,
    Return,
    Verify,
    Withdraw,
)
from hub.domain.transitions import CASE, LEG
from hub.domain.working_time import instant
from hub.errors import StateConflict
from tests.domain.casework import CASE_ID, HANDLERS, SOURCE, Casework, uuid

LEAD, SUPPORT, THIRD = HANDLERS
NO, AGAIN, BACK, SAME = "409", "in_progress", "submitted", "as before"

# Contract: case.status; `POST /v1/cases/{id}/verification`, `/forwardings`, `/closure`, `/reopening`;
# "Reopening leads from answered or closed to in_progress, with the lead leg"; "Closing while a leg is open is
# a 409". The forwarded and the in_progress case below have one open leg, the lead's; `forward` names a lead
# where nobody leads yet, else a support. `/replies` is the reporter's; the source here owns the case too.
CASES = [
    # status        accept      incomplete    reject      consult      forward      close     reopen  reply
    ("submitted",   "verified", "incomplete", "rejected", NO,          NO,          "closed", NO,     SAME),
    ("incomplete",  "verified", "incomplete", "rejected", NO,          NO,          "closed", NO,     BACK),
    ("verified",    NO,         NO,           NO,         "verified",  "forwarded", "closed", NO,     SAME),
    ("forwarded",   NO,         NO,           NO,         "forwarded", "forwarded", NO,       NO,     SAME),
    ("in_progress", NO,         NO,           NO,         AGAIN,       AGAIN,       NO,       NO,     SAME),
    ("answered",    NO,         NO,           NO,         NO,          NO,          "closed", AGAIN,  SAME),
    ("closed",      NO,         NO,           NO,         NO,          NO,          NO,       AGAIN,  NO),
    ("rejected",    NO,         NO,           NO,         NO,          NO,          "closed", NO,     NO),
]  # fmt: skip
COMMANDS = ("accept", "incomplete", "reject", "consult", "forward", "close", "reopen", "reply")
ESCALATES = {"submitted", "incomplete", "verified", "forwarded", "in_progress", "answered"}
"""Where a case may go to the Ombudsman, 60 days after the complaint: neither closed nor rejected."""

# Contract: forwarding.status; `/acceptance`, `/return`, `/progress`, `/answer` ("from accepted or
# in_progress"), `/withdrawal`. What was answered is moved by reopening alone; what was returned or withdrawn
# stays so, and who returned may be sent another leg.
LEGS = [
    # status         accept        return       progress        answer       withdraw
    ("sent",         "accepted",   "returned",  NO,             NO,          "withdrawn"),
    ("accepted",     NO,           "returned",  "in_progress",  "answered",  "withdrawn"),
    ("in_progress",  NO,           "returned",  "in_progress",  "answered",  "withdrawn"),
    ("answered",     NO,           NO,          NO,             NO,          NO),
    ("returned",     NO,           NO,          NO,             NO,          NO),
    ("withdrawn",    NO,           NO,          NO,             NO,          NO),
]  # fmt: skip
LEG_COMMANDS = ("accept", "return", "progress", "answer", "withdraw")

# What the case becomes when its only leg, the lead's, moves.
CASE_AFTER = {
    "accepted": "in_progress",
    "in_progress": "in_progress",
    "answered": "answered",
    "returned": "verified",
    "withdrawn": "verified",
}

# What a refusal of the case's commands names as possible for who owns it and is its source (Errors: "409 ...
# names it, and what is possible"); of a leg's, for who holds it.
POSSIBLE = {
    "submitted": ["close", "reply", "verify"],
    "incomplete": ["close", "reply", "verify"],
    "verified": ["close", "consult", "forward", "reply"],
    "forwarded": ["consult", "forward", "reply", "withdraw"],  # a leg is open: closing is a 409 too
    "in_progress": ["consult", "forward", "reply", "withdraw"],
    "answered": ["close", "reopen", "reply"],
    "closed": ["reopen"],
    "rejected": ["close"],
}
LEG_POSSIBLE = {
    "sent": ["accept", "return"],
    "accepted": ["answer", "progress", "return"],
    "in_progress": ["answer", "progress", "return"],
    "answered": [],
    "returned": [],
    "withdrawn": [],
}

CASE_CELLS = [(row[0], name, then) for row in CASES for name, then in zip(COMMANDS, row[1:], strict=True)]
LEG_CELLS = [(row[0], name, then) for row in LEGS for name, then in zip(LEG_COMMANDS, row[1:], strict=True)]

# The acts that lead to a status, by name; `leg` is the lead's.
ROADS: dict[str, tuple[str, ...]] = {
    "submitted": (),
    "incomplete": ("incomplete",),
    "rejected": ("reject",),
    "verified": ("accept",),
    "forwarded": ("accept", "forward"),
    "in_progress": ("accept", "forward", "leg accept"),
    "answered": ("accept", "forward", "leg accept", "leg answer"),
    "closed": ("accept", "forward", "leg accept", "leg answer", "close"),
}
LEG_ROADS: dict[str, tuple[str, ...]] = {
    "sent": (),
    "accepted": ("leg accept",),
    "in_progress": ("leg accept", "leg progress"),
    "answered": ("leg accept", "leg answer"),
    "returned": ("leg return",),
    "withdrawn": ("leg withdraw",),
}


def command(name: str, work: Casework) -> tuple[Any, str]:
    """The command and who gives it."""
    if name.startswith("leg "):
        leg = work.state.legs[0].id
        made: dict[str, Any] = {
            "leg accept": Accept(CASE_ID, leg),
            "leg return": Return(CASE_ID, leg, "not_ours"),
            "leg progress": Progress(CASE_ID, leg, "Tim sudah ke lokasi."),
            "leg answer": Answer(CASE_ID, leg, "Lampu sudah diganti."),
            "leg withdraw": Withdraw(CASE_ID, leg, "Salah alamat."),
        }
        return made[name], SOURCE if name == "leg withdraw" else LEAD
    role = "support" if work.state.legs else "lead"
    to = Recipient(uuid(len(work.state.legs) + 1), SUPPORT if work.state.legs else LEAD, role)
    owners: dict[str, Any] = {
        "accept": Verify(CASE_ID, "accept"),
        "incomplete": Verify(CASE_ID, "incomplete", "Lokasi belum disebut."),
        "reject": Verify(CASE_ID, "reject", "Bukan urusan pemerintah."),
        "consult": Consult(CASE_ID, uuid(77), THIRD, "Apakah ini aset PLN?"),
        "forward": Forward(CASE_ID, (to,)),
        "close": Close(CASE_ID, "resolved"),
        "reopen": Reopen(CASE_ID, "Lampunya padam lagi."),
        "reply": Reply(CASE_ID, "Di depan pasar."),
        "escalate": Escalate(CASE_ID, "Sudah dua bulan."),
    }
    return owners[name], SOURCE


def after(*acts: str) -> Casework:
    work = Casework()
    work.submit()
    for name in acts:
        work.act(*command(name, work))
    return work


def refused(work: Casework, name: str) -> StateConflict:
    before = work.case
    with pytest.raises(StateConflict) as caught:
        work.act(*command(name, work))
    assert caught.value.status == 409
    assert work.case is before
    return caught.value


@pytest.mark.parametrize(("status", "name", "then"), CASE_CELLS)
def test_every_cell_of_the_case(status: str, name: str, then: str) -> None:
    work = after(*ROADS[status])
    assert work.state.status == status
    if then == NO:
        problem = refused(work, name)
        assert (problem.extra["state"], problem.extra["possible"]) == (status, POSSIBLE[status])
        return
    work.act(*command(name, work))
    assert work.state.status == (status if then == SAME else then)


@pytest.mark.parametrize("status", ROADS)
def test_the_ombudsman_once_the_law_allows_it(status: str) -> None:
    """60 days after the complaint, while somebody works on the case; it stays in its status."""
    work = after(*ROADS[status])
    assert "escalate" not in refused(work, "escalate").extra["possible"]
    work.at = instant(work.state.created_at) + timedelta(days=60, milliseconds=-1)
    assert refused(work, "escalate").extra["state"] == status
    work.at += timedelta(milliseconds=1)
    assert ("escalate" in actions(work.state, SOURCE, work.now)) == (status in ESCALATES)
    if status in ESCALATES:
        work.act(*command("escalate", work))
        assert (work.state.status, work.state.overseers) == (status, ("ombudsman",))
    assert "escalate" not in refused(work, "escalate").extra["possible"], "once"


@pytest.mark.parametrize(("status", "name", "then"), LEG_CELLS)
def test_every_cell_of_a_leg(status: str, name: str, then: str) -> None:
    work = after("accept", "forward", *LEG_ROADS[status])
    assert work.state.legs[0].status == status
    if then == NO:
        problem = refused(work, f"leg {name}")
        assert (problem.extra["state"], problem.extra["possible"]) == (status, LEG_POSSIBLE[status])
        return
    work.act(*command(f"leg {name}", work))
    assert (work.state.legs[0].status, work.state.status) == (then, CASE_AFTER[then])


@pytest.mark.parametrize("name", LEG_COMMANDS)
def test_no_leg_of_a_closed_case_moves(name: str) -> None:
    problem = refused(after(*ROADS["closed"]), f"leg {name}")
    assert problem.extra["possible"] == []


@pytest.mark.parametrize(
    ("road", "then"),
    [
        (("close",), "submitted"),
        (("incomplete", "close"), "submitted"),
        (("reject", "close"), "submitted"),
        (("accept", "close"), "verified"),
        (("accept", "forward", "leg return", "close"), "verified"),
        (("accept", "forward", "leg accept", "leg answer", "close"), "in_progress"),
    ],
)
def test_reopening_what_was_closed(road: tuple[str, ...], then: str) -> None:
    """With a lead leg to in_progress (contract); without one, where the owner can go on."""
    work = after(*road, "reopen")
    assert work.state.status == then


def test_the_words_are_the_contracts_and_all_of_them() -> None:
    cases = "submitted verified forwarded in_progress answered closed incomplete rejected"
    legs = "sent accepted in_progress answered returned withdrawn"
    assert {row[0] for row in CASES} == set(cases.split()) == set(CASE)
    assert {row[0] for row in LEGS} == set(legs.split()) == set(LEG)
