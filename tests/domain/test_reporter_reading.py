"""`reporter.read`: who may read the identity, who hears of it, and that it changes nothing about the case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.audience import Sight, sight
from hub.domain.case import Case, Room
from hub.domain.commands import Consult, ReadReporter, Return
from hub.domain.events import CASE_EVENTS, READING
from hub.domain.rendering import event_data
from hub.domain.working_time import instant
from hub.errors import Erased, Forbidden
from tests.domain.casework import CASE_ID, HANDLERS, SOURCE, Casework, in_status, uuid
from tests.domain.treework import REGISTRY, rulebooks

LEAD, SUPPORT, THIRD = HANDLERS
PURPOSE = "Menanyakan lokasi tiang lewat telepon."
OFFICER = uuid(77)
READ = ReadReporter(CASE_ID, PURPOSE, OFFICER)


def crowded() -> Casework:
    """A handler, a consulted agency, and a participant of a thread beside the source, which owns it."""
    work = Casework().verified()
    work.act(Consult(CASE_ID, uuid(71), SUPPORT, "Apakah tiang ini milik Anda?"))
    work.sent(LEAD)
    assert work.case is not None
    rooms = (Room(uuid(72), {THIRD: work.now, SOURCE: work.now}),)
    work.case = Case(replace(work.state, rooms=rooms), work.case.texts)
    return work


def passed_up() -> Casework:
    """Owned by another agency than the one that submitted it."""
    work = Casework(returns_limit=1).verified()
    work.act(Return(CASE_ID, work.sent(LEAD), "not_ours"), LEAD)
    assert work.state.owner != SOURCE
    return work


def test_it_is_an_event_of_the_case() -> None:
    assert READING == "reporter.read"
    assert READING in CASE_EVENTS


def test_who_and_that_a_purpose_was_given_are_clear_the_words_are_not() -> None:
    work = crowded()
    (fact,) = work.act(READ)
    assert (fact.type, fact.actor, fact.data["officer_id"]) == (READING, SOURCE, OFFICER)
    assert fact.data["purpose_given"] is True
    assert PURPOSE not in fact.to_bytes().decode()
    assert work.log[-1][1] == {"purpose": PURPOSE}
    (by_system,) = work.act(replace(READ, officer_id=None))
    assert "officer_id" not in by_system.data


def test_its_data() -> None:
    work = crowded()
    (fact,) = work.act(READ)
    data = event_data(fact, work.log[-1][1])
    assert (data["agency"], data["officer_id"], data["purpose"]) == (SOURCE, OFFICER, PURPOSE)
    erased = event_data(fact, None)
    assert (erased["erased"], "purpose" in erased) == (True, False)


def test_only_owner_source_and_reader_are_told() -> None:
    work = crowded()
    (fact,) = work.act(READ)
    assert fact.recipients == {SOURCE: "owner"}
    upper = passed_up()
    (fact,) = upper.act(READ, upper.state.owner)
    assert fact.recipients == {upper.state.owner: "owner", SOURCE: "source"}


def test_nobody_else_sees_it() -> None:
    work = crowded()
    (fact,) = work.act(READ)
    for agency in (LEAD, SUPPORT, THIRD):
        rule = sight(work.state, agency)
        assert rule.whole
        assert not rule.shows(fact)
    assert sight(work.state, SOURCE).shows(fact)
    above = Sight("provinsi", True, work.state.version)
    assert not above.shows(fact), "who stands above reads the case, not who read the reporter's name"


def test_who_becomes_owner_later_does_not_see_it() -> None:
    work = Casework(returns_limit=1).verified()
    (fact,) = work.act(READ)
    work.act(Return(CASE_ID, work.sent(LEAD), "not_ours"), LEAD)
    assert not sight(work.state, work.state.owner).shows(fact)
    assert sight(work.state, SOURCE).shows(fact)


@pytest.mark.parametrize(
    "status",
    ["submitted", "incomplete", "rejected", "verified", "forwarded", "in_progress", "answered", "closed"],
)
def test_it_changes_nothing_but_the_version(status: str) -> None:
    work = in_status(status)
    before = work.case
    assert before is not None
    work.act(READ)
    assert work.case == Case(replace(before.state, version=before.state.version + 1), before.texts)


def test_it_moves_no_clock() -> None:
    work = Casework(agencies=REGISTRY, rules=rulebooks()[0], at=instant("2025-03-10T03:00:00Z"))
    work.submit()
    assert work.state.clocks
    before = work.state
    (fact,) = work.act(READ)
    assert "clocks" not in fact.data
    assert work.state == replace(before, version=before.version + 1)
    without = Casework(agencies=REGISTRY, at=instant("2025-03-10T03:00:00Z"))
    without.submit()
    without.rules = rulebooks()[0]
    (fact,) = without.act(READ)
    assert "clocks" not in fact.data, "not even one that no event has started yet"


def test_an_anonymous_reporter_is_known_to_the_source_alone() -> None:
    work = passed_up()
    assert work.case is not None
    work.case = Case(replace(work.state, anonymous=True), work.case.texts)
    refused = work.would(READ, work.state.owner)
    assert isinstance(refused, Forbidden)
    assert refused.type_code == "reporter-anonymous"
    assert work.would(READ, SOURCE) is None


def test_confidential_alone_keeps_it_from_neither() -> None:
    work = passed_up()
    assert work.case is not None
    work.case = Case(replace(work.state, confidential=True), work.case.texts)
    assert work.would(READ, work.state.owner) is None
    assert work.would(READ, SOURCE) is None


def test_erased_is_erased() -> None:
    work = crowded()
    work.case = Case(replace(work.state, erased=True), None)
    assert isinstance(work.would(READ), Erased)
