"""A hub without its HTTP side, with webhooks: the real store, writer, bus and keys; a clock to turn."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import create_engine, text

from auth.principal import Principal
from auth.scopes import DEFAULT_SCOPES
from hub.bus.embedded import EmbeddedBus
from hub.delivery.deliverer import Deliverer
from hub.delivery.metrics import DeliveryMetrics
from hub.delivery.sender import Sender
from hub.delivery.settings import DeliverySettings
from hub.delivery.targets import Targets, system_resolve
from hub.delivery.webhook_desk import WebhookDesk
from hub.domain.agency import HUB, Agency
from hub.domain.commands import Verify
from hub.ports.registry import ClientRow
from hub.service.batch import BatchRunner
from hub.service.decide import Decider
from hub.service.hub import Hub
from hub.service.ids import Ids
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.mailboxes import Mailboxes
from hub.service.noted import Journals
from hub.service.readers import Readers
from hub.service.registry import Registry
from hub.service.requests import OPERATOR, RegisterAgency, Request
from hub.service.rulebook import Rulebook
from hub.service.writer import Writer
from hub.store.deliveries import DeliveryTable
from hub.store.registry import RegistryTables
from hub.store.sqlite.store import SqliteStore
from hub.store.tables import metadata
from hub.store.thread_reading import ReadMarkTable
from hub.vault.erasures import ErasureFile
from hub.vault.master_key import MasterKeyFile
from hub.vault.revocations import RevocationFile
from hub.vault.sealer import Sealer
from hub.vault.secret_box import HubSecretBox
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
QUIET = DeliverySettings(allowed_networks=LOOPBACK, save_interval_s=0.01)
PUBLIC_URL = "https://simpul.example.go.id"
AGENCIES = ("pemkab-kotim", "dinas-pupr-kalteng")
AGENCIES_MADE = (("hub", "hub", None), (AGENCIES[0], "regency", "62.02"), (AGENCIES[1], "agency", None))


class TurnedClock:
    """Starts now, and goes on only when it is turned."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def turn(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds


class DeliveryWorld:
    """`deliverer` may be started and stopped again: a new one over the same database."""

    def __init__(self, folder: Path, clock: Any, settings: DeliverySettings) -> None:
        self.clock = clock
        self.store = SqliteStore(folder / "simpul.db")
        master_key = folder / "master.key"
        self.sealer = Sealer(MasterKeyFile(master_key))
        self.ids = Ids(clock)
        rows = RegistryTables(self.store)
        self.registry = Registry(rows, self.store.registry_generation)
        rulebook = Rulebook(rows, self.store.registry_generation)
        decider, journals = Decider(self.sealer, self.ids, rulebook), Journals(ErasureFile(master_key))
        self.runner = BatchRunner(self.store, decider, self.sealer, clock, journals=journals)
        self._register(rows)
        self.hub, self.bus = self._hub(rows)
        self.secrets = HubSecretBox(self.sealer, rows.hub_key, rows.put_hub_key)
        self.table = DeliveryTable(self.store)
        self.settings = settings
        self.resolve = system_resolve
        self.ssl_context: ssl.SSLContext | None = None
        self.metrics = CollectorRegistry()
        self.draw = 0.999
        self.deliverer: Deliverer | None = None
        self.count = 0
        self.targets = Targets(settings, clock, lambda host, port: self.resolve(host, port))
        self.desk = WebhookDesk(
            store=self.table,
            readers=self.hub.readers,
            writer=self.hub.writer,
            targets=self.targets,
            secrets=self.secrets,
            ids=self.ids,
            clock=clock,
            settings=settings,
            revocations=RevocationFile(folder / "master.key"),
            changed=self._wake,
        )

    async def _wake(self) -> None:
        if self.deliverer is not None:
            await self.deliverer.wake()

    def _hub(self, rows: RegistryTables) -> tuple[Hub, EmbeddedBus]:
        readers = Readers(self.store)
        bus = EmbeddedBus(
            lambda after, limit: readers.run(lambda session: session.events_after(after, limit)),
            lambda: readers.run(lambda session: session.last_position()),
            0.5,
        )
        writer = Writer(self.runner, bus.offer)
        desk = ComplaintDesk(
            codes=_codes(),
            agencies=self.registry.agencies,
            sealing=self.sealer,
            ids=self.ids,
            clock=self.clock,
        )
        hub = Hub(
            public_url=PUBLIC_URL,
            registry=self.registry,
            desk=desk,
            writer=writer,
            readers=readers,
            mailboxes=Mailboxes(readers, writer, rows, self.sealer, PUBLIC_URL),
            sealing=self.sealer,
            ids=self.ids,
            clock=self.clock,
            read_marks=ReadMarkTable(self.store),
        )
        return hub, bus

    def _register(self, rows: RegistryTables) -> None:
        self.registry.refresh()
        for name, kind, region in AGENCIES_MADE:
            if name in self.registry.agencies:
                continue
            operator = Principal(OPERATOR, HUB, frozenset({"agencies:write"}), "", 0.0)
            made = RegisterAgency(Agency(name, name, kind, region=region))
            (result,), _ = self.runner.run([Request(operator, made)])
            assert not isinstance(result, Exception), result
            now = self.clock.now().isoformat()
            rows.add_client(ClientRow(f"client-{name}", name, tuple(DEFAULT_SCOPES), b"x", None, now))
            self.registry.refresh()

    async def start(self, **changes: Any) -> Deliverer:
        settings = replace(self.settings, **changes)
        self.metrics = CollectorRegistry()
        self.deliverer = Deliverer(
            store=self.table,
            readers=self.hub.readers,
            writer=self.hub.writer,
            bus=self.bus,
            sealing=self.sealer,
            secrets=self.secrets,
            sender=Sender(self.targets, settings, self.clock, self.ssl_context),
            metrics=DeliveryMetrics(self.metrics),
            ids=self.ids,
            clock=self.clock,
            settings=settings,
            public_url=PUBLIC_URL,
            generation=self.store.registry_generation,
            draw=lambda: self.draw,
        )
        await self.deliverer.start()
        return self.deliverer

    async def stop(self) -> None:
        if self.deliverer is not None:
            await self.deliverer.stop()
            self.deliverer = None

    async def settle(self) -> None:
        """All that can be sent now is sent, and its results are saved."""
        assert self.deliverer is not None
        await self.deliverer.refresh()
        await self.deliverer.dispatcher.settle()

    async def turn(self, seconds: float) -> None:
        assert self.deliverer is not None
        self.clock.turn(seconds)
        self.deliverer.dispatcher.tick()
        await self.settle()

    async def submit(self, agency: str = AGENCIES[0]) -> str:
        """A new case of this agency: one event in its mailbox. Gives the case's id."""
        self.count += 1
        outcome = await self.hub.submit(
            principal(agency), complaint(agency, f"PGD-{self.count:06d}", self.clock)
        )
        return outcome.ids[0]

    async def more_about(self, case_id: str, agency: str = AGENCIES[0]) -> None:
        """One more event about that case."""
        await self.hub.act(principal(agency), Verify(case_id, "incomplete", "Mohon sebutkan nama jalannya."))

    async def rows(self, *states: Any, agency: str = AGENCIES[0]) -> list[dict[str, Any]]:
        """Oldest first."""
        items, _ = await self.desk.deliveries(agency, states, None, 200)
        return items[::-1]

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def delivery_world(
    folder: Path, settings: DeliverySettings = QUIET, clock: Any = None
) -> AsyncIterator[DeliveryWorld]:
    """Over the database of this folder, which is made when there is none."""
    clock = clock or TurnedClock()
    _make_database(folder, clock)
    world = DeliveryWorld(folder, clock, settings)
    world.hub.writer.start()
    await world.bus.start()
    try:
        yield world
    finally:
        await world.stop()
        await world.bus.stop()
        await world.hub.writer.stop()
        world.hub.readers.close()
        world.store.close()


def _make_database(folder: Path, clock: Any) -> None:
    if (folder / "simpul.db").exists():
        return
    MasterKeyFile(folder / "master.key").ensure(clock.now())
    engine = create_engine(f"sqlite:///{folder / 'simpul.db'}")
    metadata.create_all(engine)
    with engine.begin() as db:
        db.execute(text("INSERT INTO facts VALUES ('incarnation', 'x'), ('registry_generation', '0')"))
    engine.dispose()


@cache
def _codes() -> ComplaintCodes:
    return ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())


def principal(agency: str) -> Principal:
    return Principal(f"client-{agency}", agency, DEFAULT_SCOPES, "", 0.0)


def complaint(agency: str, reference: str, clock: Any) -> dict[str, Any]:
    return {
        "source": {"agency": agency, "reference": reference},
        "classification": "complaint",
        "title": "Lampu jalan padam di Jalan Tjilik Riwut",
        "description": "Sudah tiga malam lampu jalan padam dari simpang empat sampai jembatan.",
        "category": "road",
        "submitted_at": clock.now().isoformat(timespec="seconds"),
        "channel": "web",
        "location": {"region": "62.02"},
        "reporter": {"anonymous": True},
        "confidential": False,
    }


async def until(condition: Any, within_s: float = 10.0) -> None:
    """Waits for what another task or process does; fails when it does not come."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)
