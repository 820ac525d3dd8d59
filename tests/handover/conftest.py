"""A hub on each engine, and where two processes work on one database, a second one over it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.app_core import open_core
from hub.ports.registry import ClientRow
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.requests import RegisterAgency
from hub.settings import Settings, make_data_folder
from hub.vault.master_key import MasterKeyFile
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas
from tests.accounts.conftest import clock, house
from tests.api.conftest import folder, furnished, loaded_once
from tests.handover.handwork import Office
from tests.parts.postgres import drop_database, make_database
from tests.service.hubworld import AGENCIES, DEFAULT_SCOPES, HubWorld, TurnedClock, client_of
from tests.store.conftest import engine, postgres_template

__all__ = ["clock", "engine", "folder", "furnished", "house", "loaded_once", "postgres_template"]
WHEN = "2025-03-14T02:00:00.000Z"


@pytest.fixture(scope="session")
def codes() -> ComplaintCodes:
    return ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())


@dataclass(frozen=True)
class Begun:
    """What tests begin with, made once on each engine; they take copies."""

    settings: Settings
    office: dict[str, Any]
    """An office in the middle of its work; empty where there is none."""


def furnished_with_agencies(settings: Settings) -> Begun:
    make_data_folder(settings)
    MasterKeyFile(settings.key_path).ensure(TurnedClock().now())
    with open_core(settings, TurnedClock(), migrates=True) as core:
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
            scopes = tuple(sorted(DEFAULT_SCOPES))
            core.rows.add_client(ClientRow(client_of(agency.id), agency.id, scopes, b"x", None, WHEN))
    return Begun(settings, {})


@contextmanager
def opened(settings: Settings, clock: TurnedClock, codes: ComplaintCodes) -> Iterator[HubWorld]:
    with open_core(settings, clock) as core:
        desk = ComplaintDesk(
            codes=codes, agencies=core.registry.agencies, sealing=core.sealer, ids=core.ids, clock=clock
        )
        yield HubWorld(core, clock, desk)


def with_office(begun: Begun, codes: ComplaintCodes) -> Begun:
    with opened(begun.settings, TurnedClock(), codes) as world:
        return Begun(begun.settings, vars(Office(world).begin()))


@contextmanager
def copied(begun: Begun, folder: Path) -> Iterator[Settings]:
    """A hub like that one, of its own."""
    url = begun.settings.database_url
    own = make_database(url) if url else None
    shutil.copytree(begun.settings.data_dir, folder)
    yield Settings(data_dir=folder, database_url=own)
    if own:
        drop_database(own)


@pytest.fixture(scope="session")
def furnished_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    return furnished_with_agencies(Settings(data_dir=tmp_path_factory.mktemp("agencies") / "data"))


@pytest.fixture(scope="session")
def furnished_on_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres_template: str
) -> Iterator[Begun]:
    url = make_database(postgres_template)
    folder = tmp_path_factory.mktemp("agencies") / "data"
    yield furnished_with_agencies(Settings(data_dir=folder, database_url=url))
    drop_database(url)


@pytest.fixture(scope="session")
def begun_on_sqlite(
    tmp_path_factory: pytest.TempPathFactory, furnished_on_sqlite: Begun, codes: ComplaintCodes
) -> Iterator[Begun]:
    with copied(furnished_on_sqlite, tmp_path_factory.mktemp("office") / "data") as settings:
        yield with_office(Begun(settings, {}), codes)


@pytest.fixture(scope="session")
def begun_on_postgres(
    tmp_path_factory: pytest.TempPathFactory, furnished_on_postgres: Begun, codes: ComplaintCodes
) -> Iterator[Begun]:
    with copied(furnished_on_postgres, tmp_path_factory.mktemp("office") / "data") as settings:
        yield with_office(Begun(settings, {}), codes)


@pytest.fixture
def begun(engine: str, request: pytest.FixtureRequest) -> Begun:
    """What this test begins with."""
    what = "begun" if "office" in request.fixturenames else "furnished"
    made: Begun = request.getfixturevalue(f"{what}_on_{engine}")
    return made


@pytest.fixture
def place(begun: Begun, tmp_path: Path) -> Iterator[Settings]:
    """Where the hub of this test is."""
    with copied(begun, tmp_path / "data") as settings:
        yield settings


@pytest.fixture
def world(place: Settings, codes: ComplaintCodes) -> Iterator[HubWorld]:
    with opened(place, TurnedClock(), codes) as here:
        yield here


@pytest.fixture
def hubs(world: HubWorld, place: Settings, codes: ComplaintCodes) -> Iterator[list[HubWorld]]:
    """A second one beside it, by the same clock."""
    with opened(place, world.clock, codes) as there:
        yield [world, there]


@pytest.fixture
def office(world: HubWorld, begun: Begun) -> Office:
    return Office(**begun.office | {"world": world, "ids": list(begun.office["ids"])})
