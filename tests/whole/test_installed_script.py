"""What an operator types, by the script that the installation made; to the other tests the hub is forked.
This file comes first of its folder, so that the cluster they share is started and migrated by the script."""

from __future__ import annotations

from pathlib import Path

from tests.parts import forking
from tests.parts.hub import SIMPUL, HubProcess
from tests.whole.wholework import Whole


def test_a_hub_is_served_and_its_commands_run_as_an_operator_runs_them(tmp_path: Path) -> None:
    """`migrate` and `topics` run below, `import` in tests/backlog."""
    assert SIMPUL.is_file()
    assert not forking.wanted
    hub = HubProcess(tmp_path)
    kept = str(tmp_path / "cadangan")
    assert (
        hub.run("agency", "add", "kemenpu", "--name", "Kementerian PU", "--kind", "ministry")["id"]
        == "kemenpu"
    )
    client = hub.client("kemenpu").client_id
    try:
        hub.start()
        hub.cli("client", "revoke", client)
        assert hub.cli("dead-letter", "list").stdout == ""
        assert hub.stop() == 0
    finally:
        hub.kill()
    hub.cli("rebuild", "--check")
    assert hub.run("key", "rotate")
    hub.cli("backup", kept)
    hub.cli("restore", kept)
    assert "was not moved" in hub.cli("move", "--undo", status=1).stderr


def test_a_cluster_is_served_and_its_topics_are_applied_by_the_script(big: Whole) -> None:
    assert not forking.wanted
    assert all(process.ready() for process in big.processes)
    assert big.desk.run("topics", "apply")["changes"] == []
