"""The interpreter that runs the hub's commands for a demo: one for all, and another after one that failed."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from deploy.demo.interpreter import Interpreter
from deploy.demo.layout import Layout
from deploy.demo.ports import CannotStart


def interpreters() -> list[int]:
    children = psutil.Process().children()
    return [child.pid for child in children if "deploy.demo.commands" in " ".join(child.cmdline())]


def test_all_commands_have_one_interpreter_and_a_failed_one_is_followed(tmp_path: Path) -> None:
    adding = ("agency", "add", "pemkab-kotim", "--name", "Pemkab Kotim", "--kind", "regency")
    with closing(Interpreter(Layout(tmp_path, 8080))) as simpul:
        simpul.run("migrate")
        assert "pemkab-kotim" not in simpul.run("agency", "list")
        (first,) = interpreters()
        simpul.run(*adding, "--region", "62.02")
        listed = [json.loads(line)["id"] for line in simpul.run("agency", "list").splitlines()]
        assert "pemkab-kotim" in listed
        assert interpreters() == [first]
        with pytest.raises(
            CannotStart, match=r"^simpul agency add pemkab-kotim failed:\n  simpul: .* registered already"
        ):
            simpul.run(*adding, "--region", "62.02")
        assert interpreters() == []
        assert "pemkab-kotim" in simpul.run("agency", "list")
        assert interpreters() != [first]
        psutil.Process(interpreters()[0]).kill()
        with pytest.raises(CannotStart, match="simpul policy list failed"):
            simpul.run("policy", "list")
    assert interpreters() == []


def test_nothing_is_started_for_a_run_that_needs_no_command(tmp_path: Path) -> None:
    with closing(Interpreter(Layout(tmp_path, 8080))):
        assert interpreters() == []
