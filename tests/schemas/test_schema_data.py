"""Regions and categories: counts, successions, forms."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from hub.domain.events import event_type as hub_type
from schemas.categories import Categories
from schemas.events import dataschema, event_type, name_of
from schemas.regions import Regions
from schemas.registry import Registry

REGIONS = Regions.load()
CATEGORIES = Categories.load()


def test_indonesia_has_38_provinces_416_regencies_and_98_cities() -> None:
    assert Counter(region.kind for region in REGIONS.items()) == {"province": 38, "regency": 416, "city": 98}
    assert len(REGIONS.children(None)) == 38
    assert sum(len(REGIONS.children(province.code)) for province in REGIONS.children(None)) == 514


def test_kinds_follow_the_numbers_and_names_the_kinds() -> None:
    for region in REGIONS.items():
        if region.kind == "province":
            assert len(region.code) == 2
            assert region.parent is None
        else:
            assert region.parent == region.code[:2]
            assert (region.kind == "city") == (int(region.code[3:]) >= 71), region
            assert region.name.startswith("Kota " if region.kind == "city" else "Kabupaten "), region
        assert region.name == region.name.strip()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("62.02", "Kabupaten Kotawaringin Timur"),
        ("6202", "Kabupaten Kotawaringin Timur"),
        ("31.74", "Kota Administrasi Jakarta Selatan"),
        ("91.01", "Kabupaten Merauke"),
        ("93.01", "Kabupaten Merauke"),
        ("96", "Papua Barat Daya"),
    ],
)
def test_a_code_of_any_time_has_its_name(code: str, name: str) -> None:
    region = REGIONS.get(code)
    assert region is not None
    assert region.name == name


@pytest.mark.parametrize(
    "code",
    ["", "6", "99", "62.99", "6299", "62.2", "62.02.1", "99.01.01", "620", "62.02.01.10", "٦٢", "62.02\n"],
)
def test_a_code_that_never_was_is_unknown(code: str) -> None:
    assert REGIONS.get(code) is None
    assert REGIONS.current(code) is None
    assert not REGIONS.knows(code)


@pytest.mark.parametrize(
    ("code", "kind", "canonical", "parent"),
    [
        ("62.02.01", "district", "62.02.01", "62.02"),
        ("620201", "district", "62.02.01", "62.02"),
        ("62.02.01.1001", "village", "62.02.01.1001", "62.02.01"),
        ("6202011001", "village", "62.02.01.1001", "62.02.01"),
        ("91.01.03", "district", "91.01.03", "91.01"),
    ],
)
def test_districts_and_villages_are_known_by_form(code: str, kind: str, canonical: str, parent: str) -> None:
    region = REGIONS.get(code)
    assert region is not None
    assert (region.kind, region.code, region.parent) == (kind, canonical, parent)
    assert REGIONS.knows(code)


def test_the_papuan_splits() -> None:
    moved = {old: REGIONS.get(old) for old in ("91.01", "91.04", "91.02", "92.71")}
    successors = {old: region.successor for old, region in moved.items() if region}
    assert successors == {"91.01": "93.01", "91.04": "94.01", "91.02": "95.01", "92.71": "96.71"}
    counts = {code: len(REGIONS.children(code)) for code in ("91", "92", "93", "94", "95", "96")}
    assert counts == {"91": 9, "92": 7, "93": 4, "94": 8, "95": 8, "96": 6}


def test_every_ended_code_leads_to_the_same_region_of_today() -> None:
    ended = [region for code in range(9101, 9300) if (region := REGIONS.get(str(code))) and region.valid_to]
    assert len(ended) == 26
    for region in ended:
        today = REGIONS.current(region.code)
        assert today is not None
        assert today.valid_to is None
        assert (today.name, today.kind) == (region.name, region.kind)
        assert today.valid_from == region.valid_to


def test_a_code_is_valid_from_the_day_on_which_the_former_one_ends() -> None:
    old, new = REGIONS.get("91.01"), REGIONS.get("93.01")
    assert old is not None
    assert new is not None
    assert (old.valid_from, old.valid_to) == (None, date(2022, 11, 9))
    assert (new.valid_from, new.valid_to) == (date(2022, 11, 9), None)


def test_the_district_of_a_moved_regency_leads_to_the_regency_because_districts_were_numbered_anew() -> None:
    moved, stayed = REGIONS.current("91.02.03"), REGIONS.current("62.02.01")
    assert moved is not None
    assert stayed is not None
    assert (moved.code, stayed.code) == ("95.01", "62.02.01")


def test_children_of_nothing_and_of_the_smallest_are_none() -> None:
    assert REGIONS.children("99") == []
    assert REGIONS.children("62.02") == []
    assert [region.code for region in REGIONS.children("6202")] == []
    assert len(REGIONS.children("62")) == 14


def test_categories_have_both_names_and_end_with_other() -> None:
    items = CATEGORIES.items()
    assert 38 <= len(items) <= 42
    assert items[-1].code == "other"
    assert len({item.code for item in items}) == len(items) == len({item.name for item in items})
    assert all(item.name and item.name_en for item in items)
    assert CATEGORIES.version


def test_a_topic_that_ended_is_still_known_and_has_a_successor() -> None:
    ended = CATEGORIES.get("covid19")
    assert ended is not None
    assert ended.valid_to is not None
    assert ended not in CATEGORIES.items()
    successor = CATEGORIES.current("covid19")
    assert successor is not None
    assert successor.code == "health"
    assert CATEGORIES.get("tidak_ada") is CATEGORIES.current("tidak_ada") is None


def test_the_codes_in_the_data_have_the_form_that_the_schema_asks_for(
    registry: Registry, complaint: dict[str, object]
) -> None:
    for category in CATEGORIES.items():
        assert registry.validate("complaint", {**complaint, "category": category.code}) == []
    for region in REGIONS.items():
        for code in (region.code, region.code.replace(".", "")):
            assert registry.validate("complaint", {**complaint, "location": {"region": code}}) == []


def test_an_event_type_names_the_schema_of_its_data(registry: Registry) -> None:
    for name, _ in registry.names():
        if "." in name:
            assert name_of(event_type(name)) == name
            assert event_type(name) == hub_type(name), (
                "the domain, which imports nothing of ours, says it too"
            )
    assert (
        dataschema("https://simpul.example/", "case.read")
        == "https://simpul.example/schemas/case.read/1.json"
    )
    assert name_of("org.example.thing.v2") == "org.example.thing.v2"
