"""A hub on each engine for evidence, made by copying one; and the API's own hub for the route."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.settings import Settings
from tests.api.conftest import app, folder, furnished, house, loaded_once, ministry, stranger
from tests.evidence.evidencework import Desks, EvidenceWorld, evidence_world, make_hub
from tests.parts.postgres import drop_database, make_database
from tests.service.conftest import codes
from tests.service.hubworld import copied

__all__ = ["app", "codes", "folder", "furnished", "house", "loaded_once", "ministry", "stranger"]
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@dataclass
class Made:
    folder: Path
    url: str | None


@pytest.fixture(scope="session")
def made_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Made:
    path = tmp_path_factory.mktemp("evidence") / "data"
    make_hub(Settings(data_dir=path))
    return Made(path, None)


@pytest.fixture(scope="session")
def made_on_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    path, url = tmp_path_factory.mktemp("evidence") / "data", make_database()
    make_hub(Settings(data_dir=path, database_url=url), migrates=True)
    yield Made(path, url)
    drop_database(url)


@pytest.fixture(params=ENGINES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EvidenceWorld]:
    made: Made = request.getfixturevalue(f"made_on_{request.param}")
    path = copied(made.folder, tmp_path / "data")
    url = make_database(made.url) if made.url else None
    with evidence_world(Settings(data_dir=path, database_url=url), request.getfixturevalue("codes")) as one:
        yield one
    if url:
        drop_database(url)


@pytest.fixture
def plain_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EvidenceWorld]:
    """On the embedded default alone, where the engine makes no difference."""
    made: Made = request.getfixturevalue("made_on_sqlite")
    path = Path(shutil.copytree(made.folder, tmp_path / "data"))
    with evidence_world(Settings(data_dir=path), request.getfixturevalue("codes")) as one:
        yield one


@pytest.fixture
def hub(world: EvidenceWorld) -> Iterator[Desks]:
    with world.desks() as made:
        yield made
