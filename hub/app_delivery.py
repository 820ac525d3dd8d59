"""The composition root's delivery: who sends webhooks, and what the API asks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from hub.delivery.deliverer import Deliverer
from hub.delivery.metrics import DeliveryMetrics
from hub.delivery.role import DeliveryRole
from hub.delivery.sender import Sender
from hub.delivery.settings import DeliverySettings, ceilings_for
from hub.delivery.stream_metrics import StreamMetrics
from hub.delivery.stream_pages import StreamPages
from hub.delivery.streams import LiveStreams, StreamSettings
from hub.delivery.targets import Targets
from hub.delivery.webhook_desk import WebhookDesk
from hub.ports.bus import Bus
from hub.ports.clock import Clock
from hub.ports.revocations import RevocationJournal
from hub.ports.secrets import SecretBox
from hub.ports.webhooks import Webhooks
from hub.service.hub import Hub
from hub.settings import Settings
from hub.store.deliveries import DeliveryTable

if TYPE_CHECKING:
    from hub.store.engines import AnyStore


def delivery(
    settings: Settings,
    store: AnyStore,
    clock: Clock,
    *,
    hub: Hub,
    bus: Bus,
    secrets: SecretBox,
    revocations: RevocationJournal,
    metrics: CollectorRegistry,
) -> tuple[DeliveryRole, Webhooks]:
    """The role, which one process holds at a time, and the desk, which every process with the API has."""
    chosen = _settings(settings)
    table, targets = DeliveryTable(store), Targets(chosen, clock)
    counted = DeliveryMetrics(metrics)

    def make(may_send: Callable[[], bool]) -> Deliverer:
        return Deliverer(
            store=table,
            readers=hub.readers,
            writer=hub.writer,
            bus=bus,
            sealing=hub.sealing,
            secrets=secrets,
            sender=Sender(targets, chosen, clock),
            metrics=counted,
            ids=hub.ids,
            clock=clock,
            settings=chosen,
            public_url=settings.issuer,
            generation=store.registry_generation,
            may_send=may_send,
        )

    role = DeliveryRole(make)
    desk = WebhookDesk(
        store=table,
        readers=hub.readers,
        writer=hub.writer,
        targets=targets,
        secrets=secrets,
        ids=hub.ids,
        clock=clock,
        settings=chosen,
        revocations=revocations,
        changed=role.wake,
    )
    return role, desk


def live_streams(
    settings: Settings, store: AnyStore, clock: Clock, *, hub: Hub, bus: Bus, metrics: CollectorRegistry
) -> LiveStreams:
    """Every process with the API has its own; they end with its web server."""
    chosen = StreamSettings(
        heartbeat_s=float(settings.stream_heartbeat_s),
        write_timeout_s=float(settings.stream_write_timeout_s),
        buffer_bytes=settings.stream_buffer_bytes,
        most=settings.stream_limit,
        most_per_agency=settings.stream_limit_per_agency,
    )
    pages = StreamPages(hub.readers, hub.sealing, settings.issuer)
    streams = LiveStreams(pages, clock, chosen, StreamMetrics(metrics), store.registry_generation)
    bus.subscribe(streams.told)
    return streams


def _settings(settings: Settings) -> DeliverySettings:
    return DeliverySettings(
        allowed_networks=settings.webhook_allowed_networks,
        retry_ceilings_s=ceilings_for(settings.webhook_max_attempts),
        total_timeout_s=float(settings.webhook_timeout_s),
        secret_overlap_s=float(settings.webhook_secret_overlap_s),
        retention_s=settings.delivery_retention_days * 86400.0,
    )
