"""What a case may gather: at each bound the refusal names it and what to do instead, and whoever only takes
part leaves places to the owner."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.audience import actions
from hub.domain.bounds import (
    FULL,
    MOST_ASKED_BACK,
    MOST_CONSULTATIONS,
    MOST_LEGS,
    MOST_LINKS,
    MOST_WORDS,
    OWNERS_PART,
    asked_back,
    has_words_left,
)
from hub.domain.case import Case, CaseLink, CaseState
from hub.domain.commands import Accept, Advise, Answer, Consult, Forward, Recipient, Reply, Verify, Withdraw
from hub.domain.links import link
from hub.errors import Problem, StateConflict
from tests.domain.casework import CASE_ID, HANDLERS, SOURCE, SPARE, Casework, uuid
from tests.domain.waitwork import work_in

FIRST, SECOND, THIRD = HANDLERS


def full(refused: Problem | None, *words: str) -> StateConflict:
    """The refusal by a bound, with all these words."""
    assert isinstance(refused, StateConflict)
    assert refused.type_code == FULL
    for word in words:
        assert word in refused.detail
    return refused


def sent_and_withdrawn(work: Casework, count: int, actor: str = SOURCE, to: str = SPARE) -> None:
    for _ in range(count):
        leg = uuid(next(work.numbers))
        work.act(Forward(CASE_ID, (Recipient(leg, to, "support"),)), actor)
        work.act(Withdraw(CASE_ID, leg, "Salah alamat."), actor)


def may(work: Casework, agency: str) -> list[str]:
    return actions(work.state, agency, work.now)


def test_forwardings_have_an_end_and_what_is_open_is_still_answered() -> None:
    work = Casework().verified()
    lead = work.sent(FIRST)
    work.act(_accept(lead), FIRST)
    sent_and_withdrawn(work, MOST_LEGS - 2)
    two = Forward(CASE_ID, (Recipient(uuid(1), SPARE, "support"), Recipient(uuid(2), THIRD, "support")))
    full(work.would(two), f"at most {MOST_LEGS}", "may add 1")
    assert "forward" in may(work, SOURCE), "one has room"
    sent_and_withdrawn(work, 1)
    refused = full(work.would(_to(SPARE)), f"at most {MOST_LEGS}", "answer", "close it")
    assert "forward" not in refused.extra["possible"]
    assert "forward" not in may(work, SOURCE)
    work.act(Answer(CASE_ID, lead, "Lampu sudah diganti."), FIRST)
    assert work.state.status == "answered"


def test_who_only_handles_a_case_leaves_places_to_its_owner() -> None:
    work = Casework().verified()
    lead = work.sent(FIRST)
    work.act(_accept(lead), FIRST)
    sent_and_withdrawn(work, MOST_LEGS - MOST_LEGS // OWNERS_PART - 1, FIRST)
    full(work.would(_to(SPARE), FIRST), f"the last {MOST_LEGS // OWNERS_PART} by its owner")
    assert "forward" not in may(work, FIRST)
    work.act(_to(SPARE))
    assert "forward" in may(work, SOURCE)


def test_consultations_have_an_end_and_the_verdict_is_still_given() -> None:
    work = Casework().verified()
    for number in range(MOST_CONSULTATIONS):
        work.act(Consult(CASE_ID, uuid(number), SPARE, "Milik siapa?"))
        if number < MOST_CONSULTATIONS - 1:
            work.act(Advise(CASE_ID, uuid(number), "partly"), SPARE)
    ask = Consult(CASE_ID, uuid(9_000), SECOND, "Milik siapa?")
    refused = full(work.would(ask), f"At most {MOST_CONSULTATIONS}", "forward it")
    assert "consult" not in refused.extra["possible"]
    assert "consult" not in may(work, SOURCE)
    work.act(Advise(CASE_ID, uuid(MOST_CONSULTATIONS - 1), "ours"), SPARE)
    assert "forward" in may(work, SOURCE)


@pytest.mark.parametrize("replied", [True, False])
def test_asking_the_reporter_back_has_an_end(replied: bool) -> None:
    work = work_in("submitted")
    for _ in range(MOST_ASKED_BACK):
        work.act(Verify(CASE_ID, "incomplete", "Nomor tiang belum disebut."))
        if replied:
            work.act(Reply(CASE_ID, "Tiang 14."))
    assert asked_back(work.state) == MOST_ASKED_BACK
    again = Verify(CASE_ID, "incomplete", "Nomor tiang belum disebut.")
    full(work.would(again), f"at most {MOST_ASKED_BACK} times", "accept or reject")
    work.act(Verify(CASE_ID, "accept"))


def test_asking_back_is_counted_where_no_policy_gives_the_reply_a_time() -> None:
    work = work_in("submitted")
    work.act(Verify(CASE_ID, "incomplete", "Nomor tiang belum disebut."))
    without = tuple(clock for clock in work.state.clocks if clock.stage != "reply")
    assert asked_back(replace(work.state, clocks=without)) == 1
    assert asked_back(replace(work.state, clocks=())) == 0


def test_words_have_an_end_for_who_asks_and_none_for_who_answers() -> None:
    work = Casework().verified()
    lead = work.sent(FIRST, note="x" * (MOST_WORDS - 1))
    work.act(_accept(lead), FIRST)
    work.act(Consult(CASE_ID, uuid(1), SPARE, "Milik siapa?"))
    named = f"{MOST_WORDS:,} characters"
    ask = Consult(CASE_ID, uuid(2), SECOND, "Milik siapa?")
    assert "consult" not in full(work.would(ask), named, "thread").extra["possible"]
    assert "forward" not in full(work.would(_to(SECOND)), named, "answer").extra["possible"]
    work.act(Advise(CASE_ID, uuid(1), "partly", None, "Sebagian."), SPARE)
    work.act(Answer(CASE_ID, lead, "Lampu sudah diganti."), FIRST)


@pytest.mark.parametrize("relation", ["related", "duplicate"])
def test_links_have_an_end_on_either_side(relation: str) -> None:
    work = Casework().verified()
    other = replace(work.state, id=uuid(0xB))
    crowd, last = with_links(other, MOST_LINKS), with_links(other, MOST_LINKS - 1)
    remedy = (f"at most {MOST_LINKS:,}", "Undo", "primary of further duplicates")
    full(_refused(work.state, crowd, relation, work), "The other case", *remedy)
    if relation == "related":  # who has links is no duplicate
        full(_refused(crowd, work.state, relation, work), "This case", *remedy)
    assert len(link(work.state, last, relation, work.around(SOURCE))) == 2


def test_who_does_not_own_a_case_leaves_links_to_who_does() -> None:
    work = Casework().verified()
    theirs = replace(work.state, id=uuid(0xB), owner=FIRST, source=FIRST)
    crowd = with_links(theirs, MOST_LINKS - MOST_LINKS // OWNERS_PART)
    refused = full(_refused(work.state, crowd, "related", work), f"the last {MOST_LINKS // OWNERS_PART} for")
    assert refused.extra["state"] == "verified"
    assert len(link(crowd, work.state, "related", work.around(FIRST))) == 2


def with_links(state: CaseState, count: int) -> CaseState:
    return replace(
        state, links=tuple(CaseLink(uuid(0xC000 + n), "related", False, SOURCE) for n in range(count))
    )


def _refused(state: CaseState, other: CaseState, relation: str, work: Casework) -> Problem | None:
    try:
        link(state, other, relation, work.around(SOURCE))
    except Problem as refused:
        return refused
    return None


def _to(agency: str) -> Forward:
    return Forward(CASE_ID, (Recipient(uuid(0xF00), agency, "support"),))


def _accept(leg: str) -> Accept:
    return Accept(CASE_ID, leg)


def test_a_case_that_was_erased_has_no_words_to_count() -> None:
    work = Casework().verified()
    assert has_words_left(Case(work.state, None).texts)
