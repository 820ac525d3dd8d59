"""Personal values written so that a simple pattern passes them over, and names as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.privacy import mask, split_complaint
from hub.domain.privacy.document import mask_value

NAME = ["Zulkarnaen Wirabuana"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tulis ke zul.wb (at) contoh.id ya", "tulis ke [surel disamarkan] ya"),
        ("zul.wb[at]contoh.id", "[surel disamarkan]"),
        ("zul.wb [AT] contoh [dot] co [dot] id", "[surel disamarkan]"),
        ("surel zul_wb at contoh titik id.", "surel [surel disamarkan]."),
        ("zul at gmail", "[surel disamarkan]"),
        ("zul @ contoh.id", "[surel disamarkan]"),
        ("NIK 62O2O115O58OOOO1", "NIK [NIK disamarkan]"),
        ("62020II505800001 dan 62020ll505800001", "[NIK disamarkan] dan [NIK disamarkan]"),
    ],
)
def test_disguised_values_are_hidden(text: str, expected: str) -> None:
    assert mask(text).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rumah Wirabuana, Zulkarnaen", "Rumah [pelapor disamarkan]"),
        ("zulkarnaen wirabuananya", "[pelapor disamarkan]"),
        ("Zulkarnaén Wírabuana", "[pelapor disamarkan]"),
        ("Zulkarnae\u0301n Wirabuana", "[pelapor disamarkan]"),
        ("kata Z. Wirabuana kemarin", "kata [pelapor disamarkan] kemarin"),
        ("kata Zulkarnaen W.", "kata [pelapor disamarkan]"),
        ("ZulkarnaenWirabuana.jpg", "[pelapor disamarkan].jpg"),
        ("zulkarnaen_wirabuana+ktp", "[pelapor disamarkan]+ktp"),
        ("Zulkarnaen saja, pasar wirabuana z", "Zulkarnaen saja, pasar wirabuana z"),
    ],
)
def test_names_are_known_as_people_write_them(text: str, expected: str) -> None:
    assert mask(text, NAME).text == expected


def test_a_name_with_accents_is_known_without_them() -> None:
    assert mask("oleh Jose Garcia", ["José García"]).text == "oleh [pelapor disamarkan]"


def test_a_doubled_word_is_no_two_words_of_a_name() -> None:
    assert mask("bunga-bunga di taman", ["Bunga Cahaya"]).text == "bunga-bunga di taman"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://l.id/p?nama=Zulkarnaen%20Wirabuana&x=1", "https://l.id/p?[pelapor disamarkan]"),
        ("https://l.id/p?nama=Zulkarnaen+Wirabuana", "https://l.id/p?nama=[pelapor disamarkan]"),
        ("https://l.id/p?nama=%5Aulkarnaen%2520Wirabuana", "https://l.id/p?[pelapor disamarkan]"),
        ("https://l.id/p?a=zul%40contoh.id", "https://l.id/p?[surel disamarkan]"),
        ("https://l.id/p?a=0812%20345%206%207890", "https://l.id/p?[telepon disamarkan]"),
        ("https://l.id/p?nik=%36202011505800001", "https://l.id/p?[NIK disamarkan]"),
        ("https://l.id/Zulkarnaen%20Wirabuana?x=1", "https://l.id[pelapor disamarkan]?x=1"),
        ("https://l.id/foto%20jalan.jpg?t=50%25", "https://l.id/foto%20jalan.jpg?t=50%25"),
    ],
)
def test_percent_encoded_values_in_urls_are_hidden(url: str, expected: str) -> None:
    assert mask(url, NAME).text == expected


def complaint(title: str, *, anonymous: bool, confidential: bool, **changes: Any) -> dict[str, Any]:
    return {
        "source": {"agency": "pemkab-kotim", "reference": "P-77"},
        "title": title,
        "reporter": {"name": "Bunga Wirabuana", "anonymous": anonymous},
        "confidential": confidential,
        **changes,
    }


@pytest.mark.parametrize(("anonymous", "confidential"), [(True, False), (False, True)])
def test_who_stays_unnamed_is_hidden_by_single_telling_words_too(anonymous: bool, confidential: bool) -> None:
    title = "Bunga layu, kata Wirabuananya, di Jl. Wirabuana"
    parts = split_complaint(complaint(title, anonymous=anonymous, confidential=confidential))
    assert parts.masked["title"] == "Bunga layu, kata [pelapor disamarkan], di Jl. Wirabuana"


def test_a_named_reporters_single_words_stay() -> None:
    parts = split_complaint(complaint("kata Wirabuana", anonymous=False, confidential=False))
    assert parts.masked["title"] == "kata Wirabuana"


def test_names_of_members_in_extensions_are_masked_and_none_is_lost() -> None:
    inner = {"Bunga Wirabuana": 1, "bunga wirabuana": 2, "kota": {"Wirabuana, Bunga": 3}}
    document = complaint("x", anonymous=False, confidential=False, extensions={"bunga-wirabuana": inner})
    assert split_complaint(document).masked["extensions"] == {
        "bunga-wirabuana": {
            "[pelapor disamarkan]": 1,
            "[pelapor disamarkan] 1": 2,
            "kota": {"[pelapor disamarkan]": 3},
        }
    }
    own = ["Bunga Wirabuana"]
    assert mask_value({"Bunga Wirabuana": 1}, own, {}, own) == {"[pelapor disamarkan]": 1}
