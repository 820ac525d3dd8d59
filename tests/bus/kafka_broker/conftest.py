"""One real broker for these tests, started once a test process; each test has a prefix of its own."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from hub.bus.kafka import clients
from hub.bus.kafka.publisher import KafkaPublisher
from tests.bus.kafka_broker.brokerwork import Bench
from tests.parts import kafka
from tests.parts.local_server import PartMissing, skip_or_fail

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def node() -> Iterator[kafka.Node]:
    """The broker that is shared: nobody kills it, stops it or renames its topics."""
    try:
        with kafka.broker() as running:
            yield running
    except PartMissing as missing:
        skip_or_fail(missing)


@pytest.fixture
def own_node() -> Iterator[kafka.Node]:
    """A broker of the test's own, whose settings are to be changed."""
    try:
        with kafka.broker() as running:
            yield running
    except PartMissing as missing:
        skip_or_fail(missing)


@pytest.fixture(scope="session")
def sturdy_node() -> Iterator[kafka.Node]:
    try:
        with kafka.broker() as running:
            yield running
    except PartMissing as missing:
        skip_or_fail(missing)


@pytest.fixture
def mortal_node(sturdy_node: kafka.Node) -> kafka.Node:
    """A second broker, to be killed, stopped and paused; running again before each test that wants it."""
    sturdy_node.revive()
    return sturdy_node


@pytest.fixture
def prefix() -> str:
    return f"t{os.getpid()}-{next(NUMBERS)}."


@pytest.fixture
def bench(request: pytest.FixtureRequest, prefix: str) -> Iterator[Bench]:
    """On the broker that somebody else runs, if there is one."""
    with Bench(kafka.given() or request.getfixturevalue("node").bootstrap, prefix) as made:
        yield made


@pytest.fixture
def own_bench(own_node: kafka.Node, prefix: str) -> Iterator[Bench]:
    with Bench(own_node.bootstrap, prefix) as made:
        yield made


@pytest.fixture
def mortal_bench(mortal_node: kafka.Node, prefix: str) -> Iterator[Bench]:
    with Bench(mortal_node.bootstrap, prefix) as made:
        yield made


@pytest.fixture
def three_nodes() -> Iterator[list[kafka.Node]]:
    try:
        with kafka.cluster() as running:
            yield running
    except PartMissing as missing:
        skip_or_fail(missing)


@pytest.fixture
async def publisher(bench: Bench) -> AsyncIterator[KafkaPublisher]:
    made = KafkaPublisher(bench.endpoint, bench.prefix + "relay")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def producer(mortal_bench: Bench) -> Iterator[clients.Producer]:
    made = clients.producer(mortal_bench.endpoint, mortal_bench.prefix + "relay")
    made.init_transactions()
    yield made
    made.discard()
