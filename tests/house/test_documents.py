"""What the documents name is there."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hub.store.tables import metadata
from tests.house.documents import DOCUMENTS, ROOMS, ROOT, code_in, text_of

MOST_LINES = 300
PATH = re.compile(r"(?<![\w/.<-])((?:" + "|".join(ROOMS) + r")/[\w./-]*+)(?![…*<{])")
"""Anywhere in the text, so that lines to be typed count too."""
KUBERNETES = "deploy/simpul-"
"""How kubectl names a deployment."""
FILE = re.compile(r"\w[\w./-]*\.(?:py|md|toml)")
MEMBER = re.compile(r"(_?[A-Z]\w*)\.(\w+)(?:\(.*\))?")
PLACED = re.compile(
    r"((?:`[\w.]+`(?:, | and ))*`[\w.]+`)\s+(?:in|of)\s+`([\w./-]+\.py)`|`([\w./-]+\.py):(\w+)`"
)
"""`name` in `file.py`, or `file.py:name`."""


@cache
def sources() -> dict[str, Path]:
    """Our modules by their path from the root."""
    return {path.relative_to(ROOT).as_posix(): path for room in ROOMS for path in (ROOT / room).rglob("*.py")}


def modules_named(path: str) -> list[str]:
    """By its whole path, or by the end of it, as lists beside a whole one are written."""
    return [name for name in sources() if f"/{name}".endswith(f"/{path}")]


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(sources()[module].read_text("utf-8"))


def names_in(nodes: list[ast.stmt]) -> set[str]:
    """What these statements define, and what methods among them set on `self`."""
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Assign():
                found.update(each.id for each in node.targets if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.update(
                each.attr
                for each in ast.walk(node)
                if isinstance(each, ast.Attribute)
                and isinstance(each.ctx, ast.Store)
                and isinstance(each.value, ast.Name)
                and each.value.id == "self"
            )
    return found


@cache
def classes() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Members and bases by a class's name; classes of one name together."""
    found: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for module in sources():
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.ClassDef):
                members, bases = found.get(node.name, (frozenset(), frozenset()))
                names = {base.id for base in node.bases if isinstance(base, ast.Name)}
                found[node.name] = (members | names_in(node.body), bases | names)
    return found


def has_member(name: str, member: str, below: frozenset[str] = frozenset()) -> bool:
    """Its own or a base's; `below`: whence the question came, since two of one name may go in a circle."""
    members, bases = classes().get(name, (frozenset(), frozenset()))
    below |= {name}
    return member in members or any(has_member(base, member, below) for base in bases - below)


def defined(module: str, name: str) -> bool:
    owner, _, member = name.rpartition(".")
    return has_member(owner, member) if owner else name in names_in(tree_of(module).body)


def paths_named(document: str) -> list[str]:
    text = text_of(document)
    anywhere = [path.rstrip(".") for path in PATH.findall(text) if not path.startswith(KUBERNETES)]
    return anywhere + [code for code in code_in(text) if FILE.fullmatch(code)]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document: str) -> None:
    missing = [
        path
        for path in paths_named(document)
        if not (ROOT / path).exists()
        and not (ROOT / document).parent.joinpath(path).exists()
        and not modules_named(path)
    ]
    assert missing == []


def test_paths_are_found_in_the_documents() -> None:
    """Else the test above would hold whatever they say."""
    assert "hub/service/noted.py" in paths_named("ARCHITECTURE.md")
    assert "deploy/kubernetes/setup" in paths_named("deploy/RUNBOOK.md"), "in a line to be typed"
    assert [document for document in DOCUMENTS if not paths_named(document)] == ["CHANGELOG.md"]


def members_named(document: str) -> list[tuple[str, str]]:
    spans = (MEMBER.fullmatch(code) for code in code_in(text_of(document)) if not FILE.fullmatch(code))
    return [(found[1], found[2]) for found in spans if found]


def places_named(document: str) -> list[tuple[str, str]]:
    """(name, file)"""
    found = []
    for names, path, other_path, name in PLACED.findall(text_of(document)):
        found += (
            [(each, path) for each in re.findall(r"`([\w.]+)`", names)] if names else [(name, other_path)]
        )
    return found


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_member_and_function_that_a_document_names_exists(document: str) -> None:
    missing = [
        f"{owner}.{member}" for owner, member in members_named(document) if not has_member(owner, member)
    ]
    missing += [
        f"{name} in {path}"
        for name, path in places_named(document)
        if not any(defined(module, name) for module in modules_named(path))
    ]
    assert missing == []


def test_members_and_functions_are_found_in_the_documents() -> None:
    assert ("Journals", "_erased") in members_named("ARCHITECTURE.md")
    assert ("told", "hub/domain/audience.py") in places_named("ARCHITECTURE.md")
    assert not has_member("Journals", "_journalled")
    assert not defined("hub/service/noted.py", "no_such_function")


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
def test_texts_are_found() -> None:
    """Else the two tests below would hold whatever stands in them."""
    named = {path.as_posix() for path, _ in text_files()}
    assert {"README.md", "hub/app.py", "tests/house/test_documents.py", "deploy/Dockerfile"} <= named


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
    lines = {name: path.read_bytes().count(b"\n") for name, path in sources().items()}
    program = {name: count for name, count in lines.items() if not name.startswith("tests/")}
    assert len(program) > 400
    assert {name: count for name, count in program.items() if count > MOST_LINES} == {}
