"""A data folder whose hub has its database elsewhere: nothing begins a second hub in it, nothing of it is
written; and a first start that was killed goes on, wherever that was."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import main
from hub.settings import Settings
from hub.store import opening
from hub.vault.master_key import MasterKeyFile
from tests.parts.hub import HubProcess
from tests.parts.postgres import drop_database, make_database

Command = Callable[..., Result]
AGENCY = "agency add kemenpu --name PU --kind ministry"
BEGINNING = [
    "migrate",
    AGENCY,
    "client add hub",
    "serve",
    "officer add hub --email siti@kotim.go.id --name Siti --role administrator",
]
READING = ["agency list", "client list", "rebuild --check", "rebuild", "backup ../cadangan", "key rotate"]


class Killed(BaseException):
    """As by kill -9, but for the locks, which the kernel takes back then."""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`simpul …` over the folder `var`; other settings by their names."""
    monkeypatch.chdir(tmp_path)

    def run(line: str, **env: str) -> Result:
        env = {"SIMPUL_DATA_DIR": str(tmp_path / "var"), "SIMPUL_LOG_LEVEL": "warning"} | env
        return CliRunner().invoke(main, line.split(), prog_name="simpul", env=env)

    return run


@pytest.fixture
def folder(command: Command, tmp_path: Path) -> Path:
    """As a hub on PostgreSQL leaves it: a key, published keys, attachments, no database."""
    data, elsewhere = tmp_path / "var", f"sqlite:///{tmp_path / 'other' / 'simpul.db'}"
    assert command("migrate", SIMPUL_DATABASE_URL=elsewhere).exit_code == 0
    (data / "attachments" / "ab").mkdir(parents=True)
    (data / "attachments" / "ab" / "abcd").write_bytes(b"sealed")
    for lock in data.glob("*lock"):
        lock.unlink()
    assert sorted(each.name for each in data.iterdir()) == [
        "attachments", "jwks-all.json", "jwks.json", "master.key"]  # fmt: skip
    return data


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def refused(ended: Result, folder: Path) -> str:
    assert (ended.exit_code, ended.stdout) == (1, "")
    (said,) = ended.stderr.splitlines()
    assert said.startswith(f"simpul: There is no database in {folder}")
    assert "belongs to a hub whose database is elsewhere: set SIMPUL_DATABASE_URL" in said
    assert "restore" in said
    assert "delete" not in said
    return said


@pytest.mark.parametrize("line", [*BEGINNING, *READING])
def test_nothing_is_made_in_the_folder_of_a_hub_whose_database_is_elsewhere(
    command: Command, folder: Path, tmp_path: Path, line: str
) -> None:
    before = content(tmp_path)
    said = refused(command(line), folder)
    assert "but master.key, jwks.json and attachments are there, so" in said
    assert content(tmp_path) == before


@pytest.mark.parametrize("left", ["attachments", "erasures.ndjson", "revocations.ndjson"])
def test_one_of_them_is_enough(command: Command, tmp_path: Path, left: str) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    if left == "attachments":
        (folder / left / "ab").mkdir(parents=True)
    else:
        (folder / left).touch()
    assert f"but {left} is there, so" in refused(command("migrate"), folder)
    assert [each.name for each in folder.iterdir()] == [left]


@pytest.mark.parametrize("put", ["master.key", "jwks.json"])
def test_what_is_put_there_for_a_new_hub_is_no_hub(command: Command, tmp_path: Path, put: str) -> None:
    """An operator's own key; a file of keys for a broker that starts before the hub."""
    folder = tmp_path / "var"
    command("migrate", SIMPUL_DATA_DIR=str(tmp_path / "other"))
    folder.mkdir()
    if put == "master.key":
        shutil.copy(tmp_path / "other" / put, folder)
    else:
        (folder / put).write_text('{"keys": []}')
    assert command("migrate", SIMPUL_DATA_DIR=str(folder)).exit_code == 0


