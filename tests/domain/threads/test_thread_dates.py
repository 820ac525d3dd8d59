"""When a commitment is due: the closing of the committed agency's office, on a working day of its own."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.agency import HUB
from hub.domain.threads.commands import (
    ChangeCommitment,
    Conclude,
    FulfilCommitment,
    MakeCommitment,
    OpenThread,
)
from hub.domain.threads.thread import Commitment
from hub.domain.working_time import instant
from hub.errors import Invalid, StateConflict
from tests.domain.casework import uuid
from tests.domain.threads.roomwork import BALAI, FLOOD, KOTIM, PAPUA, PUPR, THREAD_ID, Roomwork

ONE = uuid(0xC1)


def room(at: str) -> Roomwork:
    work = Roomwork(instant(at))
    work.open(OpenThread(THREAD_ID, "Banjir di batas", (FLOOD,), (PUPR, BALAI, PAPUA)), KOTIM)
    return work


def promised(at: str, agency: str, due_on: str) -> tuple[Roomwork, Commitment]:
    work = room(at)
    work.act(MakeCommitment(THREAD_ID, ONE, agency, "Pasang pompa.", due_on), KOTIM)
    return work, kept(work)


def kept(work: Roomwork) -> Commitment:
    found = work.state.commitment(ONE)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("at", "agency", "due_on", "due_at"),
    [
        ("2025-03-14T02:00:00Z", PUPR, "2025-03-20", "2025-03-20T09:00:00.000Z"),  # WIB closes at 09 UTC
        ("2025-03-14T02:00:00Z", BALAI, "2025-03-20", "2025-03-20T08:00:00.000Z"),  # WITA
        ("2025-03-14T02:00:00Z", PAPUA, "2025-03-20", "2025-03-20T07:00:00.000Z"),  # WIT
        ("2025-03-14T02:00:00Z", PUPR, "2025-03-15", "2025-03-17T09:00:00.000Z"),  # a Saturday
        ("2025-03-14T02:00:00Z", BALAI, "2025-03-15", "2025-03-18T08:00:00.000Z"),  # its own Monday is off
        ("2025-03-14T02:00:00Z", PUPR, "2025-03-28", "2025-04-08T09:00:00.000Z"),  # Nyepi, Lebaran, its leave
        ("2025-03-14T02:00:00Z", PUPR, "2025-03-14", "2025-03-14T09:00:00.000Z"),  # today, in office hours
        ("2025-03-14T08:59:59.999Z", PUPR, "2025-03-14", "2025-03-14T09:00:00.000Z"),
        ("2025-03-14T09:00:00Z", PUPR, "2025-03-14", "2025-03-17T09:00:00.000Z"),  # today, just closed
        ("2025-03-14T12:00:00Z", BALAI, "2025-03-14", "2025-03-18T08:00:00.000Z"),  # closed, then days off
        ("2025-03-15T02:00:00Z", PUPR, "2025-03-15", "2025-03-17T09:00:00.000Z"),  # today, no working day
        ("2025-03-13T20:00:00Z", PAPUA, "2025-03-14", "2025-03-14T07:00:00.000Z"),  # it is the 14th there
        ("2025-03-14T02:00:00Z", PUPR, "2035-03-20", "2035-03-20T09:00:00.000Z"),  # beyond every decree
    ],
)
def test_due_at_is_a_closing_of_the_agencys_own_office(
    at: str, agency: str, due_on: str, due_at: str
) -> None:
    _, made = promised(at, agency, due_on)
    assert (made.due_on, made.due_at, made.status) == (due_on, due_at, "open")


@pytest.mark.parametrize(
    ("at", "agency", "due_on"),
    [
        ("2025-03-14T02:00:00Z", PUPR, "2025-03-13"),
        ("2025-03-13T20:00:00Z", PAPUA, "2025-03-13"),  # still the 13th in UTC and in Jakarta
        ("2025-03-14T02:00:00Z", PUPR, "2035-03-24"),  # 3,662 days
        ("2025-03-14T02:00:00Z", PUPR, "9999-12-31"),
    ],
)
def test_a_day_that_has_passed_or_is_too_far_away_is_refused(at: str, agency: str, due_on: str) -> None:
    work = room(at)
    with pytest.raises(Invalid) as refused:
        work.act(MakeCommitment(THREAD_ID, ONE, agency, "Pasang pompa.", due_on), KOTIM)
    assert [pointer for pointer, _ in refused.value.flaws] == ["/due_on"]
    assert len(work.log) == 1


def test_the_moment_itself_is_in_time_and_the_miss_is_said_once() -> None:
    work, made = promised("2025-03-14T02:00:00Z", PUPR, "2025-03-17")
    work.at = instant(made.due_at)
    assert work.state.next_wake() == work.now and not work.pass_time()
    (missed,) = work.wait(milliseconds=1)
    assert (missed.type, missed.actor) == ("thread.commitment_missed", HUB)
    assert (kept(work).status, work.state.next_wake()) == ("missed", None)
    assert not work.wait(days=30)


def test_a_new_date_makes_it_owed_again_and_it_can_be_missed_again() -> None:
    work, _ = promised("2025-03-14T02:00:00Z", PUPR, "2025-03-17")
    assert len(work.wait(days=4)) == 1
    work.act(ChangeCommitment(THREAD_ID, ONE, "2025-03-20", "Pompa rusak."), PUPR)
    assert (kept(work).status, kept(work).due_at) == ("open", "2025-03-20T09:00:00.000Z")
    assert kept(work).changes == (
        {"due_on": "2025-03-20", "agency": PUPR, "changed_at": "2025-03-18T02:00:00.000Z"},
    )
    assert len(work.wait(days=4)) == 1
    work.act(FulfilCommitment(THREAD_ID, ONE, "Terlambat, tetapi terpasang."), PUPR)
    assert (kept(work).status, kept(work).fulfilled_by) == ("fulfilled", PUPR)
    assert not work.wait(days=30)


def test_several_that_are_late_are_missed_in_the_order_of_their_dates() -> None:
    work = room("2025-03-14T02:00:00Z")
    days: dict[str, Any] = {uuid(1): (PUPR, "2025-03-19"), uuid(2): (PAPUA, "2025-03-18"),
                            uuid(3): (PUPR, "2025-03-18"), uuid(4): (PUPR, "2025-06-02")}  # fmt: skip
    for name, (agency, due_on) in days.items():
        work.act(MakeCommitment(THREAD_ID, name, agency, "Kirim data.", due_on), KOTIM)
    late = [fact.data["commitment"]["id"] for fact in work.wait(days=20)]
    assert late == [uuid(2), uuid(3), uuid(1)]
    assert work.state.next_wake() == "2025-06-02T09:00:00.000Z"


def test_after_the_conclusion_it_can_still_be_missed_moved_and_kept() -> None:
    work, _ = promised("2025-03-14T02:00:00Z", PUPR, "2025-03-17")
    work.act(Conclude(THREAD_ID, "Sisanya menyusul.", despite_open_commitments=True), KOTIM)
    assert len(work.wait(days=5)) == 1
    work.act(ChangeCommitment(THREAD_ID, ONE, "2025-03-24", "Menunggu pompa."), KOTIM)
    work.act(FulfilCommitment(THREAD_ID, ONE, "Terpasang."), PUPR)
    assert (kept(work).status, work.state.status) == ("fulfilled", "concluded")
    with pytest.raises(StateConflict) as refused:
        work.act(FulfilCommitment(THREAD_ID, ONE, "Lagi."), PUPR)
    assert refused.value.extra["state"] == "concluded"
