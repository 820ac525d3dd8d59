"""A SQLite hub with erasures is carried to PostgreSQL, and back: what was erased stays so on either, and what
waits for a receipt goes on waiting."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli.main import main
from hub.domain.case import CaseState
from hub.service.intake import ComplaintCodes
from hub.settings import Settings
from hub.store.destroying import PURGE_WAITS
from tests.erasure.erasurework import IDENTITY, MASKED, ErasureWorld, erasure_world, words_in
from tests.evidence.conftest import Made
from tests.parts.postgres import drop_database, make_database
from tests.service.hubworld import KOTIM, PUPR

pytestmark = pytest.mark.postgres
EVERYTHING = (*MASKED, *IDENTITY)


@pytest.fixture
def here(made_on_sqlite: Made, tmp_path: Path) -> Settings:
    return Settings(data_dir=Path(shutil.copytree(made_on_sqlite.folder, tmp_path / "data")))


@pytest.fixture
def there(here: Settings) -> Iterator[Settings]:
    url = make_database()
    yield Settings(data_dir=here.data_dir, database_url=url)
    drop_database(url)


def simpul(settings: Settings, *arguments: str) -> Any:
    environment = {"SIMPUL_DATA_DIR": str(settings.data_dir), "SIMPUL_LOG_LEVEL": "warning"}
    if settings.on_postgres:
        environment["SIMPUL_DATABASE_URL"] = str(settings.database)
    result = CliRunner(env=environment).invoke(main, arguments)
    assert result.exit_code == 0, result.output + result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def state(world: ErasureWorld, case_id: str) -> CaseState:
    found: CaseState = world.read(lambda s: s.case(case_id)).state
    return found


def test_what_was_erased_arrives_erased_with_its_receipts(
    here: Settings, there: Settings, codes: ComplaintCodes
) -> None:
    with erasure_world(here, codes) as world:
        gone = world.told("P-1", attachments=[world.uploaded()])
        room = world.room(gone)
        world.erase(gone)
        world.confirm(gone, KOTIM)
        assert world.count("facts", "name", PURGE_WAITS) == 1, "the disk was not purged yet"
    moved = simpul(here, "move", "--to", str(there.database))
    assert moved["verified"]
    with erasure_world(there, codes) as world:
        known = state(world, gone)
        assert known.erasure is not None
        assert {name: at is None for name, at in known.erasure.receipts.items()} == {KOTIM: False, PUPR: True}
        assert world.read(lambda s: s.thread(room)).texts is None
        assert world.count("facts", "name", PURGE_WAITS) == 1, "so it is purged there"
        world.core.store.purge()
        assert world.found(EVERYTHING) == set(), "neither there nor in the folder"
        world.confirm(gone, PUPR)
        assert None not in (state(world, gone).erasure.receipts or {}).values()  # type: ignore[union-attr]
        assert world.difference() is None
    assert simpul(there, "rebuild", "--check")


def test_erased_over_there_the_file_that_stayed_is_named(
    here: Settings, there: Settings, codes: ComplaintCodes
) -> None:
    with erasure_world(here, codes) as world:
        later = world.told("P-1")
    simpul(here, "move", "--to", str(there.database))
    done = simpul(there, "erase", later, "--reason", "Permintaan pelapor.")
    assert [line for line in done["remains"] if line.startswith("simpul.db") and "delete" in line]
    for path in here.data_dir.glob("simpul.db*"):
        path.unlink()
    again = simpul(there, "erase", later, "--reason", "Permintaan pelapor.")
    assert (again["already"], again["remains"]) == (True, [])
    with erasure_world(there, codes) as world:
        assert world.found(EVERYTHING) == set()


def test_back_in_the_file_it_is_erased_again(here: Settings, there: Settings, codes: ComplaintCodes) -> None:
    """It was erased while the hub lived over there, and the file is as it was before."""
    with erasure_world(here, codes) as world:
        later, stays = world.told("P-1"), world.told("P-2")
    simpul(here, "move", "--to", str(there.database))
    simpul(there, "erase", later, "--reason", "Permintaan pelapor.")
    simpul(here, "move", "--undo")
    with erasure_world(here, codes) as world:
        assert (state(world, later).erased, state(world, stays).erased) == (True, False)
        assert [line.case_id for line in world.lines()] == [later]
        assert world.difference() is None
        world.erase(stays)
        world.core.store.purge()
    assert words_in((p for p in here.data_dir.rglob("*") if p.is_file()), EVERYTHING) == set()


def test_a_backup_from_before_the_move_is_no_way_back(
    here: Settings, there: Settings, codes: ComplaintCodes, tmp_path: Path
) -> None:
    with erasure_world(here, codes) as world:
        before, after = world.told("P-1"), world.told("P-2")
    simpul(here, "backup", str(tmp_path / "cadangan"))
    simpul(here, "erase", before, "--reason", "Permintaan pelapor.")
    simpul(here, "move", "--to", str(there.database))
    simpul(there, "erase", after, "--reason", "Permintaan pelapor.")
    simpul(there, "restore", str(tmp_path / "cadangan"))
    with erasure_world(there, codes) as world:
        assert [state(world, each).erased for each in (before, after)] == [True, True]
        assert world.difference() is None
