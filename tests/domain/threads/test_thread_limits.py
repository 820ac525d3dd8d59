"""How much of a thread there may be, and what is still possible at the limit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.agency import Agency
from hub.domain.case import Case, Consultation
from hub.domain.threads import around
from hub.domain.threads.around import MOST_COMMITMENTS, MOST_EDITS, MOST_PARTICIPANTS
from hub.domain.threads.commands import (
    EditMessage,
    FulfilCommitment,
    MakeCommitment,
    WithdrawMessage,
)
from hub.errors import StateConflict
from tests.domain.casework import uuid
from tests.domain.threads import roomwork
from tests.domain.threads.roomwork import (
    BALAI,
    CASES,
    FLOOD,
    KOTIM,
    PUPR,
    THREAD_ID,
    Roomwork,
)
from tests.domain.threads.test_thread_refusals import MESSAGE, OWED, invite, leave, opening, refusal, room


def test_a_message_is_changed_so_many_times_and_can_then_be_withdrawn() -> None:
    work = room()
    for number in range(MOST_EDITS):
        work.act(EditMessage(THREAD_ID, MESSAGE, f"Versi {number}."), KOTIM)
    problem = refusal(work, EditMessage(THREAD_ID, MESSAGE, "Satu lagi."), KOTIM)
    assert isinstance(problem, StateConflict) and str(MOST_EDITS) in problem.detail
    assert work.act(WithdrawMessage(THREAD_ID, MESSAGE), KOTIM)


def test_so_many_commitments_may_be_open_and_a_kept_one_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(around, "MOST_COMMITMENTS", 4)
    monkeypatch.setattr("hub.domain.threads.commitments.MOST_COMMITMENTS", 4)
    assert MOST_COMMITMENTS == 500
    work = room()  # one is open
    made = [MakeCommitment(THREAD_ID, uuid(0xE0 + n), PUPR, "Data.", "2025-03-20") for n in range(4)]
    for each in made[:3]:
        work.act(each, BALAI)
    problem = refusal(work, made[3], BALAI)
    assert problem.extra["possible"] == ["conclude", "invite", "leave", "post"]
    work.act(FulfilCommitment(THREAD_ID, OWED, "Sudah."), PUPR)
    assert work.act(made[3], BALAI)


def test_a_thread_has_as_many_participants_as_a_request_may_name(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [f"dinas-{number}" for number in range(MOST_PARTICIPANTS)]
    registry = roomwork.REGISTRY | {name: Agency(name, name, "unit") for name in many}
    asked = tuple(Consultation(uuid(n), KOTIM, name, "open", "", "") for n, name in enumerate(many))
    crowded = Case(replace(CASES[FLOOD].state, consultations=asked), CASES[FLOOD].texts)
    monkeypatch.setattr(roomwork, "REGISTRY", registry)
    monkeypatch.setitem(CASES, FLOOD, crowded)
    work = Roomwork()
    work.open(opening((FLOOD,), tuple(many[:-1])), KOTIM)
    assert len(work.state.present()) == MOST_PARTICIPANTS == 51
    problem = refusal(work, invite(many[-1]), KOTIM)
    assert problem.extra["possible"] == ["commit", "conclude", "leave", "post"]
    work.act(leave(many[0]), many[0])
    assert work.act(invite(many[-1]), KOTIM)
