"""Hostile documents are refused at once, at their place, and in bounded answers."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from schemas.flaw import Flaw
from schemas.registry import MOST_FLAWS, Registry

PATIENCE_S = 2.0
"""Generous, so that a slow machine passes; without the bounds these take 2 to 60 seconds."""


def deep(levels: int, kind: str) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value} if kind == "object" else [value]
    return value


@pytest.mark.parametrize("kind", ["object", "array"])
@pytest.mark.parametrize(
    "field", ["title", "channel", "source", "tags", "attachments", "location", "extensions", "surprise"]
)
def test_ten_thousand_levels_are_refused_at_their_place(
    registry: Registry, complaint: Any, field: str, kind: str
) -> None:
    complaint[field] = deep(10_000, kind)
    started = time.process_time()
    flaws = registry.validate("complaint", complaint)
    assert time.process_time() - started < PATIENCE_S
    if (field, kind) == ("extensions", "object"):
        assert flaws == []  # the schema takes any object under an agency; complaint_check bounds its depth
    else:
        assert flaws
        assert all(flaw.pointer.startswith(f"/{field}") for flaw in flaws)


@pytest.mark.parametrize(
    ("label", "spoiled"),
    [
        ("unknown members", {f"k{number}": 1 for number in range(90_000)}),
        ("bad entries", {"attachments": [{}] * 300_000}),
        ("bad tags", {"tags": [""] * 300_000}),
        ("nested lists", {"tags": [[[]]] * 100_000}),
        ("strange agencies", {"extensions": {f"Dinas {number}": 1 for number in range(50_000)}}),
        ("wrong extras", {"extensions": {f"dinas-{number}": 1 for number in range(50_000)}}),
        ("one long text", {"title": "j" * 1_000_000}),
        (
            "one long code",
            {"channel": "j" * 1_000_000, "category": "j" * 1_000_000, "submitted_at": "2" * 1_000_000},
        ),
        ("controls", {"description": "\x01" * 1_000_000}),
        ("point", {"location": {"point": {"type": "Point", "coordinates": [999] * 200_000}}}),
    ],
)
def test_a_mebibyte_of_errors_is_answered_in_bounds(
    registry: Registry, complaint: Any, label: str, spoiled: Any
) -> None:
    started = time.process_time()
    flaws = registry.validate("complaint", {**complaint, **spoiled})
    assert time.process_time() - started < PATIENCE_S, label
    assert 0 < len(flaws) <= MOST_FLAWS
    assert len(orjson.dumps(flaws)) < 16_384


def test_the_true_number_of_entries_is_named_though_few_were_searched(
    registry: Registry, complaint: Any
) -> None:
    complaint["attachments"] *= 70_000
    details = [flaw.detail for flaw in registry.validate("complaint", complaint)]
    assert details == ["attachments holds 70,000 entries; at most 50 are allowed. Send fewer."]


def test_ten_thousand_references_fit_and_one_more_does_not(registry: Registry) -> None:
    assert registry.validate("missing-references", {"references": ["a"] * 10_000}) == []
    (flaw,) = registry.validate("missing-references", {"references": ["a"] * 10_001})
    assert flaw.pointer == "/references"
    (flaw,) = registry.validate("missing-references", {"references": ["a"] * 9_999 + [""]})
    assert flaw.pointer == "/references/9999"


@pytest.mark.parametrize("name", ["agency-registration", "agency-change"])
def test_two_hundred_days_off_fit_and_one_more_does_not(registry: Registry, name: str) -> None:
    """Their names are no schema's: all of them are searched nevertheless, not only the first few."""
    first, example = date(2025, 1, 1), registry.example(name)
    days = {str(first + timedelta(days=number)): "Hari Jadi Kabupaten" for number in range(200)}
    assert registry.validate(name, {**example, "days_off": days}) == []
    (flaw,) = registry.validate(name, {**example, "days_off": days | {"2025-07-19": ""}})
    assert flaw.pointer == "/days_off/2025-07-19"
    (flaw,) = registry.validate(name, {**example, "days_off": days | {"2026-01-07": "Hari Jadi Kabupaten"}})
    assert flaw == Flaw("/days_off", "days_off holds 201 fields; at most 200 are allowed. Remove some.")


@pytest.mark.parametrize(
    ("name", "field", "longest"),
    [("progress", "text", 20_000), ("reply", "text", 20_000), ("withdrawal", "reason", 2_000)],
)
def test_texts_may_be_so_long(registry: Registry, name: str, field: str, longest: int) -> None:
    assert registry.validate(name, {field: "é" * longest}) == []
    (flaw,) = registry.validate(name, {field: "é" * (longest + 1)})
    assert (
        flaw.detail
        == f"{field} is {longest + 1:,} characters long; at most {longest:,} are allowed. Shorten it."
    )


def test_a_lone_surrogate_is_named_where_it_stands(registry: Registry, complaint: Any) -> None:
    complaint["title"] = "jalan \ud800"
    complaint["extensions"] = {"dinas-pupr": {"catatan": ["baik", "\udfff"]}}
    found = registry.validate("complaint", complaint)
    assert {flaw.pointer for flaw in found} == {"/title", "/extensions/dinas-pupr/catatan/1"}
    orjson.dumps(found)


def test_a_lone_surrogate_is_refused_beside_other_faults_and_in_a_name(
    registry: Registry, complaint: Any
) -> None:
    (flaw,) = registry.validate("complaint", {**complaint, "\ud800": 1})
    assert flaw.pointer == "/?"
    del complaint["source"]
    for field in complaint:
        assert registry.validate("complaint", {**complaint, "channel": "fax", field: "a\ud800"})
        assert registry.validate("complaint", {**complaint, field: {"\udfff": [1]}})


def test_a_document_that_fits_costs_one_look_of_the_fast_validator(
    registry: Registry, complaint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What explains a refusal (trimming, searching, sentences) costs a hundred times as much."""

    def explained(*_: Any) -> Any:
        raise AssertionError("a document that fits was searched")

    monkeypatch.setattr(Registry, "_explained", explained)
    complaint["description"] = "Lubang sedalam betis. " * 35
    assert registry.validate("complaint", complaint) == []
    with pytest.raises(AssertionError, match="searched"):
        registry.validate("complaint", {**complaint, "title": ""})
