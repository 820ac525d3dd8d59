"""Every test here runs on both sets of backends; a difference is a failure."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture(params=["embedded", "cluster"])
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Whole]:
    """Running."""
    if request.param == "embedded":
        made = embedded(tmp_path)
    else:
        made = cluster(tmp_path, request.getfixturevalue("node"), f"w{os.getpid()}-{next(NUMBERS)}.")
    with made as hub:
        hub.start()
        yield hub


@pytest.fixture
def big(tmp_path: Path, node: kafka.Node) -> Iterator[Whole]:
    """PostgreSQL, Kafka and several processes, for what only these have."""
    with cluster(tmp_path, node, f"w{os.getpid()}-{next(NUMBERS)}.") as hub:
        hub.start()
        yield hub
