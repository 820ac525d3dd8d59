"""Rows to complaints: times, flags, codes, personal data, photos."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.checker import Checker
from connectors.mapping import ComplaintMapping
from connectors.rules import Category, Photos, read_rules
from connectors.values import RowHeld, as_flag, as_moment, clean_text
from schemas.app_values import shortened

WIB, WIT = ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Jayapura")
NOW = datetime(2026, 3, 11, 1, 0, tzinfo=UTC)
TABLE: dict[str, Any] = {
    "title": {"of": "isi", "first": 80},
    "description": "isi",
    "submitted_at": "tgl",
    "category": {"value": "road"},
    "reporter": {"name": "nama", "phone": "telp", "national_id": "nik", "anonymous": "anonim"},
}
ROW = {
    "isi": "Jalan rusak.",
    "tgl": "2026-03-05",
    "nama": "Siti",
    "telp": "0812",
    "nik": "62" * 8,
    "anonim": "0",
}


def mapped(
    row: dict[str, Any] | None = None, table: dict[str, Any] | None = None, **parts: Any
) -> dict[str, Any]:
    mapping = ComplaintMapping("kab-kotim", WIB, read_rules(TABLE | (table or {})), **parts)
    return mapping.map(ROW | (row or {}), "7", NOW).document


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-05", "2026-03-05T00:00:00+07:00"),
        ("2026-03-05 13:14:15", "2026-03-05T13:14:15+07:00"),
        ("2026-03-05 13:14:15.123456", "2026-03-05T13:14:15+07:00"),
        ("2026-03-05 13:14:15+07", "2026-03-05T13:14:15+07:00"),
        ("2026-03-05T06:14:15+00:00", "2026-03-05T06:14:15+00:00"),
    ],
)
def test_a_time_gets_the_agencys_zone(value: str, expected: str) -> None:
    assert as_moment(value, WIB, "submitted_at") == expected
    assert as_moment("2026-03-05", WIT, "submitted_at") == "2026-03-05T00:00:00+09:00"


@pytest.mark.parametrize("value", ["2026-02-30", "kemarin", "infinity", "05/03/2026"])
def test_an_impossible_date_holds_the_row(value: str) -> None:
    with pytest.raises(RowHeld, match="submitted_at"):
        mapped({"tgl": value})


@pytest.mark.parametrize("value", ["0000-00-00", "0000-00-00 00:00:00", None, ""])
def test_a_zero_date_holds_or_takes_the_first_sight(value: str | None) -> None:
    with pytest.raises(RowHeld, match="if_missing"):
        mapped({"tgl": value})
    document = mapped({"tgl": value}, {"submitted_at": {"column": "tgl", "if_missing": "first_sight"}})
    assert document["submitted_at"] == "2026-03-11T08:00:00+07:00"
    assert document["extensions"]["kab-kotim"]["submitted_at_unknown"] is True


def test_by_default_only_the_name_leaves() -> None:
    assert mapped()["reporter"] == {"anonymous": False, "name": "Siti"}


def test_nothing_of_an_anonymous_or_confidential_reporter_leaves_whatever_is_shared() -> None:
    share = ("name", "phone", "national_id")
    assert mapped({"anonim": "1"}, share=share)["reporter"] == {"anonymous": True}
    assert mapped(table={"confidential": {"value": True}}, share=share)["reporter"] == {"anonymous": False}
    assert mapped(share=share)["reporter"]["phone"] == "0812"
    assert mapped(share=())["reporter"] == {"anonymous": False}


def test_an_unknown_spelling_of_a_flag_holds_the_row() -> None:
    assert as_flag("Ya", "confidential") and not as_flag(None, "confidential")
    with pytest.raises(RowHeld, match=r"reporter\.anonymous"):
        mapped({"anonim": "mungkin"})


def test_the_category_crosswalk_holds_or_says_other() -> None:
    table = {name: rule for name, rule in TABLE.items() if name != "category"}
    for code, unmapped in (("jl", "hold"), ("xx", "other")):
        category = Category(column="kat", codes={"jl": "road"}, unmapped=unmapped)
        mapping = ComplaintMapping("kab-kotim", WIB, read_rules(table), category)
        document = mapping.map(ROW | {"kat": code}, "7", NOW).document
        assert document["category"] == ("road" if code == "jl" else "other")
        assert document.get("extensions") == (None if code == "jl" else {"kab-kotim": {"category": "xx"}})
    with pytest.raises(RowHeld, match="'xx'"):
        ComplaintMapping("a", WIB, read_rules(table), Category(column="kat")).map(
            ROW | {"kat": "xx"}, "7", NOW
        )


def test_control_characters_are_taken_out_and_counted() -> None:
    document = mapped({"isi": "Jalan\x00 rusak\x07\r\nparah"})
    assert document["description"] == "Jalan rusak\nparah"
    assert document["title"] == "Jalan rusak parah"
    assert document["extensions"]["kab-kotim"]["removed_characters"] == 4


def test_a_point_is_longitude_first_and_zero_is_unknown() -> None:
    table = {"location": {"point": {"latitude": "lat", "longitude": "lng"}, "region": {"value": "62.02"}}}
    document = mapped({"lat": "-2,5", "lng": "112.9"}, table)
    assert document["location"]["point"] == {"type": "Point", "coordinates": [112.9, -2.5]}
    assert "point" not in mapped({"lat": "0", "lng": "0"}, table)["location"]


def test_photos_are_sent_when_there_and_named_when_not(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path.parent / "rahasia.txt").write_bytes(b"bukan foto")
    photos = Photos(column="foto", folder=str(tmp_path))
    document = mapped({"foto": "a.jpg,b.jpg,../rahasia.txt"}, photos=photos)
    assert [(item["name"], item["media_type"], item["size"]) for item in document["attachments"]] == [
        ("a.jpg", "image/jpeg", 3)
    ]
    assert document["extensions"]["kab-kotim"]["photos"] == ["b.jpg", "rahasia.txt"]
    assert "attachments" not in mapped({"foto": "a.jpg"}, photos=Photos(column="foto"))


def test_what_is_mapped_fits_the_shared_schema() -> None:
    assert Checker(lambda: NOW).flaws(mapped()) == []


@given(st.text(max_size=300), st.integers(min_value=2, max_value=100))
def test_a_shortened_text_is_one_line_within_its_limit(text: str, limit: int) -> None:
    short = shortened(clean_text(text)[0], limit)
    assert len(short) <= limit
    assert "\n" not in short


@given(st.text(), st.text(), st.sampled_from(["2026-03-05", "0000-00-00", "", "x"]))
def test_any_row_is_mapped_to_a_fitting_complaint_or_held_or_refused_with_a_reason(
    isi: str, nama: str, tgl: str
) -> None:
    try:
        document = mapped({"isi": isi, "nama": nama, "tgl": tgl})
    except RowHeld as held:
        assert held.member == "submitted_at"
        return
    flaws = _CHECKER.flaws(document)
    assert all(flaw.pointer and flaw.detail for flaw in flaws)
    assert bool(flaws) == (not clean_text(isi)[0] or len(isi) > 20000 or len(clean_text(nama)[0]) > 200)


_CHECKER = Checker(lambda: NOW)
