"""A hub on each engine, made by copying one; and the API's own hub for the routes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.service.intake import ComplaintCodes
from hub.settings import Settings
from tests.api.conftest import app, folder, furnished, house, loaded_once, ministry, stranger
from tests.erasure.erasurework import ErasureWorld, erasure_world
from tests.evidence.conftest import Made, made_on_postgres, made_on_sqlite
from tests.parts.postgres import drop_database, make_database
from tests.service.conftest import codes

__all__ = [
    "app", "codes", "folder", "furnished", "house", "loaded_once", "made_on_postgres", "made_on_sqlite",
    "ministry", "stranger",
]  # fmt: skip
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=ENGINES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    made: Made = request.getfixturevalue(f"made_on_{request.param}")
    path = Path(shutil.copytree(made.folder, tmp_path / "data"))
    url = make_database(made.url) if made.url else None
    yield Settings(data_dir=path, database_url=url)
    if url:
        drop_database(url)


@pytest.fixture
def world(settings: Settings, codes: ComplaintCodes) -> Iterator[ErasureWorld]:
    with erasure_world(settings, codes) as one:
        yield one
