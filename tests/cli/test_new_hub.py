"""A forgotten SIMPUL_DATA_DIR leads to another folder: what begins a hub says where it made one, everything
else says that there is none and makes nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import main
from tests.parts.hub import HubProcess

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`simpul …` in an empty folder, with nothing set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIMPUL_DATA_DIR", raising=False)

    def run(*arguments: str, **env: str) -> Result:
        return CliRunner().invoke(main, list(arguments), prog_name="simpul", env=env)

    return run


AGENCY = "agency add pemda-kotim --name Kotim --kind regency --region 62.02"
OFFICER = "officer add hub --email siti@kotim.go.id --name Siti --role administrator"


@pytest.mark.parametrize("line", ["migrate", AGENCY, "client add hub", OFFICER])
def test_a_command_that_makes_a_hub_names_its_folder_and_how_to_point_elsewhere(
    command: Command, tmp_path: Path, line: str
) -> None:
    ended = command(*line.split())
    assert ended.exit_code == 0, ended.output
    (said,) = ended.stderr.splitlines()
    assert said == (
        f"simpul: made a new, empty hub in {tmp_path / 'var'}, for there was none. If yours is elsewhere, "
        "set SIMPUL_DATA_DIR (SIMPUL_DATABASE_URL where it is on PostgreSQL) and delete this folder, which "
        "was made just now (data_dir is var now, seen from where the command was typed)."
    )
    assert "made" not in command("agency", "list").stderr, "once"
    assert json.loads(command("agency", "list").stdout.splitlines()[0])["id"] == "hub"


CASE = "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"


@pytest.mark.parametrize(
    "line",
    [
        "agency list", "agency deactivate kemenpu", "agency activate kemenpu", "client list",
        "client revoke x", "officer list", "officer reset siti@kotim.go.id",
        "officer role siti@kotim.go.id administrator", "officer disable siti@kotim.go.id",
        "key rotate", "key rotate --master", "key destroy", "topics apply --dry-run",
        f"deadlines {CASE}", f"erase {CASE} --reason Lama", "retention", "policy list",
        "dead-letter list", "dead-letter redrive x", "rebuild", "rebuild --check",
        "backup ../cadangan", "move --undo",
    ],
)  # fmt: skip
def test_a_command_that_needs_a_hub_says_that_there_is_none_and_makes_nothing(
    command: Command, tmp_path: Path, line: str
) -> None:
    ended = command(*line.split())
    assert (ended.exit_code, ended.stdout) == (1, "")
    (said,) = ended.stderr.splitlines()
    assert said == (
        f"simpul: There is no hub in {tmp_path / 'var'} (data_dir is var now, seen from where the command "
        "was typed). Name the folder of yours in SIMPUL_DATA_DIR, or as data_dir in the file that --config "
        "names; `simpul serve` and `simpul migrate` make a new hub."
    )
    assert list(tmp_path.iterdir()) == []


def test_other_files_in_the_folder_are_no_hub_and_a_damaged_one_is(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "catatan.txt").touch()
    assert "There is no hub in" in command("agency", "list").stderr
    assert [each.name for each in folder.iterdir()] == ["catatan.txt"]
    command("migrate")
    (folder / "simpul.db").rename(folder / "simpul.db.half")
    assert "There is no hub in" not in command("agency", "list").stderr, "a restore's remains are looked at"


def test_what_a_refused_command_left_is_no_hub(command: Command, tmp_path: Path) -> None:
    (tmp_path / "cadangan").touch()
    assert command("restore", str(tmp_path / "cadangan")).exit_code == 1
    assert "There is no hub in" in command("agency", "list").stderr
    assert not (tmp_path / "var" / "simpul.db").exists()
    assert "made a new, empty hub" in command("migrate").stderr


def test_a_file_in_the_folder_s_place_is_said_as_before(command: Command, tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    assert "is no folder and cannot be made one" in command("agency", "list").stderr


def test_a_folder_that_was_asked_for_is_named_without_suspicion(command: Command, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    for line, words in (("agency list", "no hub in {}. Name"), ("migrate", "hub in {}, for there was none")):
        (said,) = command(*line.split(), SIMPUL_DATA_DIR=elsewhere).stderr.splitlines()
        assert words.format(elsewhere) in said
        assert "data_dir is" not in said


def test_a_database_elsewhere_is_named_too(command: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    said = command("agency", "list", SIMPUL_DATABASE_URL=url).stderr
    assert f"no hub in {tmp_path / 'var'}, database {tmp_path / 'other.db'} (" in said
    said = command("migrate", SIMPUL_DATABASE_URL=url).stderr
    assert f"hub in {tmp_path / 'var'}, database {tmp_path / 'other.db'}, for there was none" in said


def test_serve_on_a_taken_port_makes_nothing(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path / "sini")
    hub.folder.mkdir()
    with socket.create_server(("127.0.0.1", hub.port)):
        ended = hub.ended("serve")
    assert ended.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{hub.port}" in ended.stderr
    assert "Choose another with SIMPUL_LISTEN=127.0.0.1:" in ended.stderr
    assert not hub.data.exists()


def test_serve_names_a_new_folder_too(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path, {"SIMPUL_LOG_LEVEL": "info"})
    try:
        hub.start()
        lines = [json.loads(line) for line in hub.log.read_text().splitlines()]
        (made,) = [line for line in lines if line["event"] == "new_hub"]
        assert made["data_dir"] == str(hub.data)
        assert "SIMPUL_DATA_DIR" in made["advice"]
        hub.stop()
        hub.start()
        assert hub.log.read_text().count("new_hub") == 1
    finally:
        hub.kill()
