"""What the documents say to type is there: make targets, commands with options, modules, routes, settings."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache

import click
import pytest

from hub.api.routes import ROUTES
from hub.cli.main import main
from hub.settings import Settings
from tests.house.documents import DOCUMENTS, ROOMS, ROOT, code_in, text_of

DEMO = {"SIMPUL_DEMO_DIR", "SIMPUL_DEMO_PORT"}
CONNECTORS = {"SIMPUL_CLIENT_ID", "SIMPUL_CLIENT_SECRET", "SIMPUL_WEBHOOK_SECRET"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_that_a_document_runs_exists(document: str) -> None:
    for module in re.findall(rf"-m\s+((?:{'|'.join(ROOMS)})(?:\.\w+)+)", text_of(document)):
        path = module.replace(".", "/")
        assert (ROOT / f"{path}.py").exists() or (ROOT / path / "__main__.py").exists(), module


def makes_named(document: str) -> list[tuple[str, str]]:
    """(target, what is set behind it)"""
    found = (re.match(r"make ([a-z][a-z-]*)(.*)", code) for code in code_in(text_of(document)))
    return [(each[1], each[2]) for each in found if each]


def test_every_make_target_that_a_document_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    for document in DOCUMENTS:
        for target, rest in makes_named(document):
            assert target in targets, f"{document}: make {target}"
            for variable in re.findall(r"\b([A-Z]+)=", rest):
                assert f"$({variable})" in makefile, f"{document}: {variable}"
    assert {"run", "run-cluster", "image-test", "bench"} <= {target for target, _ in makes_named("README.md")}


def commands_named(document: str) -> list[str]:
    """What begins with `simpul`, in code."""
    return [code for code in code_in(text_of(document)) if re.match(r"simpul [a-z-]+", code)]


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "DECISIONS.md", "deploy/RUNBOOK.md"])
def test_every_command_that_a_document_names_exists(document: str) -> None:
    """With its options."""
    named = commands_named(document)
    assert named
    for line in named:
        command: click.Command | None = main
        options = {option for parameter in main.params for option in parameter.opts}
        for word in line.split(";")[0].split()[1:]:
            if isinstance(command, click.Group) and not word.startswith("-"):
                command = command.get_command(click.Context(command), word.strip("…"))
                assert command is not None, line
                options |= {option for parameter in command.params for option in parameter.opts}
            elif word.startswith("--"):
                assert word.partition("=")[0] in options | {"--help"}, line


def test_every_command_can_be_loaded() -> None:
    """The table of commands names modules by text."""
    ctx = click.Context(main)
    known = {name: main.get_command(ctx, name) for name in main.list_commands(ctx)}
    assert {"serve", "agency", "client", "key", "backup", "restore", "rebuild", "migrate"} <= set(known)
    assert all(command is not None and command.name == name for name, command in known.items())


def routes_named(document: str) -> list[tuple[str, str]]:
    """(method, path)"""
    found = re.findall(r"\b(GET|POST|PUT|PATCH|DELETE)\s+(/v1/[\w{}<>/.-]*[\w}>])", text_of(document))
    return [(method, path) for method, path in found]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_route_that_a_document_names_exists(document: str) -> None:
    known = [(route.method, re.sub(r"{\w+}", "[^/]+", route.path)) for route in ROUTES]
    missing = [
        f"{method} {path}"
        for method, path in routes_named(document)
        if not any(method == each and re.fullmatch(pattern, path) for each, pattern in known)
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_that_a_document_names_exists(document: str) -> None:
    settings = {f"SIMPUL_{field.name.upper()}" for field in fields(Settings)}
    known = settings | DEMO | CONNECTORS | of_tests()
    assert set(re.findall(r"SIMPUL_[A-Z_]+", text_of(document))) - known == set()


@cache
def of_tests() -> set[str]:
    """What tests read of the environment, by themselves."""
    texts = [file.read_text("utf-8") for file in (ROOT / "tests").rglob("*.py")]
    return {
        name for text in texts for name in re.findall(r"environ(?:\.get\(|\[)\"(SIMPUL_TEST_[A-Z_]+)", text)
    }


def test_routes_and_settings_are_found_in_the_documents() -> None:
    assert ("GET", "/v1/cases/{id}/evidence") in routes_named("README.md")
    assert routes_named("deploy/RUNBOOK.md") and routes_named("connectors/README.md")
    assert "SIMPUL_DATA_DIR" in text_of("README.md")
