"""Hubs whose deadlines are looked at: on each engine, and two processes' views of one on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.app_core import open_core
from hub.ports.registry import ClientRow
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.requests import RegisterAgency
from hub.settings import Settings
from tests.parts.postgres import drop_database, make_database
from tests.service.hubworld import AGENCIES, DEFAULT_SCOPES, HubWorld, TurnedClock, client_of

WHEN = "2025-03-14T02:00:00.000Z"


@pytest.fixture(scope="session")
def on_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A database with the agencies and its data folder, made once."""
    url, folder = make_database(), tmp_path_factory.mktemp("postgres") / "data"
    with open_core(Settings(data_dir=folder, database_url=url), TurnedClock(), migrates=True) as core:
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
            scopes = tuple(sorted(DEFAULT_SCOPES))
            core.rows.add_client(ClientRow(client_of(agency.id), agency.id, scopes, b"x", None, WHEN))
    yield url, folder
    drop_database(url)


@pytest.fixture
def hubs(
    on_postgres: tuple[str, Path], codes: ComplaintCodes, tmp_path: Path
) -> Iterator[tuple[HubWorld, HubWorld]]:
    """Two processes' views of one hub, by one clock."""
    template, folder = on_postgres
    url, clock = make_database(template), TurnedClock()
    settings = Settings(data_dir=Path(shutil.copytree(folder, tmp_path / "shared")), database_url=url)
    with ExitStack() as stack:
        stack.callback(drop_database, url)

        def view() -> HubWorld:
            core = stack.enter_context(open_core(settings, clock))
            known = core.registry.agencies
            desk = ComplaintDesk(codes=codes, agencies=known, sealing=core.sealer, ids=core.ids, clock=clock)
            return HubWorld(core, clock, desk)

        yield view(), view()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def hub(request: pytest.FixtureRequest) -> HubWorld:
    """One hub on each engine."""
    if request.param == "sqlite":
        make: Callable[[str], HubWorld] = request.getfixturevalue("world_factory")
        return make("data")
    here: HubWorld = request.getfixturevalue("hubs")[0]
    return here
