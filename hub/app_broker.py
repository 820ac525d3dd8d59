"""The composition root's part for Kafka: what a hub with a broker runs besides."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.bus.kafka.binding import published, received
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.probe import KafkaListenerProbe
from hub.bus.kafka.publisher import KafkaPublisher
from hub.bus.kafka.source import KafkaSource
from hub.bus.kafka.topics import KafkaTopics
from hub.delivery.relay import Relay
from hub.delivery.relay_lanes import Outlet, RelayLanes
from hub.errors import SettingsError, SimpulError
from hub.ports.broker import ListenerProbe
from hub.ports.bus import Bus
from hub.ports.clock import Clock
from hub.ports.leases import INBOUND, RELAY, Leases
from hub.ports.relaying import RelayTable
from hub.service.access import Access
from hub.service.hub import Hub
from hub.service.inbound import InboundDesk
from hub.service.inbound_role import InboundRole, next_offsets
from hub.service.kafka_agencies import KafkaAgencies
from hub.service.leased import LeasedRole
from hub.service.listener_watch import ListenerWatch
from hub.service.registry import Registry
from hub.settings import Settings
from schemas.registry import Registry as Schemas

PING_EVERY_S: Final = 3.0
MADE_AGAIN: Final = (
    "a process with the role relay makes it again within seconds, and so does `simpul topics apply`"
)


def own_endpoint(settings: Settings) -> BrokerListener | None:
    """The hub's own listener; SettingsError where it lies open to a network."""
    if settings.kafka_bootstrap is None:
        return None
    endpoint = BrokerListener(
        settings.kafka_bootstrap,
        settings.kafka_tls,
        settings.kafka_ca_file,
        settings.kafka_sasl_mechanism,
        settings.kafka_username,
        settings.kafka_password,
    )
    endpoint.refuse_if_open()
    return endpoint


def agency_endpoint(settings: Settings) -> BrokerListener | None:
    """The listener at which agencies sign in with their tokens."""
    if settings.kafka_bootstrap is None or settings.kafka_agency_bootstrap is None:
        return None
    return BrokerListener(
        settings.kafka_agency_bootstrap,
        settings.kafka_agency_tls,
        settings.kafka_ca_file,
        names="SIMPUL_KAFKA_AGENCY",
    )


def topics_of(settings: Settings) -> KafkaTopics | None:
    """For agencies; None where they cannot choose Kafka."""
    endpoint = own_endpoint(settings)
    if endpoint is None or agency_endpoint(settings) is None:
        return None
    return KafkaTopics(endpoint, settings.kafka_topic_prefix)


@dataclass(slots=True)
class BrokerMetrics:
    published: Counter
    received: Counter
    up: Gauge
    lag: Gauge

    @classmethod
    def of(cls, registry: CollectorRegistry) -> BrokerMetrics:
        return cls(
            Counter("simpul_relay_published", "Records published, by lane.", ["lane"], registry=registry),
            Counter("simpul_inbound", "Inbound records and troubles.", ["what"], registry=registry),
            Gauge("simpul_bus_up", "1 while the broker answers.", registry=registry),
            Gauge(
                "simpul_relay_lag_events",
                "Events of the log that are not on the broker yet; 0 where another process relays.",
                registry=registry,
            ),
        )


