"""A second name of the database's file is refused: SQLite keeps its other files beside each name, so that two
hubs on one file would each lose what the other acknowledged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.app_core import open_core
from hub.cli.main import main
from hub.errors import CommandRefused
from hub.settings import Settings
from hub.store.sqlite import presence as file_presence


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub whose database's file has another name."""
    settings = Settings(data_dir=tmp_path / "var")
    with open_core(settings):
        pass
    os.link(settings.database_path, tmp_path / "copy.db")
    return settings


COMMANDS = (
    ["serve"],
    ["agency", "add", "kemenpu", "--name", "Kementerian PU", "--kind", "ministry"],
    ["erase", "AAAA-BBBB-CCCC", "--reason", "Permintaan pelapor."],
    ["backup", "kept.backup"],
    ["rebuild"],
    ["rebuild", "--check"],
    ["migrate"],
    ["key", "rotate"],
    ["move", "--to", "postgresql://nobody@127.0.0.1:1/none"],
    ["restore", "kept.backup"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_that_may_write_refuses_it(
    settings: Settings, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(settings.data_dir.parent)
    if command[0] == "restore":
        Path("kept.backup").touch()
    before = settings.database_path.read_bytes()
    environment = {"SIMPUL_DATA_DIR": str(settings.data_dir), "SIMPUL_LISTEN": "127.0.0.1:0"}
    told: Any = CliRunner(env=environment).invoke(main, command)
    assert told.exit_code == 1, told.output
    assert f"{settings.database_path}: has another name (a hard link)" in told.stderr
    assert "remove the other name" in told.stderr
    assert "`simpul backup`" in told.stderr
    assert settings.database_path.read_bytes() == before


def test_with_one_name_left_it_is_taken(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="hard link"), open_core(settings):
        pass
    with pytest.raises(CommandRefused, match="hard link"):
        file_presence.present(settings.database_path)
    with (
        pytest.raises(CommandRefused, match="hard link"),
        file_presence.alone(settings.database_path, "restore"),
    ):
        pass
    (tmp_path / "copy.db").unlink()
    with open_core(settings):
        pass
    with file_presence.alone(settings.database_path, "restore"):
        pass
