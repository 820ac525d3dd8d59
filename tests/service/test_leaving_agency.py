"""`simpul agency deactivate` tells of the work that nobody does any more."""

from __future__ import annotations

from click.testing import CliRunner, Result

from hub.cli.main import main as simpul
from tests.service.hubworld import KOTIM, HubWorld


def deactivate(world: HubWorld, agency: str) -> Result:
    settings = {"SIMPUL_DATA_DIR": str(world.core.settings.data_dir)}
    return CliRunner().invoke(simpul, ["agency", "deactivate", agency], env=settings)


def test_open_cases_that_stay_behind_are_told(world: HubWorld) -> None:
    world.run(world.submission("R-1"), world.submission("R-2"))
    done = deactivate(world, KOTIM)
    assert done.exit_code == 0 and '"active":false' in done.stdout.replace(" ", "")
    assert "2 open case(s)" in done.stderr and f"/v1/agencies/{KOTIM}/handover" in done.stderr


def test_nothing_is_said_where_nothing_stays(world: HubWorld) -> None:
    done = deactivate(world, KOTIM)
    assert done.exit_code == 0 and "open case" not in done.stderr