class BrokerSide:
    """Relay, inbound and topics of one process, by its roles."""

    def __init__(
        self,
        *,
        publisher: KafkaPublisher,
        relay: LeasedRole | None,
        inbound: InboundRole | None,
        topics: KafkaTopics | None,
        agencies: KafkaAgencies,
        keeps_topics: bool,
        probe: ListenerProbe | None,
        access: Access,
        metrics: BrokerMetrics,
    ) -> None:
        self._publisher = publisher
        self.relay, self.inbound = relay, inbound
        self._topics, self._agencies, self._keeps_topics = topics, agencies, keeps_topics
        self._listener = ListenerWatch(probe, access.probe_token, self._end_traffic) if probe else None
        metrics.up.set_function(lambda: 0.0 if self._broker_away() else 1.0)
        self._watching: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """ListenerUnsafe where the agencies' listener lets in who cannot prove who they are."""
        if self._listener is not None:
            await self._listener.try_once()
            self._watching.append(asyncio.create_task(self._listener.keep_trying()))
        if self._topics is not None:
            await self._topics.start()
            self._watching.append(asyncio.create_task(self._ping()))
            if self._keeps_topics:
                self._watching.append(asyncio.create_task(self._agencies.watch()))
        if self.relay is not None:
            self.relay.start()
        if self.inbound is not None:
            await self.inbound.start()

    async def stop(self) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        await self._end_traffic()
        if self._topics is not None:
            await self._topics.stop()

    async def _end_traffic(self) -> None:
        parts = [part.stop() for part in (self.inbound, self.relay) if part is not None]
        await asyncio.gather(*parts, return_exceptions=True)

    def away(self) -> str | None:
        """Why the broker cannot be used now, or not by agencies, or not all of it, in words; None while it
        can, or nobody here needs it."""
        missing = self._topics.missing if self._topics is not None else ()
        return (
            self._broker_away()
            or (self._listener.away if self._listener is not None else None)
            or (f"the broker has no topic {', '.join(sorted(missing))}; {MADE_AGAIN}" if missing else None)
        )

    def _broker_away(self) -> str | None:
        users = [self._publisher if self.relay and self.relay.held else None, self.inbound, self._topics]
        causes = [cause for user in users if user is not None and (cause := user.away)]
        if self._listener is not None and self._listener.unsafe:
            return self._listener.unsafe
        return causes[0] if causes else None

    async def _ping(self) -> None:
        """A process that needs the broker for nothing else hears of its absence too, and of a topic that
        somebody deleted: /readyz says so."""
        while self._topics is not None:
            with contextlib.suppress(SimpulError):  # `away` has the words
                await self._topics.ping()
            await asyncio.sleep(PING_EVERY_S)


def broker_side(
    settings: Settings,
    roles: frozenset[str],
    *,
    hub: Hub,
    bus: Bus,
    registry: Registry,
    access: Access,
    leases: Leases,
    table: RelayTable,
    clock: Clock,
    holder: str,
    schemas: Schemas,
    metrics: CollectorRegistry,
) -> tuple[BrokerSide, KafkaAgencies]:
    """What of the broker this process runs; SettingsError without one."""
    endpoint, topics = own_endpoint(settings), topics_of(settings)
    agencies = KafkaAgencies(topics, registry)
    if endpoint is None:
        raise SettingsError("SIMPUL_KAFKA_BOOTSTRAP is not set")
    prefix, counted = settings.kafka_topic_prefix, BrokerMetrics.of(metrics)
    publisher = KafkaPublisher(endpoint, f"{prefix}relay")
    outlet = Outlet(hub.readers, hub.sealing, table, published, prefix, settings.issuer)
    relay = Relay(
        lanes=RelayLanes(outlet, registry.agencies),
        publisher=publisher,
        table=table,
        readers=hub.readers,
        writer=hub.writer,
        clock=clock,
        moved=lambda lane, count: counted.published.labels(lane).inc(count),
        lags=counted.lag.set,
    )
    bus.subscribe(relay.told)

    inbound = InboundRole(
        source=KafkaSource(endpoint, f"{prefix}hub", next_offsets(hub.readers, table)),
        desk=InboundDesk(hub, schemas, registry.agencies, received, prefix),
        table=table,
        writer=hub.writer,
        refresh=registry.refresh,
        seen=lambda what, count: counted.received.labels(what).inc(count),
    )
    agency_listener = agency_endpoint(settings)
    side = BrokerSide(
        publisher=publisher,
        relay=LeasedRole(RELAY, holder, leases, hub.writer, clock, relay.run) if RELAY in roles else None,
        inbound=inbound if INBOUND in roles else None,
        topics=topics,
        agencies=agencies,
        keeps_topics=RELAY in roles,
        probe=KafkaListenerProbe(agency_listener) if agency_listener else None,
        access=access,
        metrics=counted,
    )
    return side, agencies
