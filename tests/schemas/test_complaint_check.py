"""What a schema cannot say of a complaint: codes, the clock, the size of the extras."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.categories import Categories
from schemas.complaint_check import check_complaint
from schemas.flaw import Flaw
from schemas.hints import like_category, like_region
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
        'category is "roads", which is not on the list of topics (GET /v1/categories). '
        "Did you mean road (Jalan dan jembatan)?",
    )


def test_whoever_sends_no_topic_learns_where_the_list_is(check: Check, complaint: Any) -> None:
    del complaint["category"]
    (flaw,) = check(complaint)
    assert flaw == Flaw(
        "/category",
        "category is missing. Add it: a code from the list of topics (GET /v1/categories), such as road.",
    )


@pytest.mark.parametrize(
    ("named", "codes"),
    [
        ("jalan", ["road"]),
        ("Jalan", ["road"]),
        ("JALAN DAN JEMBATAN", ["road"]),
        ("Street lighting", ["street_lighting"]),
        ("air", ["water"]),
        ("sampah", ["waste"]),
        ("pendidikn", ["education"]),
        ("kesehatan", ["health", "health_insurance"]),
        ("dan", []),
        ("lan", []),
        ("lampu", []),
        ("tidak_ada", []),
        ("", []),
        ("__", []),
        ("di jalan depan rumah kami air tidak mengalir", []),
    ],
)
def test_a_topic_is_found_by_its_names_and_not_guessed(named: str, codes: list[str]) -> None:
    assert [found.code for found in like_category(named, Categories.load())] == codes


@pytest.mark.parametrize(
    ("named", "codes"),
    [
        ("Kotawaringin Timur", ["62.02"]),
        ("KAB. KOTAWARINGIN TIMUR", ["62.02"]),
        ("Bandung", ["32.04", "32.73"]),
        ("Kota Bandung", ["32.73"]),
        ("Prov. Kalimantan Tengah", ["62"]),
        ("Baamang", []),
        ("62.02", []),
    ],
)
def test_a_region_is_found_by_its_name(named: str, codes: list[str]) -> None:
    assert [found.code for found in like_region(named, Regions.load())] == codes


def test_names_in_place_of_codes_are_answered_with_the_codes(check: Check, complaint: Any) -> None:
    complaint["category"] = "Jalan"
    complaint["location"]["region"] = "Kotawaringin Timur"
    told = {flaw.pointer: flaw.detail for flaw in check(complaint)}
    assert told == {
        "/category": 'category is "Jalan", which is not on the list of topics (GET /v1/categories). '
        "Did you mean road (Jalan dan jembatan)?",
        "/location/region": "location.region must be a Kemendagri region code (GET /v1/regions), not a name. "
        "Did you mean 62.02 (Kabupaten Kotawaringin Timur)?",
    }


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
        'submitted_at is "2025-03-14T09:30:00Z", which is 7 hours ahead of the hub\'s clock; at most 5 '
        "minutes are allowed. Check the clock and the offset (WIB is +07:00, WITA +08:00, WIT +09:00)."
    )


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("2025-03-14T02:36:30Z", "6 minutes ahead"),
        ("2025-03-14T05:30:00Z", "3 hours ahead"),
        ("2026-03-12T09:30:00+07:00", "363 days ahead"),
        ("2999-01-01T00:00:00+07:00", "974 years ahead"),
    ],
)
def test_the_lead_is_told_in_a_fitting_unit(check: Check, complaint: Any, sent: str, words: str) -> None:
    (flaw,) = check({**complaint, "submitted_at": sent})
    assert flaw.detail.startswith(f'submitted_at is "{sent}", which is {words} of the hub\'s clock')


@pytest.mark.parametrize("sent", ["2999-01-01 00:00:00+07:00", "2999-02-30T00:00:00Z", "2999-01-01"])
def test_a_far_time_of_the_wrong_form_is_told_its_form(check: Check, complaint: Any, sent: str) -> None:
    (flaw,) = check({**complaint, "submitted_at": sent})
    assert f'submitted_at is "{sent}", which is not a valid date-time. Write' in flaw.detail


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


@pytest.mark.parametrize(
    ("occurred_on", "taken"),
    [("2025-03-14", True), ("2025-03-15", True), ("2025-03-16", False), ("2031-01-01", False)],
)
def test_what_happened_lies_behind(check: Check, complaint: Any, occurred_on: str, taken: bool) -> None:
    flaws = check({**complaint, "occurred_on": occurred_on})
    assert [flaw.pointer for flaw in flaws] == ([] if taken else ["/occurred_on"])
