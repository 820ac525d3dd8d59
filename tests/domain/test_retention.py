"""How long an ended case is kept, and what keeps it longer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.commands import Close, Escalate, Reopen
from hub.domain.limits import DEFAULT_LIMITS, Limits
from hub.domain.policies import ANY, DEFAULTS, RETENTION, Policy, check_policies
from hub.domain.retention import Beside, ended_at, held_by, is_over, kept, until
from hub.errors import Invalid
from tests.domain.casework import CASE_ID, in_status
from tests.domain.waitwork import work_in

ALONE = Beside({}, {})
FIVE = Policy("jra-5y", ANY, RETENTION, 5, "years", "2020-01-01", "JRA Kabupaten Kotawaringin Timur")


def ended_case():
    work = work_in("verified")
    work.act(Close(CASE_ID, "resolved"))
    return work


@pytest.mark.parametrize(("ended", "amount", "unit", "expected"), [
    ("2025-03-10T03:00:00.000Z", 5, "years", "2030-03-10T03:00:00.000Z"),
    ("2024-02-29T03:00:00.000Z", 1, "years", "2025-02-28T03:00:00.000Z"),
    ("2024-02-29T03:00:00.000Z", 4, "years", "2028-02-29T03:00:00.000Z"),
    ("2025-01-31T03:00:00.000Z", 1, "months", "2025-02-28T03:00:00.000Z"),
    ("2025-11-30T17:30:00.000Z", 3, "months", "2026-02-28T17:30:00.000Z"),
    ("2025-12-31T03:00:00.000Z", 12, "months", "2026-12-31T03:00:00.000Z"),
])  # fmt: skip
def test_the_same_day_so_much_later(ended: str, amount: int, unit: str, expected: str) -> None:
    assert until(ended, replace(FIVE, amount=amount, unit=unit)) == expected


def test_without_a_row_it_is_kept_for_ever() -> None:
    work = ended_case()
    assert kept(work.state, DEFAULTS, DEFAULT_LIMITS, "2999-01-01T00:00:00.000Z") is None
    assert not is_over(work.state, ALONE, DEFAULTS, DEFAULT_LIMITS, "2999-01-01T00:00:00.000Z")


def test_an_open_case_is_never_over() -> None:
    for status in ("submitted", "incomplete", "verified", "forwarded", "in_progress", "answered"):
        state = in_status(status).state
        assert ended_at(state) is None
        assert not is_over(state, ALONE, (FIVE,), DEFAULT_LIMITS, "2999-01-01T00:00:00.000Z")
    work = ended_case()
    work.act(Reopen(CASE_ID, "Belum."))
    assert ended_at(work.state) is None


def test_a_rejected_case_ends_too() -> None:
    state = in_status("rejected").state
    assert ended_at(state) == state.updated_at
    assert is_over(state, ALONE, (FIVE,), DEFAULT_LIMITS, "2031-01-01T00:00:00.000Z")


def test_the_row_of_today_counts_also_for_what_ended_before_it() -> None:
    """A longer schedule keeps older cases too."""
    work = ended_case()
    longer = replace(FIVE, id="jra-10y", amount=10, valid_from="2028-01-01")
    for now, expected in (("2027-12-31T16:59:59.000Z", "2030"), ("2027-12-31T17:00:00.000Z", "2035")):
        known = kept(work.state, (FIVE, longer), DEFAULT_LIMITS, now)
        assert known is not None and known.until.startswith(expected)


def test_the_classifications_own_row_counts_before_the_one_for_all() -> None:
    work = ended_case()
    own = replace(FIVE, id="jra-2y", classification="complaint", amount=2)
    other = replace(FIVE, id="jra-1y", classification="aspiration", amount=1)
    known = kept(work.state, (FIVE, own, other), DEFAULT_LIMITS, "2026-01-01T00:00:00.000Z")
    assert known is not None and known.policy.id == "jra-2y"


def test_not_before_it_can_be_reopened_no_more() -> None:
    work = ended_case()
    month = replace(FIVE, amount=1, unit="months")
    known = kept(work.state, (month,), Limits(reopen_days=400), "2026-01-01T00:00:00.000Z")
    assert known is not None and known.until.startswith("2026-04-14")


def test_the_ombudsmans_case_and_one_linked_with_an_open_one_are_held() -> None:
    work, later = work_in("verified"), "2999-01-01T00:00:00.000Z"
    work.wait(days=63)
    work.act(Escalate(CASE_ID, "Sudah dua bulan."))
    work.act(Close(CASE_ID, "resolved"))
    assert "ombudsman" in (held_by(work.state, ALONE) or "")
    assert not is_over(work.state, ALONE, (FIVE,), DEFAULT_LIMITS, later)
    plain, linked = ended_case().state, {"other": in_status("verified").state}
    assert "other" in (held_by(plain, Beside(linked, {})) or "")
    assert not is_over(plain, Beside(linked, {}), (FIVE,), DEFAULT_LIMITS, later)
    assert is_over(plain, Beside({"other": ended_case().state}, {}), (FIVE,), DEFAULT_LIMITS, later)


def test_the_very_moment_is_still_kept() -> None:
    state = ended_case().state
    at = until(state.closed_at, FIVE)
    assert not is_over(state, ALONE, (FIVE,), DEFAULT_LIMITS, at)
    assert is_over(state, ALONE, (FIVE,), DEFAULT_LIMITS, at.replace(".000Z", ".001Z"))


@pytest.mark.parametrize(("changes", "pointer"), [
    ({"unit": "working_days"}, "unit"), ({"amount": 0}, "amount"), ({"amount": 101}, "amount"),
    ({"stage": "closure"}, "unit"), ({"shown_only": True}, "stage"), ({"escalates": True}, "stage"),
    ({"source": " "}, "source"), ({"valid_from": "besok"}, "valid_from"),
])  # fmt: skip
def test_rows_that_cannot_be(changes: dict, pointer: str) -> None:
    check_policies((*DEFAULTS, FIVE))
    with pytest.raises(Invalid) as refused:
        check_policies((*DEFAULTS, replace(FIVE, **changes)))
    assert f"/policies/{len(DEFAULTS)}/{pointer}" in [flaw[0] for flaw in refused.value.flaws]
