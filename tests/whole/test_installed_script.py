"""The commands that no other test of this folder runs, by the script that the installation made."""

from __future__ import annotations

from pathlib import Path

from tests.parts import forking
from tests.parts.hub import SIMPUL, HubProcess


def test_the_other_commands_run_as_an_operator_runs_them(tmp_path: Path) -> None:
    """`serve`, `migrate`, `rebuild`, `client`, `topics` and `dead-letter` are run by the tests beside it."""
    assert SIMPUL.is_file()
    assert not forking.wanted
    hub = HubProcess(tmp_path)
    kept = str(tmp_path / "cadangan")
    assert (
        hub.run("agency", "add", "kemenpu", "--name", "Kementerian PU", "--kind", "ministry")["id"]
        == "kemenpu"
    )
    assert hub.run("key", "rotate")
    hub.cli("backup", kept)
    hub.cli("restore", kept)
    assert "was not moved" in hub.cli("move", "--undo", status=1).stderr
