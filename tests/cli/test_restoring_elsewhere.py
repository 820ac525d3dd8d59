"""A restore says where it restored to, and first of all where there is no hub; a refusal leaves nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from hub.cli.main import main
from tests.parts.postgres import drop_database, make_database

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`simpul …` in an empty folder, with nothing set but what is named."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("SIMPUL_DATA_DIR", raising=False)

    def run(line: str, **env: str) -> Result:
        env = {"SIMPUL_LOG_LEVEL": "warning"} | env
        return CliRunner().invoke(main, line.split(), prog_name="simpul", env=env)

    return run


@pytest.fixture
def kept(command: Command, tmp_path: Path) -> str:
    """A backup of the hub in `right`."""
    right = str(tmp_path / "right")
    command("agency add kemenpu --name PU --kind ministry", SIMPUL_DATA_DIR=right)
    file = str(tmp_path / "kept.backup")
    assert command(f"backup {file}", SIMPUL_DATA_DIR=right).exit_code == 0
    return file


def test_without_its_data_folder_it_says_that_there_is_no_hub(
    command: Command, tmp_path: Path, kept: str
) -> None:
    ended = command(f"restore {kept}")
    assert (ended.exit_code, ended.stdout) == (1, "")
    (said,) = ended.stderr.splitlines()
    folder = tmp_path / "work" / "var"
    assert said == (
        f"simpul: There is no hub in {folder} (data_dir is var now, seen from where the command was typed). "
        "Name the folder of yours in SIMPUL_DATA_DIR, or as data_dir in the file that --config names. On a "
        f"new machine put the master key back first, at {folder / 'master.key'}, or set "
        "SIMPUL_MASTER_KEY_FILE to where it is."
    )
    assert list((tmp_path / "work").iterdir()) == []


def test_on_a_new_machine_it_names_the_database_that_it_made(
    command: Command, tmp_path: Path, kept: str
) -> None:
    new = tmp_path / "new"
    new.mkdir()
    shutil.copy(tmp_path / "right" / "master.key", new)
    ended = command(f"restore {kept}", SIMPUL_DATA_DIR=str(new))
    assert ended.exit_code == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["database"], told["replaced"]) == (str(new / "simpul.db"), None)
    assert f"restored into {new / 'simpul.db'}, where no database was. If " in ended.stderr
    assert "SIMPUL_DATABASE_URL" in ended.stderr
    assert "A hub that never erased or revoked anything has no journals: then there is nothing to do." in (
        ended.stderr
    )
    again = command(f"restore {kept}", SIMPUL_DATA_DIR=str(new))
    assert json.loads(again.stdout)["database"] == str(new / "simpul.db")
    assert "where no database was" not in again.stderr


def test_a_lost_key_is_told_of_before_anything_is_made(command: Command, tmp_path: Path, kept: str) -> None:
    right = tmp_path / "right"
    (right / "master.key").unlink()
    before = sorted(right.iterdir())
    ended = command(f"restore {kept}", SIMPUL_DATA_DIR=str(right))
    assert "There is no master key file at" in ended.stderr
    assert sorted(right.iterdir()) == before


def test_a_file_that_is_no_backup_leaves_nothing_behind(command: Command, tmp_path: Path, kept: str) -> None:
    (tmp_path / "work" / "lain").write_text("bukan cadangan")
    key = str(tmp_path / "right" / "master.key")
    ended = command("restore lain", SIMPUL_MASTER_KEY_FILE=key)
    assert "lain: is no backup" in ended.stderr
    assert [each.name for each in (tmp_path / "work").iterdir()] == ["lain"]


@pytest.mark.postgres
def test_another_apps_database_is_refused_before_a_folder_is_made(
    command: Command, tmp_path: Path, kept: str
) -> None:
    url = make_database()
    try:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("CREATE TABLE sessions (id INTEGER)")
        refused = command("migrate", SIMPUL_DATABASE_URL=url)
        (tmp_path / "work" / "kosong").mkdir()
        empty = command(f"restore {kept}", SIMPUL_DATABASE_URL=url, SIMPUL_DATA_DIR="kosong")
    finally:
        drop_database(url)
    assert "tables that are not the hub's (sessions)" in refused.stderr
    assert "There is no hub in" in empty.stderr
    assert "SIMPUL_DATA_DIR" in empty.stderr
    assert [str(each.relative_to(tmp_path / "work")) for each in (tmp_path / "work").rglob("*")] == ["kosong"]


@pytest.mark.postgres
def test_a_database_on_a_server_is_named_without_its_password(
    command: Command, tmp_path: Path, kept: str
) -> None:
    url = make_database()
    try:
        folder = str(tmp_path / "right")
        ended = command(f"restore {kept}", SIMPUL_DATA_DIR=folder, SIMPUL_DATABASE_URL=url)
    finally:
        drop_database(url)
    assert ended.exit_code == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["database"].startswith("postgresql://")
    assert told["database"].endswith(url.rpartition("/")[2].partition("?")[0])
    assert "where no database was" not in ended.stderr
