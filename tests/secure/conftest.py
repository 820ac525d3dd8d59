"""One broker and one database server, both with TLS, for all tests here."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.bus.kafka_broker.tokens import Issuer
from tests.parts.local_server import PartMissing, skip_or_fail
from tests.secure.secure_broker import SecureBroker, secure_broker
from tests.secure.secure_postgres import SecurePostgres, secure_postgres

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def broker() -> Iterator[SecureBroker]:
    """Nobody stops it."""
    try:
        with secure_broker() as running:
            yield running
    except PartMissing as missing:
        skip_or_fail(missing)


@pytest.fixture(scope="session")
def issuer(broker: SecureBroker) -> Issuer:
    """Whose keys the broker knows; every test may sign with them."""
    made = Issuer()
    made.publish(broker.node)
    return made


@pytest.fixture(scope="session")
def database() -> Iterator[SecurePostgres]:
    try:
        with secure_postgres() as running:
            yield running
    except PartMissing as missing:
        skip_or_fail(missing)


@pytest.fixture
def prefix() -> str:
    return f"s{os.getpid()}-{next(NUMBERS)}."
