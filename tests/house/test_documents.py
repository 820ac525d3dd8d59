"""What the documents name is there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hub.cli.main import main
from hub.store.tables import metadata

ROOT = Path(__file__).parents[2]
MOST_LINES = 300
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


def text_files() -> Iterator[tuple[Path, str]]:
    """Every file that is text and belongs here, as git says."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if not name or not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" not in data:
            yield path.relative_to(ROOT), data.decode("utf-8")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git clone")
def test_no_registry_and_no_path_of_a_machine_is_named() -> None:
    names = ["pypi" + ".org", "files." + "pythonhosted", "registry." + "npmjs", "/work" + "/", "/root" + "/"]
    assert [f"{path}: {name}" for path, text in text_files() for name in names if name in text] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git clone")
def test_no_text_refers_to_a_document_that_is_not_here() -> None:
    """Such as a design that only its authors have; decisions are cited from DECISIONS.md."""
    elsewhere = re.compile(r"\b(" + "|".join(["DES" + "IGN", "CON" + "TRACT", "DOM" + "AIN"]) + r")\b")
    assert [f"{path}: {found[0]}" for path, text in text_files() if (found := elsewhere.search(text))] == []


def test_no_source_file_is_longer_than_300_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for room in ("hub", "auth", "connectors", "schemas", "deploy")
        for path in (ROOT / room).rglob("*.py")
        if (lines := path.read_bytes().count(b"\n")) > MOST_LINES
    }
    assert long == {}
