"""The composition root: with the other `app_….py` beside it the only place that names backends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from hub.api.server import make_app
from hub.api.settings import ApiSettings
from hub.app_access import access, secret_box, signing_in
from hub.app_core import Core, limits_of
from hub.app_delivery import delivery, live_streams
from hub.app_erasures import drop_unheld, purge, remove_leftovers
from hub.app_sweeps import sweeps
from hub.bus.embedded import LOOK_EVERY_S, EmbeddedBus
from hub.errors import SimpulError
from hub.ports.files import UPLOAD_KEPT
from hub.ports.leases import API, CLOCK, DELIVERY, ROLES
from hub.ports.topics import DEAD_LETTERS_KEPT
from hub.service.access import Access
from hub.service.accounts_sign_in import SignIn
from hub.service.clock_role import ClockRole
from hub.service.files import Files
from hub.service.housekeeping import Chore, Housekeeping
from hub.service.hub import Hub
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.kafka_agencies import KafkaAgencies
from hub.service.leased import LeasedRole
from hub.service.mailboxes import Mailboxes
from hub.service.metrics import WriterMetrics, watch_leases
from hub.service.once import Once
from hub.service.readers import Readers
from hub.service.readiness import Readiness
from hub.service.writer import Writer
from hub.settings import Settings
from hub.store.files import FileTables
from hub.store.leases import LeaseTable
from hub.store.relaying import RelayTables
from hub.store.thread_reading import ReadMarkTable
from hub.vault.attachments import AttachmentStore
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas

if TYPE_CHECKING:
    from hub.app_broker import BrokerSide


log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Server:
    """Everything that `simpul serve` runs in one process, put together."""

    core: Core
    hub: Hub
    access: Access
    bus: EmbeddedBus
    roles: list[LeasedRole]
    broker: BrokerSide | None
    readiness: Readiness
    housekeeping: Housekeeping
    web: web.Application

    async def start(self) -> None:
        """Writer first, since everything else may write; roles last, since they read everything."""
        self.core.store.start_checkpoints()
        await self._purge()
        self.hub.writer.start()
        self.access.ensure_signing_key()
        await self.bus.start()
        await self.readiness.start()
        if self.broker is not None:
            await self.broker.start()
        for role in self.roles:
            role.start()

    async def _purge(self) -> None:
        """What an erasure left on the disk when it was cut off; what must wait is a chore."""
        try:
            await asyncio.to_thread(self.hub.purge)
        except (SimpulError, OSError) as error:
            log.warning("purge_put_off", cause=str(error))

    async def stop(self) -> None:
        """The other way round; long polls end with what there is, what waits is still written."""
        self.hub.mailboxes.close()
        await self.readiness.stop()
        ending = [role.stop() for role in self.roles]
        await asyncio.gather(*ending, *([self.broker.stop()] if self.broker else []))
        await self.bus.stop()
        await asyncio.gather(self.hub.writer.stop(), self.hub.desk.stop(), self.housekeeping.stop())
        await self.hub.readers.stop()


def build(core: Core, roles: frozenset[str] = frozenset(ROLES)) -> Server:
    """Puts the rooms together over an open core; to be called on the event loop."""
    settings, store, clock = core.settings, core.store, core.clock
    codes = ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())
    metrics = CollectorRegistry()
    readers = Readers(store)
    bus = _bus(readers)
    store.on_commit_elsewhere(bus.woken_from(asyncio.get_running_loop()))
    writer = Writer(core.runner, bus.offer, settings.queue_limit)
    writer.ran = WriterMetrics(metrics, lambda: writer.waiting).ran
    hub = _hub(core, bus, writer, readers, codes)
    secrets = secret_box(core)
    gate, officers = access(core, secrets, writer), signing_in(core, secrets, writer)
    files = FileTables(store)
    attachments = AttachmentStore(settings.data_dir / "attachments", core.sealer)
    delivering, webhook_desk = delivery(
        settings,
        store,
        clock,
        hub=hub,
        bus=bus,
        secrets=secrets,
        revocations=core.revocations,
        metrics=metrics,
    )
    streams = live_streams(settings, store, clock, hub=hub, bus=bus, metrics=metrics)
    leases, holder = LeaseTable(store), _holder(core)
    broker, kafka_agencies = None, KafkaAgencies(None, core.registry)
    if settings.kafka_bootstrap is not None:
        from hub.app_broker import broker_side  # a hub without a broker loads no Kafka client

        broker, kafka_agencies = broker_side(
            settings,
            roles,
            hub=hub,
            bus=bus,
            registry=core.registry,
            access=gate,
            leases=leases,
            table=RelayTables(store),
            clock=clock,
            holder=holder,
            schemas=codes.schemas,
            metrics=metrics,
        )
    readiness = Readiness(writer, store.probe, bus_away=broker.away if broker else None)
    core.runner.heard = writer.refused = readiness.heard
    application = make_app(
        hub=hub,
        access=gate,
        files=Files(hub, attachments, files, clock, settings.max_attachment_bytes),
        webhooks=webhook_desk,
        streams=streams,
        sign_in=officers,
        once=Once(store, readers, writer, clock),
        kafka_agencies=kafka_agencies,
        settings=_api_settings(settings, API in roles),
        schemas=codes.schemas,
        regions=codes.regions,
        categories=codes.categories,
        clock=clock,
        readiness=readiness.status,
        metrics=metrics,
    )
    chores = Housekeeping(writer, clock, _chores(core, files, attachments, gate, officers))
    ticking = ClockRole(readers, writer, clock)
    hands = [chores.forever, ticking.forever, *(each.forever for each in sweeps(core, readers, writer))]
    work = {DELIVERY: delivering.work, CLOCK: lambda claim: _at_once(hands)}
    leased = [LeasedRole(name, holder, leases, writer, clock, work[name]) for name in work if name in roles]
    watch_leases(metrics, [*leased, *([broker.relay] if broker and broker.relay else [])])
    return Server(core, hub, gate, bus, leased, broker, readiness, chores, application)


async def _at_once(hands: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
    """The clock's hands; if one breaks the others end too, and the lease is taken anew."""
    async with asyncio.TaskGroup() as group:
        for hand in hands:
            group.create_task(hand())


