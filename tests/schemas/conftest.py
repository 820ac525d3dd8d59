"""What the tests of the schemas share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.registry import Registry

SCHEMAS = Path(__file__).parents[2] / "schemas"


def examples(kind: str) -> list[tuple[str, Path]]:
    """(schema name, file) of every example of a kind, `valid` or `invalid`."""
    return [(file.parts[-3], file) for file in sorted(SCHEMAS.glob(f"*/examples/{kind}-*.json"))]


def read(file: Path) -> Any:
    return orjson.loads(file.read_bytes())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the argument `valid_example` or `invalid_example` runs once for each."""
    for kind in ("valid", "invalid"):
        if f"{kind}_example" in metafunc.fixturenames:
            cases = examples(kind)
            ids = [f"{name}/{file.stem}" for name, file in cases]
            metafunc.parametrize(f"{kind}_example", cases, ids=ids)


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.load().checked()


@pytest.fixture
def complaint(registry: Registry) -> Any:
    """A complaint that fits, to be spoilt."""
    return copy.deepcopy(registry.example("complaint"))


@pytest.fixture
def pointers(registry: Registry) -> Callable[[Any], list[str]]:
    """The sorted pointers of a complaint's flaws."""

    def find(document: Any) -> list[str]:
        return sorted(flaw.pointer for flaw in registry.validate("complaint", document))

    return find
