"""`simpul agency activate`, and where a deactivation's work can be handed over."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from hub.cli.main import main
from hub.service.intake import ComplaintCodes
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas
from tests.service.hubworld import KOTIM, hub_world, make_folder


def simpul(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={"SIMPUL_DATA_DIR": str(folder)})


def test_an_agency_comes_back(tmp_path: Path) -> None:
    simpul(tmp_path, "agency", "add", "dinas-a", "--name", "Dinas A", "--kind", "agency")
    for command, active in (("deactivate", False), ("activate", True), ("activate", True)):
        done = simpul(tmp_path, "agency", command, "dinas-a")
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)["active"] is active
    assert simpul(tmp_path, "client", "add", "dinas-a").exit_code == 0
    missing = simpul(tmp_path, "agency", "activate", "tidak-ada")
    assert (missing.exit_code, missing.stderr.count("\n")) == (1, 1)


def test_a_deactivation_shows_the_handover_s_call(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data")
    with hub_world(folder, ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())) as world:
        world.submitted(agency=KOTIM)
    said = simpul(folder, "agency", "deactivate", KOTIM).stderr
    assert "simpul client add hub --scope agencies:write" in said
    assert "curl -X POST" in said
    assert f"/v1/agencies/{KOTIM}/handover" in said
    assert "Content-Type: application/json" in said
    assert '{"to": "' in said
