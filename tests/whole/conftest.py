"""What the tests of `whole` say holds on both sets of backends; a difference is a failure. All tests here
share a hub of each kind; each test has agencies of its own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.parts import kafka
from tests.parts.local_server import PartMissing, skip_or_fail
from tests.whole.wholework import Whole, cluster, embedded

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def node() -> Iterator[kafka.Node]:
    try:
        with kafka.broker() as running:
            yield running
    except PartMissing as missing:
        skip_or_fail(missing)


@pytest.fixture(scope="session")
def embedded_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """One process on SQLite."""
    with embedded(tmp_path_factory.mktemp("embedded")) as hub:
        yield hub


@pytest.fixture(scope="session")
def cluster_hub(tmp_path_factory: pytest.TempPathFactory, node: kafka.Node) -> Iterator[Whole]:
    """PostgreSQL, Kafka and several processes."""
    with cluster(tmp_path_factory.mktemp("cluster"), node, f"w{os.getpid()}.") as hub:
        yield hub


@pytest.fixture(params=["embedded", "cluster"])
def whole(request: pytest.FixtureRequest) -> Whole:
    """Running, with agencies of the test's own; what the test before has ended is started anew."""
    return of_a_test(request.getfixturevalue(f"{request.param}_hub"))


@pytest.fixture
def big(cluster_hub: Whole) -> Whole:
    """The cluster alone, for what only it has."""
    return of_a_test(cluster_hub)


def of_a_test(hub: Whole) -> Whole:
    hub.start()
    return replace(hub, mark=f"-{next(NUMBERS)}")
