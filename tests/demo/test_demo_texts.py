"""The demo's complaints and configurations, held to what the hub and the issue ask of them."""

from __future__ import annotations

import json
import tomllib
from string import Template

import pytest

from deploy.demo.coordinator import recipients
from deploy.demo.layout import LH, PU, SOSIAL
from deploy.demo.office import belongs_to
from deploy.demo.pictures import picture
from deploy.demo.program import fill
from schemas.categories import Categories
from schemas.first_bytes import sniff
from schemas.regions import Regions
from tests.demo.running import ROOT

DEMO = ROOT / "deploy" / "demo"
KOTIM = json.loads((DEMO / "texts/lapor-kotim.json").read_text("utf-8"))
BANUA = json.loads((DEMO / "texts/suara-banua.json").read_text("utf-8"))


def configuration(waste_to: str = "") -> dict[str, dict[str, dict[str, list[str]]]]:
    text = (DEMO / "connectors/lapor-kotim.toml").read_text("utf-8")
    return tomllib.loads(Template(text).safe_substitute(every_s="1", waste_to=waste_to))


def test_there_are_sixty_different_complaints() -> None:
    texts = {fill(entry["isi"], 0) for entry in KOTIM} | {fill(entry["text"], 0) for entry in BANUA}
    assert len(texts) >= 60
    assert not [text for text in texts if "{" in text]


def test_categories_and_regions_exist() -> None:
    categories, regions = Categories.load(), Regions.load()
    codes = configuration()["category"]["codes"]
    used = {entry["category"] for entry in BANUA} | set(codes.values())
    assert not [code for code in used if categories.get(code) is None]
    assert not [entry["region"] for entry in BANUA if regions.get(entry["region"]) is None]
    assert {entry["kategori"] for entry in KOTIM} - {"lain"} <= set(codes)


def test_a_configuration_has_at_most_forty_lines() -> None:
    lines = {
        path.stem: len(path.read_text("utf-8").splitlines()) for path in (DEMO / "connectors").glob("*.toml")
    }
    assert {"lapor-kotim", "kemen-pu", "kemen-sosial", "kemen-lh"} <= lines.keys()
    assert max(lines.values()) <= 40


@pytest.mark.parametrize("waste_to", [(), (LH.id,)], ids=["demo", "cluster"])
def test_connector_and_coordinator_forward_alike(waste_to: tuple[str, ...]) -> None:
    routing = configuration(", ".join(f'"{agency}"' for agency in waste_to))["routing"]
    for category in [*configuration()["category"]["codes"].values(), "other"]:
        by_connector = routing["categories"].get(category, routing["default"])
        assert by_connector == [leg["agency"] for leg in recipients(category, waste_to)]


def test_a_misfiled_complaint_ends_at_one_ministry() -> None:
    """Whoever returns it suggests the other, and the other keeps it."""
    for entry in KOTIM:
        whose = {belongs_to(entry["isi"][:80], entry["isi"], agency) for agency in (PU.id, SOSIAL.id, LH.id)}
        assert whose
        for agency in whose:
            assert belongs_to(entry["isi"][:80], entry["isi"], agency) == agency


def test_photos_are_what_they_say() -> None:
    assert sniff(picture("jalan.png")) == "image/png"
    assert picture("a.png") != picture("b.png")
