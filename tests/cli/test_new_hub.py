"""A forgotten SIMPUL_DATA_DIR makes a second hub in another folder: whoever makes one is told where."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize(
    "line", ["agency list", "client list", "migrate", "key rotate", "rebuild", "rebuild --check", "backup b"]
)
def test_a_command_that_makes_a_hub_names_its_folder_and_how_to_point_elsewhere(
    command: Command, tmp_path: Path, line: str
) -> None:
    ended = command(*line.split())
    assert ended.exit_code == 0, ended.output
    (said,) = ended.stderr.splitlines()
    assert said == (
        f"simpul: made a new, empty hub in {tmp_path / 'var'}, for there was none. If yours is elsewhere, "
        "set SIMPUL_DATA_DIR and delete this one (data_dir is var now, seen from where the command "
        "was typed)."
    )
    assert "made" not in command("agency", "list").stderr, "once"


def test_a_folder_that_was_asked_for_is_named_without_suspicion(command: Command, tmp_path: Path) -> None:
    ended = command("agency", "list", SIMPUL_DATA_DIR=str(tmp_path / "elsewhere"))
    (said,) = ended.stderr.splitlines()
    assert f"hub in {tmp_path / 'elsewhere'}, for there was none" in said
    assert "data_dir is" not in said
    assert json.loads(ended.stdout)["id"] == "hub"


def test_a_database_elsewhere_is_named_too(command: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    said = command("agency", "list", SIMPUL_DATABASE_URL=url).stderr
    assert f"hub in {tmp_path / 'var'}, database {tmp_path / 'other.db'}, for there was none" in said


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
