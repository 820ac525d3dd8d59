"""One database, however it is named: by a link, from two data folders, or lost in the middle of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.app_core import open_core
from hub.cli import database
from hub.cli.common import alone, running
from hub.cli.main import main
from hub.errors import CommandRefused, StoreUnavailable
from hub.settings import Settings


@pytest.fixture
def linked(tmp_path: Path) -> tuple[Settings, Settings]:
    """A hub whose database's file is a link, and the settings of somebody who names the file itself."""
    (tmp_path / "var").mkdir()
    (tmp_path / "disk").mkdir()
    file = tmp_path / "disk" / "simpul.db"
    (tmp_path / "var" / "simpul.db").symlink_to(file)
    by_link = Settings(data_dir=tmp_path / "var")
    return by_link, Settings(
        data_dir=tmp_path / "other", database_url=f"sqlite:///{file}", master_key_file=by_link.key_path
    )


def test_who_works_by_a_link_is_seen_by_who_names_the_file(linked: tuple[Settings, Settings]) -> None:
    by_link, by_file = linked
    assert by_link.database == by_file.database
    with (
        open_core(by_link),
        pytest.raises(CommandRefused, match="needs the database"),
        alone(by_file, "restore"),
    ):
        pass
    with alone(by_file, "restore"), pytest.raises(CommandRefused, match="restore"), open_core(by_link):
        pass


def test_a_link_does_not_keep_the_write_ahead_log_from_its_end(linked: tuple[Settings, Settings]) -> None:
    """SQLite lays it beside the file; the hub, which moves it into the database, must look for it there."""
    by_link, _ = linked
    with open_core(by_link) as core:
        assert core.store.path == by_link.database_path.resolve()
    assert by_link.database_path.stat().st_size > 0


def test_one_hub_serves_a_database_whatever_its_data_folder(linked: tuple[Settings, Settings]) -> None:
    by_link, by_file = linked
    told = pytest.raises(CommandRefused, match=r"needs the database .* a hub is running")
    with running(by_link), told, running(by_file):
        pass
    with running(by_file):
        pass


def test_a_restore_that_holds_says_so_though_the_database_went_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"SIMPUL_DATA_DIR": str(tmp_path / "var")}
    kept = str(tmp_path / "kept.backup")

    def simpul(*arguments: str) -> Any:
        return CliRunner(env=environment).invoke(main, arguments)

    assert simpul("agency", "add", "kemenpu", "--name", "Kementerian PU", "--kind", "ministry").exit_code == 0
    assert simpul("backup", kept).exit_code == 0

    @contextmanager
    def away(*_: Any, **__: Any) -> Iterator[None]:
        raise StoreUnavailable("too many clients already.")
        yield

    monkeypatch.setattr(database, "opened", away)
    told = simpul("restore", kept)
    monkeypatch.undo()
    assert told.exit_code == 1
    assert "The restore holds (" in told.stderr
    assert "too many clients already. Whatever opens it next" in told.stderr
    (replaced,) = (tmp_path / "var").glob("simpul.db.replaced-*[!ml]")
    assert replaced.is_file()
