"""Two hubs over one database, on each engine, as two processes are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
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
from tests.service.hubworld import AGENCIES, DEFAULT_SCOPES, HubWorld, TurnedClock, client_of
from tests.store.conftest import backend, engine, postgres_template, store_factory, template

__all__ = ["backend", "clock", "engine", "folder", "furnished", "house", "loaded_once", "postgres_template",
           "store_factory", "template"]  # fmt: skip
WHEN = "2025-03-14T02:00:00.000Z"


@pytest.fixture(scope="session")
def codes() -> ComplaintCodes:
    return ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())


@pytest.fixture
def place(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Where the hub of this test is; `engine` says on which database."""
    if engine == "sqlite":
        return Settings(data_dir=tmp_path / "data")
    return Settings(data_dir=tmp_path / "data", database_url=request.getfixturevalue("backend").url)


@pytest.fixture
def hubs(place: Settings, codes: ComplaintCodes) -> Iterator[list[HubWorld]]:
    turned = TurnedClock()
    make_data_folder(place)
    MasterKeyFile(place.key_path).ensure(turned.now())
    with open_core(place, turned, migrates=True) as core:
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
            scopes = tuple(sorted(DEFAULT_SCOPES))
            core.rows.add_client(ClientRow(client_of(agency.id), agency.id, scopes, b"x", None, WHEN))
    with ExitStack() as stack:
        made: list[Any] = []
        for _ in range(2):
            core = stack.enter_context(open_core(place, turned))
            desk = ComplaintDesk(
                codes=codes, agencies=core.registry.agencies, sealing=core.sealer, ids=core.ids, clock=turned
            )
            made.append(HubWorld(core, turned, desk))
        yield made


@pytest.fixture
def world(hubs: list[HubWorld]) -> HubWorld:
    return hubs[0]


@pytest.fixture
def office(world: HubWorld) -> Office:
    return Office(world).begin()
