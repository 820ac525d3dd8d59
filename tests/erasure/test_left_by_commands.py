"""What commands that were killed left in the data folder goes with an erasure; what one works in is named."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from hub.app import _chores
from hub.app_erasures import purge
from hub.cli.main import main as simpul
from hub.errors import StoreUnavailable
from hub.service.intake import ComplaintCodes
from hub.settings import Settings
from hub.store.files import FileTables
from hub.store.leftovers import BACKUP, HELD, REBUILD, RESTORE, working_folder
from tests.erasure.erasurework import MASKED, STORY, ErasureWorld, erasure_world


def left_in(folder: Path, kind: str) -> Path:
    """As a killed command leaves it, with a readable sentence."""
    left = folder / f"{kind}0a_b1c2d"
    left.mkdir()
    (left / HELD).touch()
    with sqlite3.connect(left / "simpul.db") as copy:
        copy.execute("CREATE TABLE cases (texts TEXT)")
        copy.execute("INSERT INTO cases VALUES (?)", (STORY,))
    copy.close()
    return left


@pytest.mark.parametrize("kind", [BACKUP, REBUILD, RESTORE])
def test_it_goes_with_the_words(world: ErasureWorld, kind: str) -> None:
    case_id = world.told()
    left = left_in(world.folder, kind)
    world.erase(case_id)
    assert purge(world.core) == []
    assert not left.exists()
    assert world.found(MASKED) == set()


def test_what_somebody_works_in_remains_and_is_named(world: ErasureWorld) -> None:
    case_id = world.told()
    with working_folder(BACKUP, world.folder) as folder:
        (folder / "simpul.db").write_text(STORY)
        world.erase(case_id)
        (told,) = purge(world.core)
        assert str(folder) in told
        assert "a backup works: it goes when that ends" in told
        assert world.found(MASKED) == {STORY}
    assert purge(world.core) == []
    assert world.found(MASKED) == set()


def test_the_hub_looks_again_by_itself(world: ErasureWorld) -> None:
    left, nobody = left_in(world.folder, BACKUP), cast(Any, None)
    chores = _chores(world.core, FileTables(world.core.store), nobody, nobody, nobody)
    (chore,) = [chore for chore in chores if chore.name == "leftovers"]
    assert chore.run("") == 0
    assert not left.exists()


def test_the_command_says_what_remains(settings: Settings, codes: ComplaintCodes) -> None:
    with erasure_world(settings, codes) as world:
        case_id = world.told()
    environment = {"SIMPUL_DATA_DIR": str(settings.data_dir)}
    if settings.on_postgres:
        environment["SIMPUL_DATABASE_URL"] = str(settings.database)
    given = ["erase", case_id, "--reason", "Permintaan pelapor."]
    left = left_in(settings.data_dir, BACKUP)
    with working_folder(REBUILD, settings.data_dir) as folder:
        told = CliRunner(env=environment).invoke(simpul, given)
        assert told.exit_code == 0, told.stderr
        (remains,) = json.loads(told.stdout)["remains"]
        assert str(folder) in remains
        assert not left.exists()
    told = CliRunner(env=environment).invoke(simpul, given)
    assert json.loads(told.stdout)["remains"] == []


def test_a_leftover_goes_though_the_disk_itself_must_wait(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waits() -> None:
        raise StoreUnavailable("being read")

    left = left_in(world.folder, BACKUP)
    monkeypatch.setattr(world.core.store, "purge", waits)
    with pytest.raises(StoreUnavailable):
        purge(world.core)
    assert not left.exists()
