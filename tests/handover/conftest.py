"""Two hubs over one database, on each engine, as two processes are."""

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
    """A hub with an office in the middle of its work, made once on each engine; tests take copies."""

    settings: Settings
    office: dict[str, Any]


def furnished_with_agencies(settings: Settings) -> None:
    make_data_folder(settings)
    MasterKeyFile(settings.key_path).ensure(TurnedClock().now())
    with open_core(settings, TurnedClock(), migrates=True) as core:
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
            scopes = tuple(sorted(DEFAULT_SCOPES))
            core.rows.add_client(ClientRow(client_of(agency.id), agency.id, scopes, b"x", None, WHEN))


@contextmanager
def opened(settings: Settings, clock: TurnedClock, codes: ComplaintCodes) -> Iterator[HubWorld]:
    with open_core(settings, clock) as core:
        desk = ComplaintDesk(
            codes=codes, agencies=core.registry.agencies, sealing=core.sealer, ids=core.ids, clock=clock
        )
        yield HubWorld(core, clock, desk)


def begin(settings: Settings, codes: ComplaintCodes) -> Begun:
    furnished_with_agencies(settings)
    with opened(settings, TurnedClock(), codes) as world:
        return Begun(settings, vars(Office(world).begin()))


@pytest.fixture(scope="session")
def begun_on_sqlite(tmp_path_factory: pytest.TempPathFactory, codes: ComplaintCodes) -> Begun:
    return begin(Settings(data_dir=tmp_path_factory.mktemp("office") / "data"), codes)


@pytest.fixture(scope="session")
def begun_on_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres_template: str, codes: ComplaintCodes
) -> Iterator[Begun]:
    url = make_database(postgres_template)
    yield begin(Settings(data_dir=tmp_path_factory.mktemp("office") / "data", database_url=url), codes)
    drop_database(url)


@pytest.fixture
def begun(engine: str, request: pytest.FixtureRequest) -> Begun | None:
    """What this test begins with; None where it has no office."""
    wanted = "office" in request.fixturenames
    return request.getfixturevalue(f"begun_on_{engine}") if wanted else None


@pytest.fixture
def place(
    engine: str, begun: Begun | None, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Settings]:
    """Where the hub of this test is; `engine` says on which database."""
    folder, url = tmp_path / "data", None
    if engine == "postgres":
        url = make_database((begun and begun.settings.database_url)
                            or request.getfixturevalue("postgres_template"))  # fmt: skip
    if begun:
        shutil.copytree(begun.settings.data_dir, folder)
    settings = Settings(data_dir=folder, database_url=url)
    if not begun:
        furnished_with_agencies(settings)
    yield settings
    if url:
        drop_database(url)


@pytest.fixture
def hubs(place: Settings, codes: ComplaintCodes) -> Iterator[list[HubWorld]]:
    turned = TurnedClock()
    with opened(place, turned, codes) as here, opened(place, turned, codes) as there:
        yield [here, there]


@pytest.fixture
def world(hubs: list[HubWorld]) -> HubWorld:
    return hubs[0]


@pytest.fixture
def office(world: HubWorld, begun: Begun) -> Office:
    return Office(**begun.office | {"world": world, "ids": list(begun.office["ids"])})
