"""A hub to import into, on a copy of a data folder that was made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backlog.backlogwork import Importer
from tests.service.hubworld import copied, make_folder


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("backlog") / "var")


@pytest.fixture
def importer(data_folder: Path, tmp_path: Path) -> Importer:
    copied(data_folder, tmp_path / "var")
    return Importer(tmp_path)
