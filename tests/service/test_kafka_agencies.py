"""The watch over agencies' topics goes on when the database, or the broker, is away for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from hub.domain.agency import Agency
from hub.errors import StoreUnavailable
from hub.ports.broker import Applied, BrokerAway, Reader
from hub.ports.registry import Changes
from hub.service import kafka_agencies
from hub.service.kafka_agencies import KafkaAgencies
from hub.service.registry import Registry

PU = Agency("pu", "Dinas PU", "regency", "62.02", kafka=True)


class Table:
    """The registry's rows; its database is away `away` times."""

    def __init__(self, away: int) -> None:
        self._away = away

    def generation(self) -> int:
        if self._away:
            self._away -= 1
            raise StoreUnavailable("the database does not answer")
        return 1

    def changes_since(self, generation: int) -> Changes:
        return Changes(1, [PU], [], [])


class Broker:
    """Notes what was applied; away at the first time."""

    missing: Collection[str] = ()

    def __init__(self) -> None:
        self.applied: list[Collection[str]] = []
        self.done = asyncio.Event()

    async def apply(self, agencies: Collection[str], readers: Collection[Reader], **_: bool) -> Applied:
        self.applied.append(agencies)
        if len(self.applied) == 1:
            raise BrokerAway("no broker answers")
        self.done.set()
        return Applied()


async def test_a_database_that_was_away_ends_no_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_agencies, "LOOK_EVERY_S", 0.001)
    table, broker = Table(away=3), Broker()
    registry = Registry(table, table.generation)  # type: ignore[arg-type]  # only what a look asks for
    watching = asyncio.create_task(KafkaAgencies(broker, registry).watch())  # type: ignore[arg-type]
    try:
        await asyncio.wait_for(broker.done.wait(), 10)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert broker.applied[-1] == ["pu"]