def test_a_key_that_is_kept_elsewhere_counts_too(command: Command, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "master.key"
    command("migrate", SIMPUL_DATA_DIR=str(tmp_path / "right"), SIMPUL_MASTER_KEY_FILE=str(key))
    (tmp_path / "keys" / "erasures.ndjson").touch()
    for line in ("migrate", "agency list"):
        said = refused(command(line, SIMPUL_MASTER_KEY_FILE=str(key)), tmp_path / "var")
        assert str(key.with_name("erasures.ndjson")) in said
        assert "SIMPUL_DATA_DIR" in said
        assert "another SIMPUL_MASTER_KEY_FILE" in said
    assert not (tmp_path / "var").exists()


def test_an_empty_folder_for_attachments_is_no_hub_s(command: Command, tmp_path: Path) -> None:
    """Such as one that was mounted for the first start."""
    (tmp_path / "var" / "attachments").mkdir(parents=True)
    assert command("migrate").exit_code == 0


def test_what_was_made_in_a_folder_that_was_there_is_named_file_by_file(
    command: Command, tmp_path: Path
) -> None:
    """Never the folder: there may be other things in it."""
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "catatan.txt").touch()
    (said,) = command("migrate").stderr.splitlines()
    assert "delete this folder" not in said
    names = "simpul.db*, master.key, master.key.lock, jwks.json, jwks-all.json, attachments, hub.lock"
    assert f"delete what was made in {folder}: {names} (" in said or f"{folder}: {names}." in said
    assert "SIMPUL_DATABASE_URL" in said


def test_a_database_and_a_key_elsewhere_are_named_where_they_are(command: Command, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (said,) = command(
        "migrate",
        SIMPUL_DATABASE_URL=f"sqlite:///{tmp_path / 'other.db'}",
        SIMPUL_MASTER_KEY_FILE=str(tmp_path / "keys" / "master.key"),
    ).stderr.splitlines()
    assert f"delete what was made: {tmp_path / 'var'}, {tmp_path / 'other.db'}*, " in said
    assert f"{tmp_path / 'keys' / 'master.key'}" in said


@pytest.mark.parametrize("moment", ["before the key", "before the tables"])
@pytest.mark.parametrize("again", ["migrate", AGENCY, "agency list"])
def test_a_first_start_that_was_killed_is_begun_again(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, again: str
) -> None:
    """The database's file is made before the key, so that a key without one is of a hub elsewhere."""

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "before the key":
            patch.setattr(MasterKeyFile, "ensure", dies)
        else:
            patch.setattr(opening, "migrate", dies)
        with pytest.raises(Killed):
            command("migrate")
    assert (tmp_path / "var" / "master.key").exists() == (moment == "before the tables")
    ended = command(again)
    assert ended.exit_code == 0, ended.stderr
    assert json.loads(command("agency list").stdout.splitlines()[0])["id"] == "hub"
    assert (tmp_path / "var" / "simpul.db").stat().st_mode & 0o777 == 0o600


def test_a_restore_brings_a_lost_database_back(command: Command, tmp_path: Path) -> None:
    command(AGENCY)
    command("backup cadangan")
    for path in (tmp_path / "var").glob("simpul.db*"):
        path.unlink()
    (tmp_path / "var" / "jwks.json").touch()  # as any hub that served
    refused(command("agency list"), tmp_path / "var")
    ended = command("restore cadangan")
    assert ended.exit_code == 0, ended.stderr
    assert "kemenpu" in command("agency list").stdout


@pytest.fixture
def url() -> Iterator[str]:
    made = make_database()
    yield made
    drop_database(made)


@pytest.mark.postgres
def test_a_hub_on_postgresql_whose_address_was_forgotten(command: Command, tmp_path: Path, url: str) -> None:
    assert command(AGENCY, SIMPUL_DATABASE_URL=url).exit_code == 1, "there `migrate` makes the hub"
    assert command("migrate", SIMPUL_DATABASE_URL=url).exit_code == 0
    before = content(tmp_path)
    for line in (AGENCY, "migrate", "serve", "agency list"):
        refused(command(line), tmp_path / "var")
    assert content(tmp_path) == before
    assert command(AGENCY, SIMPUL_DATABASE_URL=url).exit_code == 0


@pytest.mark.postgres
def test_a_first_migration_on_postgresql_that_was_killed_is_begun_again(
    command: Command, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(opening, "migrate", dies)
        with pytest.raises(Killed):
            command("migrate", SIMPUL_DATABASE_URL=url)
    assert Settings(data_dir=tmp_path / "var").key_path.exists()
    assert command("migrate", SIMPUL_DATABASE_URL=url).exit_code == 0


def test_serve_makes_nothing_either(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    hub.data.mkdir()
    (hub.data / "erasures.ndjson").write_text("{}")
    ended = hub.ended("serve")
    assert ended.returncode == 1
    assert "whose database is elsewhere" in ended.stderr
    assert content(hub.data) == {"erasures.ndjson": hashlib.sha256(b"{}").hexdigest()}
