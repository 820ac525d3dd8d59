"""A complaint split into its parts and joined again."""

from __future__ import annotations

import copy
import timeit
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.privacy import join_complaint, split_complaint
from hub.domain.privacy.document import mask_value
from hub.domain.privacy.finding import TOKENS, Kind

words = st.text(alphabet="abcdefghij kl", min_size=1, max_size=30)
SHA = "ab" * 32


def attachment() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "sha256": st.just(SHA),
            "media_type": st.just("image/jpeg"),
            "name": words,
            "size": st.integers(0, 9),
        },
        optional={"url": words},
    )


complaints = st.fixed_dictionaries(
    {
        "source": st.fixed_dictionaries(
            {"agency": words, "reference": st.text(min_size=1)}, optional={"url": words}
        ),
        "classification": st.just("complaint"),
        "title": words,
        "description": words,
        "category": st.just("jalan"),
        "submitted_at": st.just("2025-03-01T08:00:00+07:00"),
        "channel": st.just("web"),
        "reporter": st.fixed_dictionaries(
            {"anonymous": st.booleans()}, optional={"name": st.just("Xyz Xyq")}
        ),
    },
    optional={
        "confidential": st.booleans(),
        "occurred_on": st.just("2025-02-28"),
        "tags": st.lists(words),
        "addressed_to": st.lists(words),
        "location": st.fixed_dictionaries(
            {},
            optional={
                "region": st.just("62.02"),
                "address": words,
                "point": st.just({"type": "Point", "coordinates": [112.9, -2.5]}),
            },
        ),
        "attachments": st.lists(attachment(), max_size=3),
        "external_ids": st.lists(st.fixed_dictionaries({"system": words, "id": words}), max_size=2),
        "extensions": st.dictionaries(words, st.dictionaries(words, words | st.integers(0, 9)), max_size=2),
    },
)


@settings(max_examples=400)
@given(complaints)
def test_joining_gives_the_complaint_back_without_its_reporter(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    parts = split_complaint(document)
    expected = {name: value for name, value in before.items() if name != "reporter"}
    expected.setdefault("confidential", False)
    assert join_complaint(parts.clear, parts.masked) == expected
    assert parts.original == {}
    assert parts.identity == before["reporter"]
    assert document == before


def full() -> dict[str, Any]:
    return {
        "source": {"agency": "pemkab-kotim", "reference": "P-77", "url": "https://lapor.contoh.id/p/77"},
        "classification": "complaint",
        "title": "Lampu jalan padam, kata Siti Aminah",
        "description": "Lampu di Jl. Melati No. 12 padam. Hubungi 0812-3456-7890, NIK 3273011203800004.",
        "category": "jalan",
        "tags": ["lampu", "hp 081234567890"],
        "submitted_at": "2025-03-01T08:00:00+07:00",
        "channel": "web",
        "location": {
            "region": "62.02",
            "address": "Jl. Melati RT 03/RW 05",
            "point": {"type": "Point", "coordinates": [112.953128, -2.531414]},
        },
        "reporter": {
            "name": "Siti Aminah",
            "phone": "081234567890",
            "national_id": "3273011203800004",
            "anonymous": True,
        },
        "confidential": True,
        "addressed_to": ["kementerian-pu"],
        "attachments": [{"sha256": SHA, "media_type": "image/jpeg", "name": "siti aminah.jpg", "size": 5}],
        "external_ids": [{"system": "lapor", "id": "8812345"}],
        "extensions": {"pemkab-kotim": {"nik": 3273011203800004, "rt": {"3273011203800004": ["ok"]}}},
    }


def test_nothing_personal_is_left_in_what_others_read() -> None:
    parts = split_complaint(full())
    open_text = orjson.dumps([parts.clear, parts.masked]).decode()
    for secret in ("Siti", "siti", "0812", "081234567890", "3273011203800004", "No. 12", "RT 03"):
        assert secret not in open_text
    assert {kind for kind, token in TOKENS.items() if token in open_text} == {"reporter", "address"}
    assert parts.masked["location"]["point"] == full()["location"]["point"]


def test_the_original_keeps_only_what_differs() -> None:
    document = full()
    document["tags"] = ["lampu"]
    original = split_complaint(document).original
    assert set(original) == {"title", "description", "location", "attachments", "extensions"}
    assert original["description"] == full()["description"]


def test_the_clear_part_is_codes_and_flags_only() -> None:
    assert split_complaint(full()).clear == {
        "source": {"agency": "pemkab-kotim", "reference": "P-77"},
        "classification": "complaint",
        "category": "jalan",
        "submitted_at": "2025-03-01T08:00:00+07:00",
        "channel": "web",
        "confidential": True,
        "addressed_to": ["kementerian-pu"],
        "anonymous": True,
        "location": {"region": "62.02"},
        "attachments": [{"sha256": SHA, "media_type": "image/jpeg", "size": 5}],
    }


def test_an_erased_complaint_says_so_and_has_no_words() -> None:
    joined = join_complaint(split_complaint(full()).clear, None)
    assert joined["erased"] is True
    assert not {"title", "description", "tags", "extensions", "anonymous"} & set(joined)
    assert joined["location"] == {"region": "62.02"}


def test_a_reporter_named_like_a_member_does_not_break_the_shape() -> None:
    document = full() | {"reporter": {"name": "Point", "anonymous": False}}
    document["title"] = "kata Point"
    parts = split_complaint(document)
    assert parts.masked["title"] == "kata [pelapor disamarkan]"
    assert parts.masked["location"]["point"]["type"] == "Point"


def test_documents_are_masked_however_deep() -> None:
    """A NIK that passed through a spreadsheet is a float."""
    for number in (3275081503920017, 3275081503920017.0, 3.275081503920017e15):
        masked = mask_value({"nik": number, "panjang_m": 120000000.5, "titik": -112.953}, (), {})
        assert masked == {"nik": "[NIK disamarkan]", "panjang_m": 120000000.5, "titik": -112.953}
    counts: dict[Kind, int] = {}
    masked = mask_value({"a": [{"b": "0812 3456 7890"}, 6281234567890, 7, None, True]}, (), counts)
    assert masked == {"a": [{"b": "[telepon disamarkan]"}, "[telepon disamarkan]", 7, None, True]}
    assert counts == {"phone": 2}


def test_figures_of_splitting() -> None:
    document = full()
    document |= {
        "title": "Lampu jalan padam",
        "description": "Lampu di Jl. Melati dekat pasar padam sejak 12 Maret 2024. " * 20,
        "tags": ["lampu", "malam"],
        "extensions": {"pemkab-kotim": {"kecamatan": "Baamang"}},
    }
    document["location"]["address"] = "dekat pasar"
    document["attachments"][0]["name"] = "foto.jpg"
    size = len(orjson.dumps(document))
    assert split_complaint(document).original == {}, "nothing of it is masked"
    best_s = min(timeit.repeat(lambda: split_complaint(document), number=1_000, repeat=7)) / 1_000
    print(f"\nsplit_complaint, {size} bytes, nothing to mask: {best_s * 1e6:.1f} us", end="")
    busy = full()
    best_s = min(timeit.repeat(lambda: split_complaint(busy), number=200, repeat=5)) / 200
    print(f"\nsplit_complaint, everything to mask: {best_s * 1e6:.0f} us", end="")
