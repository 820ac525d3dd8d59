"""What connectors/README.md says of installing it is what the runbook says of the hub."""

from __future__ import annotations

import re

from tests.parts.hub import ROOT

README = (ROOT / "connectors" / "README.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "deploy" / "RUNBOOK.md").read_text(encoding="utf-8")


def places(text: str) -> set[str]:
    """The folders under /opt from which programs are run."""
    return set(re.findall(r"(/opt/[\w./-]*?bin)/[a-z]", text))


def test_the_unit_runs_the_program_where_it_was_installed() -> None:
    assert places(README) == places(RUNBOOK) == {"/opt/simpul/bin"}
    assert "ExecStart=/opt/simpul/bin/simpul-connector run " in README


def test_the_steps_of_installing_are_the_runbooks() -> None:
    steps = re.findall(r"^(?:python3 -m venv|/opt/simpul/bin/pip install) .*$", README, re.MULTILINE)
    assert len(steps) == 3
    assert all(f"{step}\n" in RUNBOOK for step in steps)
