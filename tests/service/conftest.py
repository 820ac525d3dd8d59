"""A fresh hub for each test, copied from a data folder that was made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog

from hub.service.intake import ComplaintCodes
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas
from tests.service.hubworld import HubWorld, copied, hub_world, make_folder


@pytest.fixture(scope="session", autouse=True)
def quiet_logs() -> Iterator[None]:
    """Rendered as the hub does, and thrown away: a crash's traceback with every local costs half a second."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.ReturnLoggerFactory(),
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def codes() -> ComplaintCodes:
    return ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("hub") / "data")


@pytest.fixture
def world_factory(
    data_folder: Path, codes: ComplaintCodes, tmp_path: Path
) -> Iterator[Callable[[str], HubWorld]]:
    """A hub on the named folder, made when it is not there: the same name twice is a second process's view
    of the same hub."""
    with ExitStack() as stack:

        def make(name: str) -> HubWorld:
            folder = tmp_path / name
            if not folder.exists():
                copied(data_folder, folder)
            return stack.enter_context(hub_world(folder, codes))

        yield make


@pytest.fixture
def world(world_factory: Callable[[str], HubWorld]) -> HubWorld:
    return world_factory("data")