def _holder(core: Core) -> str:
    """Who holds a lease. On SQLite there is one process, which takes up at once what a killed one held."""
    return core.ids.new() if core.settings.on_postgres else "embedded"


def _bus(readers: Readers) -> EmbeddedBus:
    return EmbeddedBus(
        lambda after, limit: readers.glance(lambda session: session.events_after(after, limit)),
        lambda: readers.glance(lambda session: session.last_position()),
        LOOK_EVERY_S,
    )


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
        clock=core.clock,
        read_marks=ReadMarkTable(core.store),
        limits=limits_of(core.settings),
        purge=lambda: purge(core),
    )


def idle_hub(core: Core) -> Hub:
    """The hub's face for a command beside the server: it reads and prepares; the command itself writes."""
    codes = ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())
    readers = Readers(core.store, 1)
    bus = _bus(readers)
    return _hub(core, bus, Writer(core.runner, bus.offer), readers, codes)


def _chores(
    core: Core, files: FileTables, attachments: AttachmentStore, gate: Access, officers: SignIn
) -> list[Chore]:
    def sync_keys(_: str) -> int:
        gate.sync_jwks()
        return 0

    def purge_disk(_: str) -> int:
        return 0 if core.store.purge() is None else 1

    def leftovers(_: str) -> int:
        remove_leftovers(core)  # a command at work kept its own from the last purge
        return 0

    settings, rows = core.settings, core.rows
    return [
        Chore("idempotency", timedelta(days=settings.idempotency_retention_days), rows.forget_idempotency),
        Chore("mailboxes", timedelta(days=settings.mailbox_retention_days), rows.trim_mailboxes),
        Chore("uploads", UPLOAD_KEPT, files.forget_uploaders, aside=True),
        Chore("files", timedelta(0), lambda _: drop_unheld(files, attachments), aside=True),
        Chore("erasures", timedelta(0), purge_disk, aside=True),
        Chore("leftovers", timedelta(0), leftovers, aside=True),
        Chore("uploads_cut_short", timedelta(0), lambda _: attachments.sweep(86400.0), aside=True),
        Chore("dead_letters", DEAD_LETTERS_KEPT, RelayTables(core.store).forget_dead_letters),
        Chore("published_keys", timedelta(0), sync_keys),
        Chore("sessions", timedelta(0), lambda now: officers.sessions.forget(now)),
    ]


def _api_settings(settings: Settings, serves: bool) -> ApiSettings:
    return ApiSettings(
        probes_only=not serves,
        public_url=settings.issuer,
        topic_prefix=settings.kafka_topic_prefix,
        trusted_proxies=settings.trusted_proxies,
        tls_in_front=settings.tls_in_front,
        stream_write_timeout_s=float(settings.stream_write_timeout_s),
        rate_limit_per_client_per_s=settings.rate_limit_per_client_per_s,
        access_log=settings.log_level in ("debug", "info"),
    )
