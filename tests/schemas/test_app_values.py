"""How an app's values are read: by a connector in its database and by the hub in a file made of it, alike."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.mapping import ComplaintMapping
from connectors.rules import read_rules
from connectors.values import RowHeld, as_flag, as_moment, clean_text, is_missing
from hub.service.backlog.cells import CellRefused, flag_of, is_empty, moment_of, text_of
from hub.service.backlog.mapping import read_mapping
from hub.service.backlog.rows import OldCase, RowReader
from schemas.app_values import moment_of as moment_in
from schemas.app_values import shortened

WIB = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 3, 11, 1, 0, tzinfo=UTC)
RULES: dict[str, Any] = {
    "title": {"of": "isi", "first": 20},
    "description": "isi",
    "submitted_at": "tgl",
    "category": {"value": "road"},
    "confidential": "rahasia",
    "reporter": {"name": "nama", "anonymous": "anonim"},
    "location": {"point": {"latitude": "lat", "longitude": "lng"}},
}
FILE = """
[import]
agency = "kab"
[columns]
reference = "id"
title = { column = "isi", first = 20 }
description = "isi"
submitted_at = "tgl"
confidential = "rahasia"
reporter.name = "nama"
reporter.anonymous = "anonim"
location.latitude = "lat"
location.longitude = "lng"
[defaults]
category = "road"
"""
WORDS = ["1", "0", "y", "n", "Ya", "TIDAK", "yes", "no", "true", "False", "t", "f", "", " ya ", "0000-00-00"]
ODD = [
    "\x01",
    "\x00",
    "\x02",
    "\x00\x01",
    "1\x00",
    "2",
    "mungkin",
    "anonim",
    "tidak ya",
    "\u200bya",
    "\t\x01",
]
FLAG = st.one_of(st.sampled_from([*WORDS, *ODD]), st.text(max_size=4))
COORDINATE = st.sampled_from(["0", "0.0", "-0", "0,0", "", "-2,5", "112.9"])


def read(reader: Callable[..., Any], *args: Any) -> Any:
    """None where the value is held, or refused."""
    try:
        return reader(*args)
    except (RowHeld, CellRefused):
        return None


@given(FLAG)
@example("\ud800")
def test_both_take_the_same_words_for_a_flag_and_hold_the_same(word: str) -> None:
    assert read(as_flag, word, "confidential") == read(flag_of, word)


@pytest.mark.parametrize(
    ("word", "flag"),
    [
        *(("Ya", True), ("1\x00", True), ("\x01", True), ("\x00\x01", True)),
        *(("", False), ("\x00", False), ("\u2003", False), ("\r", False), ("0\x00", False)),
        *(("2", None), ("\x02", None), ("\x1f", None), ("\x01\u2003\x01", None)),
    ],
)
def test_what_is_not_plainly_no_is_never_no(word: str, flag: bool | None) -> None:
    """MySQL's BIT comes as the byte that it is."""
    assert read(as_flag, word, "confidential") is flag
    assert read(flag_of, word) is flag


@given(st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(WORDS))
def test_both_clean_a_text_alike_and_miss_the_same(text: str) -> None:
    assert clean_text(text)[0] == text_of(text)
    assert is_missing(text) == is_empty(text)


MOMENT = st.one_of(
    st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30)).map(lambda at: str(at.replace(microsecond=0))),
    st.dates().map(str),
    st.sampled_from(["2026-03-05 13:14:15+07", "2026-03-05T06:14Z", "2026-02-30", "05/03/2026", "20260305"]),
)


@settings(deadline=None)  # the first one loads the time zone
@given(MOMENT)
def test_both_read_the_same_moment(text: str) -> None:
    ours, theirs = read(as_moment, text, WIB, "submitted_at"), read(moment_of, text, WIB, ())
    if theirs is None:  # such as 0001-01-01, which is outside the calendar in UTC: the schema refuses it too
        assert ours is None or not 1900 <= moment_in(text, WIB)[0].year <= 2199
        return
    assert datetime.fromisoformat(ours) == theirs.at


CELLS = st.fixed_dictionaries(
    {
        "id": st.just("7"),
        "isi": st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=60).map(
            "Jalan ".__add__
        ),
        "tgl": st.just("2026-03-05"),
        "nama": st.just("Siti"),
        "rahasia": FLAG,
        "anonim": FLAG,
        "lat": COORDINATE,
        "lng": COORDINATE,
    }
)


@settings(deadline=None)
@given(CELLS)
def test_a_row_says_the_same_of_its_reporter_and_place_on_both_ways(row: dict[str, str]) -> None:
    """Whoever is anonymous on one way is so on the other, and a row that one holds the other takes not."""
    ours = read(ComplaintMapping("kab", WIB, read_rules(RULES)).map, row, "7", NOW)
    theirs = RowReader(read_mapping(tomllib.loads(FILE), ".csv")).read(row)
    assert (ours is None) == (not isinstance(theirs, OldCase))
    if ours is None or not isinstance(theirs, OldCase):
        return
    left, right = ours.document, theirs.document
    assert left["confidential"] is right["confidential"]
    assert left["reporter"]["anonymous"] is right["reporter"]["anonymous"]
    assert left.get("location", {}).get("point") == right.get("location", {}).get("point")
    assert left["title"] == right["title"] == shortened(row["isi"], 20)
