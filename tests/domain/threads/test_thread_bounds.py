"""What a thread may gather, and how many a case: the refusals name the bound and what to do instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.bounds import (
    FULL,
    MOST_CHANGES,
    MOST_PROMISED,
    MOST_ROOMS,
    MOST_STAYS,
    MOST_THREAD_WORDS,
    OWNERS_PART,
    THREAD_FULL,
)
from hub.domain.case import Case, Room
from hub.domain.threads.around import possible
from hub.domain.threads.commands import (
    AddParticipant,
    ChangeCommitment,
    FulfilCommitment,
    MakeCommitment,
    OpenThread,
    RemoveParticipant,
)
from hub.domain.threads.rooms import open_thread
from hub.errors import StateConflict
from tests.domain.casework import uuid
from tests.domain.threads.roomwork import BALAI, CASES, FLOOD, KOTIM, PUPR, THREAD_ID, Roomwork


def opened() -> Roomwork:
    work = Roomwork()
    work.open(OpenThread(THREAD_ID, "Banjir", (FLOOD,), (PUPR,)))
    return work


def promise(number: int, text: str = "Pompa.") -> MakeCommitment:
    return MakeCommitment(THREAD_ID, uuid(number), PUPR, text, "2025-03-20")


def refused(work: Roomwork, command: object, *words: str, actor: str = KOTIM) -> StateConflict:
    with pytest.raises(StateConflict) as caught:
        work.drafts(command, actor)
    assert caught.value.type_code == THREAD_FULL
    for word in words:
        assert word in caught.value.detail
    return caught.value


def test_commitments_have_an_end_though_they_are_fulfilled() -> None:
    work = opened()
    for number in range(MOST_PROMISED):
        work.act(promise(number), KOTIM)
        work.act(FulfilCommitment(THREAD_ID, uuid(number), "Terpasang."), PUPR)
    problem = refused(work, promise(9_999), f"at most {MOST_PROMISED:,}", "Conclude it")
    assert "commit" not in problem.extra["possible"]
    assert "commit" not in possible(work.state)


def test_changes_of_one_date_have_an_end_and_it_is_still_fulfilled() -> None:
    work = opened()
    work.act(promise(1), KOTIM)
    for _ in range(MOST_CHANGES):
        work.act(ChangeCommitment(THREAD_ID, uuid(1), "2025-03-21", "Hujan."), PUPR)
    again = ChangeCommitment(THREAD_ID, uuid(1), "2025-03-24", "Hujan.")
    refused(work, again, f"{MOST_CHANGES} times", "make another", actor=PUPR)
    work.act(FulfilCommitment(THREAD_ID, uuid(1), "Terpasang."), PUPR)


def test_words_have_an_end_and_what_was_promised_is_still_fulfilled() -> None:
    work = opened()
    work.act(promise(1, "x" * MOST_THREAD_WORDS), KOTIM)
    named = f"{MOST_THREAD_WORDS:,} characters"
    assert "commit" not in refused(work, promise(2), named, "Conclude it").extra["possible"]
    refused(work, ChangeCommitment(THREAD_ID, uuid(1), "2025-03-21", "Hujan."), named, actor=PUPR)
    work.act(FulfilCommitment(THREAD_ID, uuid(1), "Terpasang."), PUPR)


def test_coming_and_going_has_an_end() -> None:
    work = opened()
    for _ in range(MOST_STAYS):
        work.act(RemoveParticipant(THREAD_ID, (FLOOD,), PUPR), KOTIM)
        work.act(AddParticipant(THREAD_ID, (FLOOD,), PUPR, "all"), KOTIM)
    work.act(RemoveParticipant(THREAD_ID, (FLOOD,), PUPR), KOTIM)
    again = AddParticipant(THREAD_ID, (FLOOD,), PUPR, "all")
    refused(work, again, PUPR, f"{MOST_STAYS} times", "another thread")
    work.act(AddParticipant(THREAD_ID, (FLOOD,), BALAI, "all"), KOTIM)


@pytest.mark.parametrize(
    ("actor", "most"), [(KOTIM, MOST_ROOMS), (PUPR, MOST_ROOMS - MOST_ROOMS // OWNERS_PART)]
)
def test_threads_about_one_case_have_an_end(actor: str, most: int) -> None:
    work = Roomwork()
    command = OpenThread(THREAD_ID, "Banjir", (FLOOD,))
    assert open_thread(command, {FLOOD: with_rooms(most - 1)}, work.around(actor))
    with pytest.raises(StateConflict) as caught:
        open_thread(command, {FLOOD: with_rooms(most)}, work.around(actor))
    assert caught.value.type_code == FULL
    assert f"at most {MOST_ROOMS}" in caught.value.detail and "Go on in one" in caught.value.detail
    assert ("by its owner" in caught.value.detail) is (actor != KOTIM)
    assert caught.value.extra["state"] == CASES[FLOOD].state.status


def with_rooms(count: int) -> Case:
    rooms = tuple(Room(uuid(0xD000 + number), {KOTIM: "2025-03-14T02:00:00.000Z"}) for number in range(count))
    return Case(replace(CASES[FLOOD].state, rooms=rooms), CASES[FLOOD].texts)
