"""A database for each test, on each engine, made by copying one that was migrated once."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.store.migrate import migrate
from hub.store.move_marks import opened
from hub.store.moving import MOVED
from tests.parts.postgres import drop_database, make_database
from tests.store.movework import fill, plain_rows
from tests.store.storework import Backend, PostgresBackend, SqliteBackend, make_template

ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template") / "simpul.db")


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    url = make_database()
    migrate(url)
    yield url
    drop_database(url)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Every engine that the hub knows. A file of tests about one of them defines its own."""
    return str(request.param)


@pytest.fixture
def store_factory(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Backend]]:
    """Makes backends, each an empty database."""
    made: list[Backend] = []

    def make() -> Backend:
        if engine == "sqlite":
            template = request.getfixturevalue("template")
            made.append(SqliteBackend(tmp_path / f"{len(made)}.db", template))
        else:
            made.append(PostgresBackend(make_database(request.getfixturevalue("postgres_template"))))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def backend(store_factory: Callable[[], Backend]) -> Backend:
    return store_factory()


@pytest.fixture
def store(backend: Backend) -> Any:
    return backend.open()


@pytest.fixture
def target() -> Iterator[str]:
    """An empty database to move to."""
    url = make_database()
    yield url
    drop_database(url)


@pytest.fixture
def source(template: Path, tmp_path: Path) -> Path:
    """Rows in every table, made one by one so that any content is possible."""
    path = tmp_path / "simpul.db"
    shutil.copy(template, path)
    with opened(path) as connection:
        connection.execute("UPDATE facts SET value = ? WHERE name = 'incarnation'", (secrets.token_hex(16),))
        fill(connection, {table.name: plain_rows(table, 25) for table in MOVED})
    return path
