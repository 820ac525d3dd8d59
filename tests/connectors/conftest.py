"""Real parts for the connectors' tests: databases, the hub, the connector process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.connectors.agency_system import AgencySystem  # noqa: E402
from tests.connectors.apps import App, mysql_app, postgres_app, sqlite_app  # noqa: E402
from tests.connectors.faulty_proxy import FaultyProxy  # noqa: E402
from tests.connectors.office import Office  # noqa: E402
from tests.connectors.processes import ConnectorProcess, ForkedConnector  # noqa: E402
from tests.parts.hub import HubProcess  # noqa: E402
from tests.parts.local_server import PartMissing, skip_or_fail  # noqa: E402
from tests.parts.mariadb import mariadb_url  # noqa: E402
from tests.parts.postgres import shared_postgres  # noqa: E402

ENGINES = [
    "sqlite",
    pytest.param("innodb", marks=pytest.mark.mariadb),
    pytest.param("myisam", marks=pytest.mark.mariadb),
    pytest.param("postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(scope="session")
def mariadb() -> Iterator[str]:
    with ExitStack() as stack:
        try:
            url = stack.enter_context(mariadb_url())
        except PartMissing as missing:
            skip_or_fail(missing)
        yield url


@pytest.fixture(scope="session")
def postgres() -> str:
    return shared_postgres()


@pytest.fixture(params=ENGINES)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    """An app of the widespread schema, empty, on each engine."""
    with open_app(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[App]:
    with sqlite_app(tmp_path) as made:
        yield made


@pytest.fixture(params=[pytest.param("myisam", marks=pytest.mark.mariadb)])
def myisam(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    with open_app("myisam", request, tmp_path) as made:
        yield made


def open_app(engine: str, request: pytest.FixtureRequest, folder: Path) -> AbstractContextManager[App]:
    if engine == "sqlite":
        return sqlite_app(folder)
    if engine == "postgres":
        return postgres_app(request.getfixturevalue("postgres"))
    return mysql_app(request.getfixturevalue("mariadb"), engine)


@pytest.fixture(scope="session")
def hub_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """One hub a worker; each test has agencies of its own there."""
    process = HubProcess(tmp_path_factory.mktemp("hub"))
    yield process
    process.kill()


@pytest.fixture
def hub(hub_process: HubProcess) -> HubProcess:
    """The running hub; started anew where the test before has ended it."""
    if not hub_process.alive():
        hub_process.start()
    return hub_process


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[HubProcess]:
    """For a test that changes the hub as a whole."""
    folder = tmp_path / "hub"
    folder.mkdir()
    process = HubProcess(folder)
    yield process.start()
    process.kill()


@pytest.fixture
def office(hub: HubProcess) -> Office:
    """A regency and a ministry that nobody else knows."""
    return Office.open(hub)


@pytest.fixture
def proxy(office: Office) -> Iterator[FaultyProxy]:
    """Stands between the connector of this test and the hub."""
    made = FaultyProxy(office.hub.port)
    office.url = made.url
    yield made
    made.close()


@pytest.fixture
def connector(tmp_path: Path) -> Iterator[ConnectorProcess]:
    process = ForkedConnector(tmp_path)
    yield process
    process.kill()


@pytest.fixture
def command(tmp_path: Path) -> Iterator[ConnectorProcess]:
    """The connector by its command line, with an interpreter of its own, as an operator starts it."""
    process = ConnectorProcess(tmp_path)
    yield process
    process.kill()


@pytest.fixture
def system() -> Iterator[AgencySystem]:
    made = AgencySystem()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SIMPUL_CLIENT", "PENGADUAN_")):
            monkeypatch.delenv(name)
