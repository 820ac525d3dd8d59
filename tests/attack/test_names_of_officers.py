"""A name that shows nothing is no name: who wrote a message must be legible."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.app_access import accounts
from hub.domain.agency import Agency, change
from hub.errors import Invalid
from tests.api.conftest import House


@pytest.mark.parametrize("name", ["\u3164", "\u2800\u2800", "\uffa0 \u1160", "\u115f", "\u0301\u0336", "-"])
def test_a_name_has_something_to_read(house: House, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        accounts(house.core).add("kab-kotim", "siti@kotim.go.id", name, "liaison")
    assert [pointer for pointer, _ in refused.value.flaws] == ["/name"]


PILED = ["S\u0300\u0301\u0302\u0303\u0304\u0305iti", "Si" + "\u0336" * 40 + "ti", "ก" + "\u0e47" * 20 + "า",
         "S" + "\u20dd\u0300" * 3 + "iti", "ꦱ" + "\ua9b6\ua9b4" * 6 + "ꦠꦶ"]  # fmt: skip
WRITTEN = [
    "Nguye\u0302\u0303n Thi\u0323 Y\u0301",  # Vietnamese, not composed
    "ꦏ꦳ꦿꦺꦴꦁ ꦱꦶꦠꦶ ꦫꦲ꧀ꦩꦮꦠꦶ",  # Javanese
    "ᬲᬶᬢᬶ ᬓᭀᬂ",  # Balinese
    "น้ำทิพย์ ที่รัก ปั๊ม",  # Thai
    "မြွှို့ ရွှေ",  # Burmese
    "བསྒྲུབས་ཧཱུྃ",  # Tibetan
    "क़्षिँ",  # Devanagari
    "شَدَّةٌ",  # Arabic with its vowels
]
"""As they are written."""


@pytest.mark.parametrize("name", PILED)
def test_marks_are_not_piled(house: House, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        accounts(house.core).add("kab-kotim", "siti@kotim.go.id", name, "liaison")
    assert [pointer for pointer, _ in refused.value.flaws] == ["/name"]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_in_other_scripts_is_taken(house: House, name: str) -> None:
    assert accounts(house.core).add("kab-kotim", "siti@kotim.go.id", name, "liaison")[0].name == name


@pytest.mark.parametrize("name", PILED)
async def test_agencies_and_subjects_are_held_to_the_same(house: House, name: str) -> None:
    hub = await house.caller("hub", frozenset({"agencies:write"}))
    new = {"id": "dinas-baru", "name": name, "kind": "agency"}
    refused = await hub.post("/v1/agencies", new)
    assert (refused.status, refused.pointers) == (422, ["/name"])
    app = await house.caller("kab-kotim")
    case = await app.submit()
    opened = await app.post("/v1/threads", {"subject": name, "cases": [case["id"]]})
    assert (opened.status, opened.pointers) == (422, ["/subject"]), opened.text


@pytest.mark.parametrize("name", WRITTEN)
async def test_agencies_and_subjects_in_other_scripts(house: House, name: str) -> None:
    hub = await house.caller("hub", frozenset({"agencies:write"}))
    made = await hub.post("/v1/agencies", {"id": "dinas-baru", "name": name, "kind": "agency"})
    assert made.status == 201, made.text
    app = await house.caller("kab-kotim")
    case = await app.submit()
    opened = await app.post("/v1/threads", {"subject": name, "cases": [case["id"]]})
    assert opened.status == 201, opened.text


async def test_an_agency_that_has_such_a_name_can_still_be_ended() -> None:
    before = Agency("dinas-lama", PILED[0], "agency")
    assert change(before, replace(before, active=False), None) is not None
    with pytest.raises(Invalid):
        change(before, replace(before, name=PILED[1]), None)


@pytest.mark.parametrize("name", ["Siti Rahmawati", "H. 'Abdul-Qadir, S.T.", "Nyi E\u0301lok", "王伟"])
def test_names_of_all_sorts_are_taken(house: House, name: str) -> None:
    row, _ = accounts(house.core).add("kab-kotim", "siti@kotim.go.id", name, "liaison")
    assert row.name == name
