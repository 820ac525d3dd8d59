"""What a schema cannot say of a complaint: codes, the clock, the size of the extras."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.categories import Categories
from schemas.complaint_check import check_complaint
from schemas.flaw import Flaw
from schemas.regions import Regions
from schemas.registry import MOST_FLAWS, Registry

NOW = datetime(2025, 3, 14, 2, 30, tzinfo=UTC)
Check = Callable[[Any], list[Flaw]]


@pytest.fixture(scope="module")
def check(registry: Registry) -> Check:
    regions, categories = Regions.load(), Categories.load()
    return lambda document: check_complaint(
        document, now=NOW, registry=registry, regions=regions, categories=categories
    )


def test_a_complaint_that_fits_passes(check: Check, complaint: Any) -> None:
    assert check(complaint) == []


@pytest.mark.parametrize("code", ["road", "other", "covid19"])
def test_a_topic_of_any_time_is_taken(check: Check, complaint: Any, code: str) -> None:
    assert check({**complaint, "category": code}) == []


def test_an_unknown_topic_gets_a_suggestion(check: Check, complaint: Any) -> None:
    (flaw,) = check({**complaint, "category": "roads"})
    assert flaw == Flaw(
        "/category",
        'category is "roads", which is not on the list of topics (GET /v1/categories). Did you mean road?',
    )


@pytest.mark.parametrize("code", ["99", "62.99", "99.01.01", "9901011001"])
def test_a_region_that_never_was_is_refused(check: Check, complaint: Any, code: str) -> None:
    complaint["location"]["region"] = code
    (flaw,) = check(complaint)
    assert flaw.pointer == "/location/region"
    assert flaw.detail.startswith(
        f'location.region is "{code}", which was never a Kemendagri region code. Write'
    )


def test_a_region_of_the_past_is_taken_as_sent(check: Check, complaint: Any) -> None:
    complaint["location"]["region"] = "9101"
    assert check(complaint) == []
    assert complaint["location"]["region"] == "9101"


@pytest.mark.parametrize(
    ("ahead_s", "taken"), [(-86_400, True), (300, True), (301, False), (7 * 3600, False)]
)
def test_a_clock_may_run_five_minutes_ahead(check: Check, complaint: Any, ahead_s: int, taken: bool) -> None:
    complaint["submitted_at"] = (NOW + timedelta(seconds=ahead_s)).isoformat()
    flaws = check(complaint)
    assert (flaws == []) is taken
    assert all(flaw.pointer == "/submitted_at" for flaw in flaws)


def test_wib_sent_as_utc_is_explained(check: Check, complaint: Any) -> None:
    (flaw,) = check({**complaint, "submitted_at": "2025-03-14T09:30:00Z"})
    assert flaw.detail == (
        'submitted_at is "2025-03-14T09:30:00Z", which is 420 minutes ahead of the hub\'s clock; at most 5 '
        "are allowed. Check the clock and the offset (WIB is +07:00, WITA +08:00, WIT +09:00)."
    )


@pytest.mark.parametrize(
    ("extras", "pointer", "word"),
    [
        ({"catatan": "x" * 16_400}, "/extensions/dinas-pupr", "16,414 bytes"),
        ({"a": [[[[[[[[[[[[[[[[["x"]]]]]]]]]]]]]]]]]}, "/extensions/dinas-pupr", "16 levels"),
        ({"a": ["b", "c\x00"]}, "/extensions/dinas-pupr/a/1", "control character"),
        ({"a\x07": 1}, "/extensions/dinas-pupr/a\x07", "control character"),
        ({"a": 10**30}, "/extensions/dinas-pupr", "64 bits"),
        ({"a": ["\ud800"]}, "/extensions/dinas-pupr", "half a character"),
    ],
)
def test_extras_are_bounded(check: Check, complaint: Any, extras: Any, pointer: str, word: str) -> None:
    complaint["extensions"] = {"dinas-pupr": extras, "pemkab-kotim": {"baik": True}}
    (flaw,) = check(complaint)
    assert flaw.pointer == pointer
    assert word in flaw.detail


def test_extras_within_their_bounds_pass(check: Check, complaint: Any) -> None:
    complaint["extensions"] = {f"dinas-{number}": {"catatan": "x" * 16_000 + "\r\n"} for number in range(20)}
    assert check(complaint) == []
    complaint["extensions"]["dinas-20"] = {}
    (flaw,) = check(complaint)
    assert flaw == Flaw("/extensions", "extensions holds 21 fields; at most 20 are allowed. Remove some.")


def test_extras_ten_thousand_levels_deep_are_refused(check: Check, complaint: Any) -> None:
    value: Any = []
    for _ in range(10_000):
        value = [value]
    complaint["extensions"] = {"dinas-pupr": {"a": value}}
    (flaw,) = check(complaint)
    assert flaw.pointer == "/extensions/dinas-pupr"


def test_all_faults_are_reported_together_and_each_once(check: Check, complaint: Any) -> None:
    complaint.update(
        title="", category="tidak ada", submitted_at="2031-01-01T00:00:00Z", occurred_on="2025-02-30"
    )
    complaint["location"]["region"] = "99.99"
    pointers = [flaw.pointer for flaw in check(complaint)]
    assert sorted(pointers) == ["/category", "/location/region", "/occurred_on", "/submitted_at", "/title"]


def test_the_number_of_faults_is_bounded(check: Check, complaint: Any) -> None:
    spoiled = {**complaint, **{f"k{number}": 1 for number in range(100)}, "category": "tidak_ada"}
    assert len(check(spoiled)) == MOST_FLAWS


@pytest.mark.parametrize(
    "document", [None, [], "x", 1, {}, {"location": 1, "category": [], "extensions": []}]
)
def test_what_is_no_complaint_at_all_is_refused(check: Check, document: Any) -> None:
    assert check(document)
