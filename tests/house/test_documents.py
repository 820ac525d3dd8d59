"""What the documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from hub.cli.main import main
from hub.store.tables import metadata

ROOT = Path(__file__).parents[2]
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "DECISIONS.md", "CHANGELOG.md"]
PATH = re.compile(r"`((?:hub|auth|connectors|schemas|deploy|tests)/[\w./-]*|[\w-]+\.(?:md|toml))`")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_that_a_document_names_exists(name: str) -> None:
    named = PATH.findall((ROOT / name).read_text("utf-8"))
    missing = [
        path for path in named if not (ROOT / path).exists() and not (ROOT / "hub/api" / path).exists()
    ]
    assert missing == []


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in DOCUMENTS:
        named = set(re.findall(r"make ([a-z]+)(?:`|\s+#)", (ROOT / name).read_text("utf-8")))
        assert named <= targets, name


def test_every_command_that_the_readme_names_exists() -> None:
    """Each is loaded too: the table of commands names modules by text."""
    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"simpul (serve|agency|client|key|backup|restore|rebuild|migrate)", text))
    ctx = click.Context(main)
    known = {name: main.get_command(ctx, name) for name in main.list_commands(ctx)}
    assert named <= set(known)
    assert all(command is not None and command.name == name for name, command in known.items())


def test_decisions_list_every_table_once() -> None:
    """Which tables follow from the log and which do not is said for each of them."""
    first = (ROOT / "DECISIONS.md").read_text("utf-8").split("\n2. ")[0]
    assert set(metadata.tables) - {"log"} == set(re.findall(r"`([a-z_]+)`", first)) & set(metadata.tables)


def test_no_registry_and_no_path_of_a_machine_is_named() -> None:
    registries = [
        "pypi" + ".org",
        "files." + "pythonhosted",
        "registry." + "npmjs",
        "/work" + "/",
        "/root" + "/",
    ]
    for path in (ROOT / "requirements.lock", ROOT / "requirements-dev.lock", *(ROOT / d for d in DOCUMENTS)):
        text = path.read_text("utf-8")
        assert [word for word in registries if word in text] == [], path
