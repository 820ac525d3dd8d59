"""A pooler between the hub and PostgreSQL: what its sessions carry of others."""

from __future__ import annotations

import pytest

from hub.errors import RowRefused, StoreError, StoreUnavailable
from hub.ports.registry import ClientRow
from tests.store.storework import WHEN, PostgresBackend, append

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine() -> str:
    return "postgres"


def test_what_another_channel_tells_confirms_nothing_and_harms_nothing(backend: PostgresBackend) -> None:
    """A session that somebody had before may listen to more than we asked for."""
    here, there = backend.open(), backend.open()
    assert there.registry_generation() == here.registry_generation() == 0
    with here.writing() as connection:
        connection.execute("LISTEN simpul_commits")
    append(there, "kotim")
    backend.registry(here).add_client(ClientRow("client_a", "kotim", (), b"hash", None, WHEN))
    assert there.registry_generation() == 1


@pytest.mark.parametrize("statement", ["PREPARE taken AS SELECT 1", "EXECUTE never"])
def test_a_pooler_that_shares_one_session_is_named_with_the_remedy(
    backend: PostgresBackend, statement: str
) -> None:
    """A statement of that name is there already, or is not there: both are another client's doing."""
    store = backend.open()
    with store.writing() as connection:
        connection.execute("PREPARE taken AS SELECT 1")
    said = r"lead to PostgreSQL itself.*session mode\.$"
    with pytest.raises(StoreError, match=said) as refused, store.writing() as connection:
        connection.execute(statement)
    assert not isinstance(refused.value, RowRefused | StoreUnavailable), "nothing else would help"
