"""A real broker, with a hub's stand-in before a real hub: relay and inbound are played by the test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.bus.kafka_broker.brokerwork import Bench
from tests.bus.kafka_broker.tokens import Issuer
from tests.connectors.kafka_kind.kafka_hub import KafkaHub
from tests.connectors.office import Office
from tests.parts import kafka
from tests.parts.caller import Caller
from tests.parts.local_server import PartMissing, skip_or_fail

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def sturdy_node() -> Iterator[kafka.Node]:
    try:
        with kafka.broker() as running:
            yield running
    except PartMissing as missing:
        skip_or_fail(missing)


@pytest.fixture
def node(sturdy_node: kafka.Node) -> kafka.Node:
    """The broker that is shared; before each test it runs."""
    sturdy_node.revive()
    return sturdy_node


@pytest.fixture
def mortal_node(node: kafka.Node) -> kafka.Node:
    """The same, to be killed, stopped and paused; nobody else is at it meanwhile."""
    return node


@pytest.fixture
def prefix() -> str:
    return f"k{os.getpid()}-{next(NUMBERS)}."


Join = Callable[..., KafkaHub]


@pytest.fixture
def join(office: Office, prefix: str) -> Iterator[Join]:
    """Makes an agency of the office a member by Kafka, on a broker. A test that kills the broker names
    it before: what a test asks for first ends last, and the stand-in sends its last replies as it ends."""
    with ExitStack() as stack:

        def joined(node: kafka.Node, member: Caller | None = None) -> KafkaHub:
            issuer = Issuer()
            issuer.publish(node)
            bench = stack.enter_context(Bench(node.bootstrap, prefix))
            made = KafkaHub(office.hub, member or office.ministry, node, bench, issuer)
            return stack.enter_context(made)

        yield joined


@pytest.fixture
def member(join: Join, node: kafka.Node) -> KafkaHub:
    """The office's ministry, on the shared broker."""
    return join(node)
