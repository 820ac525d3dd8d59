"""The composition root: the only file that names backends and puts the rooms together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web
from prometheus_client import CollectorRegistry

from auth.principal import Principal
from hub.api.server import make_app
from hub.api.settings import ApiSettings
from hub.bus.embedded import LOOK_EVERY_S, EmbeddedBus
from hub.delivery.deliverer import Deliverer
from hub.delivery.desk import Desk
from hub.delivery.metrics import DeliveryMetrics
from hub.delivery.sender import Sender
from hub.delivery.settings import DeliverySettings, ceilings_for
from hub.delivery.targets import Targets
from hub.domain.agency import HUB, Agency
from hub.errors import Problem
from hub.ports.clock import Clock, SystemClock
from hub.ports.webhooks import WebhookDesk
from hub.service.access import Access, AccessSettings
from hub.service.batch import BatchRunner
from hub.service.decide import Decider
from hub.service.files import Files
from hub.service.housekeeping import Chore, Housekeeping
from hub.service.hub import Hub
from hub.service.ids import Ids
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.mailboxes import Mailboxes
from hub.service.metrics import WriterMetrics
from hub.service.once import Once
from hub.service.readiness import Readiness
from hub.service.registry import Registry
from hub.service.requests import OPERATOR, Command, Outcome, RegisterAgency, Request
from hub.service.threads import Readers, Writer
from hub.settings import Settings, make_data_folder
from hub.store.deliveries import DeliveryTable
from hub.store.files import SqliteFiles
from hub.store.migrate import migrate
from hub.store.registry import SqliteRegistry
from hub.store.restoring import finish, refuse_half_done
from hub.store.sqlite import SqliteStore
from hub.vault.attachments import AttachmentStore
from hub.vault.master_key import MasterKeyFile
from hub.vault.sealer import Sealer
from hub.vault.secret_box import HubSecretBox
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas


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
        operator = Principal(OPERATOR, HUB, frozenset({"agencies:write"}), "", 0.0)
        (result,), _ = self.runner.run([Request(operator, command)])
        if isinstance(result, Problem):
            raise result
        return result


@contextmanager
def open_core(settings: Settings, clock: Clock | None = None) -> Iterator[Core]:
    """Database, master key and the agency `hub` exist; a restore that was cut off is finished."""
    clock = clock or SystemClock()
    make_data_folder(settings)
    finish(settings.database_path)
    refuse_half_done(settings.database_path)
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
        if not _hub_is_registered(store):
            core.operate(RegisterAgency(Agency(HUB, "Simpul", "hub")))
            registry.refresh()
        yield core
    finally:
        store.close()


def _hub_is_registered(store: SqliteStore) -> bool:
    """By the log: tables may be empty that a rebuild will fill, and an event can never be taken back."""
    with store.read() as session:
        return bool(session.stream(f"agency/{HUB}", 0, 1))


@dataclass(slots=True)
class Server:
    """Everything that `simpul serve` runs, put together."""

    core: Core
    hub: Hub
    access: Access
    bus: EmbeddedBus
    deliverer: Deliverer
    readiness: Readiness
    housekeeping: Housekeeping
    web: web.Application

    async def start(self, *, deliver: bool = True) -> None:
        """Writer first, since everything else may write; webhooks last, since they read everything."""
        self.core.store.start_checkpoints()
        self.hub.writer.start()
        self.access.ensure_signing_key()
        await self.bus.start()
        await self.readiness.start()
        self.housekeeping.start()
        if deliver:
            await self.deliverer.start()

    async def stop(self) -> None:
        """The other way round; long polls end with what there is, what waits is still written."""
        self.hub.mailboxes.close()
        await self.readiness.stop()
        await self.housekeeping.stop()
        await self.deliverer.stop()
        await self.bus.stop()
        await self.hub.writer.stop()
        self.hub.readers.close()


def build(core: Core) -> Server:
    """Puts the rooms together over an open core; to be called on the event loop."""
    settings, store, clock = core.settings, core.store, core.clock
    schemas, regions, categories = Schemas.load(), Regions.load(), Categories.load()
    metrics = CollectorRegistry()
    readers = Readers(store)
    bus = EmbeddedBus(
        lambda after, limit: readers.run(lambda session: session.events_after(after, limit)),
        lambda: readers.run(lambda session: session.last_position()),
        LOOK_EVERY_S,
    )
    writer = Writer(core.runner, bus.offer, settings.queue_limit)
    writer.ran = WriterMetrics(metrics, lambda: writer.waiting).ran
    hub = _hub(core, bus, writer, readers, ComplaintCodes(schemas, regions, categories))
    secrets = secret_box(core)
    gate = access(core, secrets, writer)
    files = SqliteFiles(store)
    attachments = AttachmentStore(settings.data_dir / "attachments", core.sealer)
    deliverer, desk = _delivery(core, hub, bus, secrets, metrics)
    readiness = Readiness(writer, store.probe)
    core.runner.heard = writer.refused = readiness.heard
    application = make_app(
        hub=hub,
        access=gate,
        files=Files(hub, attachments, files, clock, settings.max_attachment_bytes),
        webhooks=desk,
        once=Once(store, readers, writer, clock),
        settings=_api_settings(settings),
        schemas=schemas,
        regions=regions,
        categories=categories,
        clock=clock,
        readiness=readiness.status,
        metrics=metrics,
    )
    chores = Housekeeping(writer, clock, _chores(core, files, attachments, gate))
    return Server(core, hub, gate, bus, deliverer, readiness, chores, application)


def _hub(core: Core, bus: EmbeddedBus, writer: Writer, readers: Readers, codes: ComplaintCodes) -> Hub:
    settings, sealer = core.settings, core.sealer
    mailboxes = Mailboxes(readers, writer, core.rows, sealer, settings.issuer)
    mailboxes.attach(bus)
    desk = ComplaintDesk(
        codes=codes, agencies=core.registry.agencies, sealing=sealer, ids=core.ids, clock=core.clock
    )
    return Hub(
        public_url=settings.issuer,
        registry=core.registry,
        desk=desk,
        writer=writer,
        readers=readers,
        mailboxes=mailboxes,
        sealing=sealer,
        ids=core.ids,
    )


def _delivery(
    core: Core, hub: Hub, bus: EmbeddedBus, secrets: HubSecretBox, metrics: CollectorRegistry
) -> tuple[Deliverer, WebhookDesk]:
    settings, clock = _delivery_settings(core.settings), core.clock
    table, targets = DeliveryTable(core.store), Targets(settings, clock)
    deliverer = Deliverer(
        store=table,
        readers=hub.readers,
        writer=hub.writer,
        bus=bus,
        sealing=core.sealer,
        secrets=secrets,
        sender=Sender(targets, settings, clock),
        metrics=DeliveryMetrics(metrics),
        ids=core.ids,
        clock=clock,
        settings=settings,
        public_url=core.settings.issuer,
        generation=core.store.registry_generation,
    )
    desk = Desk(
        store=table,
        readers=hub.readers,
        writer=hub.writer,
        targets=targets,
        secrets=secrets,
        ids=core.ids,
        clock=clock,
        settings=settings,
        changed=deliverer.wake,
    )
    return deliverer, desk


def _chores(core: Core, files: SqliteFiles, attachments: AttachmentStore, gate: Access) -> list[Chore]:
    def sync_keys(_: str) -> int:
        gate.sync_jwks()
        return 0

    def drop_unheld(_: str) -> int:
        unheld = files.unheld()
        for row in unheld:
            attachments.delete(row.location)
            files.drop(row)
        return len(unheld)

    settings, rows = core.settings, core.rows
    return [
        Chore("idempotency", timedelta(days=settings.idempotency_retention_days), rows.forget_idempotency),
        Chore("mailboxes", timedelta(days=settings.mailbox_retention_days), rows.trim_mailboxes),
        Chore("uploads", timedelta(hours=24), files.forget_uploaders),
        Chore("files", timedelta(0), drop_unheld),
        Chore("uploads_cut_short", timedelta(0), lambda _: attachments.sweep(86400.0)),
        Chore("published_keys", timedelta(0), sync_keys),
    ]


def _api_settings(settings: Settings) -> ApiSettings:
    return ApiSettings(
        public_url=settings.issuer,
        trusted_proxies=settings.trusted_proxies,
        tls_in_front=settings.tls_in_front,
        rate_limit_per_client_per_s=settings.rate_limit_per_client_per_s,
        access_log=settings.log_level in ("debug", "info"),
    )


def _delivery_settings(settings: Settings) -> DeliverySettings:
    return DeliverySettings(
        allowed_networks=settings.webhook_allowed_networks,
        retry_ceilings_s=ceilings_for(settings.webhook_max_attempts),
        total_timeout_s=float(settings.webhook_timeout_s),
        secret_overlap_s=float(settings.webhook_secret_overlap_s),
        retention_s=settings.delivery_retention_days * 86400.0,
    )


def secret_box(core: Core) -> HubSecretBox:
    return HubSecretBox(core.sealer, core.rows.hub_key, core.rows.put_hub_key)


def access(core: Core, secrets: HubSecretBox, writer: Writer | None = None) -> Access:
    settings = core.settings
    return Access(
        AccessSettings(settings.issuer, settings.token_lifetime_s, settings.data_dir / "jwks.json"),
        core.registry,
        core.rows,
        core.sealer,
        secrets,
        core.clock,
        writer.run if writer else None,
    )
