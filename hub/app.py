"""The composition root: the only file that names backends and puts the rooms together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from auth.principal import Principal
from hub.bus.embedded import LOOK_EVERY_S, EmbeddedBus
from hub.domain.agency import HUB, Agency
from hub.errors import Problem
from hub.ports.clock import Clock, SystemClock
from hub.service.access import Access, AccessSettings
from hub.service.batch import BatchRunner
from hub.service.decide import Decider
from hub.service.files import Files
from hub.service.hub import Hub
from hub.service.ids import Ids
from hub.service.intake import ComplaintDesk
from hub.service.mailboxes import Mailboxes
from hub.service.registry import Registry
from hub.service.requests import OPERATOR, Command, Outcome, RegisterAgency, Request
from hub.service.threads import Readers, Writer
from hub.settings import Settings
from hub.store.deliveries import DeliveryTable
from hub.store.files import SqliteFiles
from hub.store.migrate import migrate
from hub.store.registry import SqliteRegistry
from hub.store.sqlite import SqliteStore
from hub.vault.attachments import AttachmentStore
from hub.vault.master_key import MasterKeyFile
from hub.vault.sealer import Sealer
from hub.vault.secret_box import HubSecretBox
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas

OPERATOR_SCOPES = frozenset({"agencies:write"})


@dataclass(slots=True)
class Core:
    """What commands and the server share: the database, the keys, and the transaction."""

    settings: Settings
    clock: Clock
    store: SqliteStore
    rows: SqliteRegistry
    sealer: Sealer
    ids: Ids
    runner: BatchRunner
    registry: Registry

    def operate(self, command: Command) -> Outcome:
        """Runs one command in the hub's own name, on the caller's thread; raises its Problem."""
        operator = Principal(OPERATOR, HUB, OPERATOR_SCOPES, "", 0.0)
        (result,), _ = self.runner.run([Request(operator, command)])
        if isinstance(result, Problem):
            raise result
        return result


@contextmanager
def open_core(settings: Settings, clock: Clock | None = None) -> Iterator[Core]:
    """The database is made and migrated, the master key and the agency `hub` exist."""
    clock = clock or SystemClock()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    key_file = MasterKeyFile(settings.key_path)
    if settings.database_path.exists():
        key_file.load()  # a lost key file must never be replaced by a new one that opens nothing
    else:
        key_file.ensure(clock.now())
    migrate(settings.database_path)
    store = SqliteStore(settings.database_path)
    try:
        rows, sealer, ids = SqliteRegistry(store), Sealer(key_file), Ids(clock)
        runner = BatchRunner(store, Decider(sealer, ids), sealer, clock)
        registry = Registry(rows, store.registry_generation)
        core = Core(settings, clock, store, rows, sealer, ids, runner, registry)
        registry.refresh()
        if HUB not in registry.agencies:
            core.operate(RegisterAgency(Agency(HUB, "Simpul", "hub")))
            registry.refresh()
        yield core
    finally:
        store.close()


@dataclass(slots=True)
class Server:
    """Everything that `simpul serve` runs, put together and not yet started."""

    core: Core
    hub: Hub
    access: Access
    files: Files
    bus: EmbeddedBus
    deliveries: DeliveryTable
    secrets: HubSecretBox
    schemas: Schemas
    regions: Regions
    categories: Categories


def build(core: Core) -> Server:
    """Puts the rooms together over an open core."""
    settings, store, sealer, clock = core.settings, core.store, core.sealer, core.clock
    schemas, regions, categories = Schemas.load(), Regions.load(), Categories.load()
    readers = Readers(store)
    bus = EmbeddedBus(
        lambda after, limit: readers.run(lambda session: session.events_after(after, limit)),
        lambda: readers.run(lambda session: session.last_position()),
        LOOK_EVERY_S,
    )
    writer = Writer(core.runner, bus.offer, settings.queue_limit)
    mailboxes = Mailboxes(readers, writer, core.rows, sealer, settings.issuer)
    mailboxes.attach(bus)
    desk = ComplaintDesk(
        schemas=schemas,
        regions=regions,
        categories=categories,
        agencies=core.registry.agencies,
        sealing=sealer,
        ids=core.ids,
        clock=clock,
    )
    hub = Hub(
        public_url=settings.issuer,
        registry=core.registry,
        desk=desk,
        writer=writer,
        readers=readers,
        mailboxes=mailboxes,
        sealing=sealer,
        ids=core.ids,
    )
    secrets = secret_box(core)
    attachments = AttachmentStore(settings.data_dir / "attachments", sealer)
    return Server(
        core=core,
        hub=hub,
        access=access(core, secrets, writer),
        files=Files(attachments, SqliteFiles(store), sealer, readers, writer, clock),
        bus=bus,
        deliveries=DeliveryTable(store),
        secrets=secrets,
        schemas=schemas,
        regions=regions,
        categories=categories,
    )


def secret_box(core: Core) -> HubSecretBox:
    return HubSecretBox(core.sealer, core.rows.hub_key, core.rows.put_hub_key)


def access(core: Core, secrets: HubSecretBox, writer: Writer | None = None) -> Access:
    settings = core.settings
    return Access(
        core.registry,
        core.rows,
        core.sealer,
        secrets,
        core.clock,
        AccessSettings(settings.issuer, settings.token_lifetime_s, settings.data_dir / "jwks.json"),
        writer.run if writer else None,
    )
