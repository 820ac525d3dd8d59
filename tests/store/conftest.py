"""A database for each test, made by copying one that was migrated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.storework import SqliteBackend, make_template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template") / "simpul.db")


@pytest.fixture(params=["sqlite"])
def store_factory(
    request: pytest.FixtureRequest, template: Path, tmp_path: Path
) -> Iterator[Callable[[], SqliteBackend]]:
    """Makes backends, each an empty database. Every engine that the hub knows is a parameter here."""
    made: list[SqliteBackend] = []

    def make() -> SqliteBackend:
        made.append(SqliteBackend(tmp_path / f"{len(made)}.db", template))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def backend(store_factory: Callable[[], SqliteBackend]) -> SqliteBackend:
    return store_factory()


@pytest.fixture
def store(backend: SqliteBackend) -> Any:
    return backend.open()
