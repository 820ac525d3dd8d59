"""Every refusal of a thread's decisions: which problem, at which field, and what a 409 says is possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.domain.case import Case
from hub.domain.threads.commands import (
    AddParticipant,
    ChangeCommitment,
    Conclude,
    EditMessage,
    FulfilCommitment,
    MakeCommitment,
    OpenThread,
    PostMessage,
    RemoveParticipant,
    ReopenThread,
    WithdrawMessage,
)
from hub.domain.threads.rooms import open_thread
from hub.errors import Forbidden, Invalid, NotFound, Problem, StateConflict
from tests.domain.casework import uuid
from tests.domain.threads.roomwork import (
    BALAI,
    BANJAR,
    BRIDGE,
    CASES,
    FLOOD,
    GONE,
    KOTIM,
    OFFICERS,
    ORPHAN,
    OUTSIDE,
    PAPUA,
    PUPR,
    SPARE,
    THREAD_ID,
    Roomwork,
)

MESSAGE, SECRET, BACK, OWED, DONE, NOWHERE = (uuid(0xB0 + place) for place in range(6))
ACCOUNTS = {agency: account for account, agency in OFFICERS.items()}
OPEN = ["commit", "conclude", "invite", "leave", "post"]


def room(cases: tuple[str, ...] = (FLOOD,), others: tuple[str, ...] = (PUPR, BALAI)) -> Roomwork:
    """Opened by KOTIM: a message, an internal one and a withdrawn one of its own; two commitments of PUPR,
    one of them kept."""
    work = Roomwork()
    work.open(OpenThread(THREAD_ID, "Banjir di batas", cases, others), KOTIM)
    for name, scope in ((MESSAGE, "agencies"), (SECRET, "internal"), (BACK, "agencies")):
        work.act(PostMessage(THREAD_ID, name, "Air naik.", scope), KOTIM)
    work.act(WithdrawMessage(THREAD_ID, BACK), KOTIM)
    for name in (OWED, DONE):
        work.act(MakeCommitment(THREAD_ID, name, PUPR, "Pompa.", "2025-03-20"), KOTIM)
    work.act(FulfilCommitment(THREAD_ID, DONE, "Sudah."), PUPR)
    return work


def concluded() -> Roomwork:
    work = room()
    work.act(Conclude(THREAD_ID, "Surut.", despite_open_commitments=True), KOTIM)
    return work


def with_newcomer() -> Roomwork:
    """PAPUA came from now on: it knows of nothing that was before."""
    work = room()
    work.act(AddParticipant(THREAD_ID, (FLOOD,), PAPUA, "from_now"), KOTIM)
    return work


def alone() -> Roomwork:
    work = room()
    for agency in (PUPR, BALAI):
        work.act(RemoveParticipant(THREAD_ID, (FLOOD,), agency), agency)
    return work


def erased() -> Roomwork:
    work = room()
    work.thread, work.messages = work.folded(erased=True)
    return work


def refusal(work: Roomwork, command: Any, actor: str) -> Problem:
    count, thread, messages = len(work.log), work.thread, dict(work.messages)
    with pytest.raises(Problem) as refused:
        work.act(command, actor)
    assert (len(work.log), work.thread, work.messages) == (count, thread, messages)
    return refused.value


def post(scope: str = "agencies", **more: Any) -> PostMessage:
    return PostMessage(THREAD_ID, NOWHERE, "Halo.", scope, **more)


def opening(cases: tuple[str, ...], participants: tuple[str, ...] = ()) -> OpenThread:
    return OpenThread(THREAD_ID, "Banjir", cases, participants)


def invite(agency: str) -> AddParticipant:
    return AddParticipant(THREAD_ID, (FLOOD,), agency, "all")


def leave(agency: str) -> RemoveParticipant:
    return RemoveParticipant(THREAD_ID, (FLOOD,), agency)


@pytest.mark.parametrize(
    ("command", "actor", "pointers"),
    [
        (opening((NOWHERE,)), KOTIM, ["/cases/0"]),
        (opening((FLOOD, BRIDGE)), PAPUA, ["/cases/1"]),  # there, but not its own: the same words
        (opening((FLOOD,), (PUPR, OUTSIDE, GONE, "entah")), KOTIM, [f"/participants/{n}" for n in (1, 2, 3)]),
        (opening((FLOOD,), (BANJAR,)), KOTIM, ["/participants/0"]),
    ],
)
def test_opening_is_refused_at_the_field(command: OpenThread, actor: str, pointers: list[str]) -> None:
    work = Roomwork()
    with pytest.raises(Invalid) as refused:
        work.open(command, actor)
    assert [pointer for pointer, _ in refused.value.flaws] == pointers
    assert work.thread is None and not work.log


def test_a_case_that_is_not_there_and_one_of_others_are_refused_alike() -> None:
    said = []
    for name in (NOWHERE, BRIDGE):
        with pytest.raises(Invalid) as refused:
            Roomwork().open(opening((name,)), PAPUA)
        said.append(refused.value.flaws[0][1].replace(name, "..."))
    assert said[0] == said[1]


def test_whoever_takes_part_in_one_of_the_cases_may_be_invited_and_the_opener_named_again() -> None:
    work = Roomwork()
    work.open(opening((FLOOD, BRIDGE), (BANJAR, PAPUA, KOTIM, BANJAR)), KOTIM)
    assert work.state.present() == [KOTIM, BANJAR, PAPUA]
    assert work.state.sources == {FLOOD: KOTIM, BRIDGE: BANJAR}


def test_over_an_erased_case_no_thread_is_opened() -> None:
    case = CASES[FLOOD]
    gone = Case(replace(case.state, erased=True), None)
    with pytest.raises(StateConflict) as refused:
        open_thread(opening((FLOOD,)), {FLOOD: gone}, Roomwork().around(KOTIM))
    assert refused.value.extra == {"state": "submitted", "version": 9, "possible": []}
    assert FLOOD in refused.value.detail


@pytest.mark.parametrize(
    ("command", "pointers"),
    [
        (post(mentions=(PUPR, OUTSIDE, NOWHERE)), ["/mentions/1", "/mentions/2"]),
        (post(mentions=(PAPUA, ACCOUNTS[PAPUA])), ["/mentions/0", "/mentions/1"]),  # not in the thread
        (post("internal", mentions=(KOTIM, ACCOUNTS[KOTIM], PUPR, ACCOUNTS[PUPR])),
         ["/mentions/2", "/mentions/3"]),
        (post(cases=(FLOOD,)), ["/cases"]),
        (post("internal", cases=(FLOOD,)), ["/cases"]),
        (post("reporter", cases=(FLOOD, BRIDGE)), ["/cases/1"]),
        (invite(OUTSIDE), ["/agency"]),
        (invite(GONE), ["/agency"]),
        (invite("entah"), ["/agency"]),
        (MakeCommitment(THREAD_ID, NOWHERE, PAPUA, "Data.", "2025-03-20"), ["/agency"]),
        (MakeCommitment(THREAD_ID, NOWHERE, PUPR, "Data.", "2025-03-01"), ["/due_on"]),
        (ChangeCommitment(THREAD_ID, OWED, "2025-03-01", "Hujan."), ["/due_on"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_422_at_the_field(command: Any, pointers: list[str]) -> None:
    problem = refusal(room(), command, KOTIM)
    assert isinstance(problem, Invalid)
    assert [pointer for pointer, _ in problem.flaws] == pointers


@pytest.mark.parametrize(
    ("command", "actor"),
    [
        (EditMessage(THREAD_ID, MESSAGE, "Bukan saya."), PUPR),
        (WithdrawMessage(THREAD_ID, MESSAGE), PUPR),
        (leave(PUPR), BALAI),
        (leave(KOTIM), BALAI),
        (ChangeCommitment(THREAD_ID, OWED, "2025-03-21", "Hujan."), BALAI),
        (FulfilCommitment(THREAD_ID, OWED, "Sudah."), BALAI),
    ],
)
def test_what_is_anothers_is_403(command: Any, actor: str) -> None:
    assert isinstance(refusal(room(), command, actor), Forbidden)


@pytest.mark.parametrize(
    ("command", "actor"),
    [
        (EditMessage(THREAD_ID, NOWHERE, "Apa?"), KOTIM),
        (WithdrawMessage(THREAD_ID, NOWHERE), KOTIM),
        (EditMessage(THREAD_ID, SECRET, "Apa?"), PUPR),
        (WithdrawMessage(THREAD_ID, SECRET), PUPR),
        (EditMessage(THREAD_ID, MESSAGE, "Apa?"), PAPUA),  # posted before it came
        (ChangeCommitment(THREAD_ID, NOWHERE, "2025-03-21", "?"), KOTIM),
        (FulfilCommitment(THREAD_ID, NOWHERE, "?"), KOTIM),
        (ChangeCommitment(THREAD_ID, OWED, "2025-03-21", "?"), PAPUA),
        (FulfilCommitment(THREAD_ID, OWED, "?"), PAPUA),
    ],
)
def test_what_one_may_not_know_of_is_404_as_if_it_were_not_there(command: Any, actor: str) -> None:
    problem = refusal(with_newcomer(), command, actor)
    assert isinstance(problem, NotFound) and not problem.extra
    assert PUPR not in problem.detail and KOTIM not in problem.detail, "nobody is named"


@pytest.mark.parametrize(
    ("made", "command", "state", "possible"),
    [
        (room, invite(PUPR), "open", OPEN),
        (room, leave(PAPUA), "open", OPEN),
        (room, Conclude(THREAD_ID, "Selesai."), "open", OPEN),
        (room, ReopenThread(THREAD_ID), "open", OPEN),
        (room, EditMessage(THREAD_ID, BACK, "Lagi."), "open", OPEN),
        (room, WithdrawMessage(THREAD_ID, BACK), "open", OPEN),
        (room, ChangeCommitment(THREAD_ID, DONE, "2025-03-21", "?"), "open", OPEN),
        (room, FulfilCommitment(THREAD_ID, DONE, "?"), "open", OPEN),
        (alone, leave(KOTIM), "open", ["commit", "conclude", "invite", "post"]),
        (concluded, post(), "concluded", ["reopen"]),
        (concluded, post("internal"), "concluded", ["reopen"]),
        (concluded, EditMessage(THREAD_ID, MESSAGE, "Lagi."), "concluded", ["reopen"]),
        (concluded, WithdrawMessage(THREAD_ID, MESSAGE), "concluded", ["reopen"]),
        (concluded, invite(SPARE), "concluded", ["reopen"]),
        (concluded, leave(KOTIM), "concluded", ["reopen"]),
        (concluded, Conclude(THREAD_ID, "Lagi.", True), "concluded", ["reopen"]),
        (concluded, MakeCommitment(THREAD_ID, NOWHERE, PUPR, "?", "2025-03-20"), "concluded", ["reopen"]),
        (erased, post(), "open", []),
        (erased, EditMessage(THREAD_ID, MESSAGE, "Lagi."), "open", []),
        (erased, WithdrawMessage(THREAD_ID, MESSAGE), "open", []),
        (erased, invite(SPARE), "open", []),
        (erased, Conclude(THREAD_ID, "?", True), "open", []),
        (erased, ReopenThread(THREAD_ID), "open", []),
        (erased, MakeCommitment(THREAD_ID, NOWHERE, PUPR, "?", "2025-03-20"), "open", []),
        (erased, ChangeCommitment(THREAD_ID, OWED, "2025-03-21", "?"), "open", []),
        (erased, FulfilCommitment(THREAD_ID, OWED, "?"), "open", []),
    ],
)
def test_a_409_names_the_state_and_what_is_possible(
    made: Callable[[], Roomwork], command: Any, state: str, possible: list[str]
) -> None:
    work = made()
    problem = refusal(work, command, KOTIM)
    assert isinstance(problem, StateConflict)
    assert problem.extra == {"state": state, "version": work.state.version, "possible": possible}
    assert problem.detail.endswith(f"Possible now: {', '.join(possible) or 'nothing'}.")


def test_a_409_tells_nothing_of_internal_messages() -> None:
    work = room()
    version = work.state.version
    work.act(PostMessage(THREAD_ID, NOWHERE, "Diam-diam.", "internal"), KOTIM)
    assert refusal(work, invite(PUPR), BALAI).extra["version"] == version


def test_a_source_that_is_gone_cannot_carry_to_the_reporter() -> None:
    work = room((FLOOD, ORPHAN))
    for named in ((), (ORPHAN,)):
        problem = refusal(work, post("reporter", cases=named), BALAI)
        assert isinstance(problem, StateConflict) and GONE in problem.detail and ORPHAN in problem.detail
    assert work.act(post("reporter", cases=(FLOOD,)), BALAI)


def test_an_erased_thread_owes_nothing_and_is_not_woken() -> None:
    work = erased()
    assert work.state.unfulfilled() and work.state.next_wake() is None
    assert not work.wait(days=60)
