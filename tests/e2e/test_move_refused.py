"""What `simpul move` says to whom it refuses, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.hub import HubFailed, HubProcess
from tests.parts.postgres import drop_database, make_database

pytestmark = pytest.mark.postgres


@pytest.fixture
def target() -> Iterator[str]:
    url = make_database()
    yield url
    drop_database(url)


def test_a_database_on_which_a_hub_lives_is_refused(tmp_path: Path, target: str) -> None:
    hub, other = HubProcess(tmp_path / "a"), HubProcess(tmp_path / "b", {"SIMPUL_DATABASE_URL": target})
    for desk in (hub, other):
        desk.folder.mkdir()
    hub.desk("agency", "add", "kemenpu", "--name", "Kementerian PU", "--kind", "ministry")
    other.desk("migrate")
    with pytest.raises(HubFailed, match="another hub's data"):
        hub.desk("move", "--to", target)
    try:
        other.start()
        with pytest.raises(HubFailed, match="a hub is running on it"):
            hub.desk("move", "--to", target)
    finally:
        other.kill()
    hub.cli("agency", "list")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to", "sqlite:///lain.db"], "leads to PostgreSQL"),
        (["--to", "mysql://db/simpul"], "--to: .*is needed"),
        (["--undo"], "was not moved"),
        ([], "Give --to URL, or --undo"),
    ],
)
def test_wrong_words_are_answered_in_one_sentence(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    hub = HubProcess(tmp_path)
    hub.desk("migrate")
    with pytest.raises(HubFailed, match=sentence):
        hub.desk("move", *arguments)


def test_a_move_needs_the_settings_of_the_sqlite_hub_and_a_hub(tmp_path: Path, target: str) -> None:
    with pytest.raises(HubFailed, match="There is no hub in"):
        HubProcess(tmp_path).desk("move", "--to", target)
    with pytest.raises(HubFailed, match="a move starts from SQLite"):
        HubProcess(tmp_path, {"SIMPUL_DATABASE_URL": target}).desk("move", "--to", target)


def test_a_finished_move_can_be_undone(tmp_path: Path, target: str) -> None:
    hub = HubProcess(tmp_path)
    hub.desk("agency", "add", "kemenpu", "--name", "Kementerian PU", "--kind", "ministry")
    hub.desk("move", "--to", target)
    for command in (["client", "list"], ["backup", "x"], ["rebuild", "--check"], ["migrate"]):
        with pytest.raises(HubFailed, match="was moved to"):
            hub.desk(*command)
    assert hub.desk("move", "--undo")["was_finished"] is True
    hub.cli("agency", "list")
