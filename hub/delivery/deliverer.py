"""The delivery role as a whole: starts, keeps the endpoints in step with the webhooks' rows, and stops."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import timedelta

import structlog

from hub.delivery.courier import Courier
from hub.delivery.dispatcher import Dispatcher
from hub.delivery.endpoint import Endpoint, parcel_of
from hub.delivery.metrics import DeliveryMetrics
from hub.delivery.pages import Pages
from hub.delivery.saving import Saving
from hub.delivery.sender import Sender
from hub.delivery.settings import DeliverySettings
from hub.delivery.signing import Secrets
from hub.delivery.steady import Steady
from hub.delivery.unsaved import Unsaved
from hub.errors import SimpulError
from hub.ports.bus import Bus
from hub.ports.clock import Clock, rfc3339
from hub.ports.deliveries import DeliveryRow, DeliveryStore, ResumePoint, WebhookRow
from hub.ports.sealing import Sealing
from hub.ports.secrets import SecretBox
from hub.service.ids import Ids
from hub.service.readers import Readers
from hub.service.writer import Writer

log = structlog.get_logger(__name__)

PRUNE_EVERY_S = 3600.0
PRUNED_AT_ONCE = 1000

Change = tuple[WebhookRow, ResumePoint | None, list[DeliveryRow]]
"""A webhook that is new (with how it stands) or changed (with the redeliveries asked for)."""


class Deliverer:
    """`generation` is `Store.registry_generation`; `draw` gives random numbers in [0, 1)."""

    def __init__(
        self,
        *,
        store: DeliveryStore,
        readers: Readers,
        writer: Writer,
        bus: Bus,
        sealing: Sealing,
        secrets: SecretBox,
        sender: Sender,
        metrics: DeliveryMetrics,
        ids: Ids,
        clock: Clock,
        settings: DeliverySettings,
        public_url: str,
        generation: Callable[[], int],
        draw: Callable[[], float] = random.random,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store, self._readers, self._writer = store, readers, writer
        self._bus, self._secrets, self._sender = bus, secrets, sender
        self._metrics, self._clock, self._settings = metrics, clock, settings
        self._steady = Steady(clock)
        self._generation = generation
        self._seen = -1
        self._pruned_at = clock.monotonic()
        self._changed = asyncio.Event()
        self._refreshing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] = lambda: None
        pages = Pages(readers, sealing, public_url, generation)
        saving = Saving(store, writer, metrics.dropped)
        self._unsaved = Unsaved(saving, settings.save_interval_s, settings.save_rows)
        courier = Courier(pages, sender, self._unsaved, metrics, ids, clock, self._steady, settings, draw)
        self.dispatcher = Dispatcher(courier, pages, self._unsaved, clock, self._steady, settings, may_send)

    async def start(self) -> None:
        self._unsubscribe = self._bus.subscribe(self.dispatcher.told)
        await self.refresh()
        self._tasks = [
            asyncio.create_task(self._watch()),
            asyncio.create_task(self._unsaved.run(self.dispatcher.give_turns)),
        ]

    async def stop(self) -> None:
        """Within a few seconds; before the writer and the readers stop. What is not finished is sent again
        at the next start."""
        self._unsubscribe()
        await self.dispatcher.drain(self._settings.stop_timeout_s)
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._unsaved.save()
        self._sender.close()

    async def wake(self) -> None:
        """Webhooks changed in this process: taken up on return, unless delivery does not run here or the
        database is away; then at the next look."""
        if not self._tasks:
            return
        try:
            await self.refresh()
        except SimpulError as error:
            log.warning("webhooks_not_refreshed", cause=str(error))
            self._changed.set()

    async def refresh(self) -> None:
        """Takes up changed webhooks, whichever process changed them, and mailboxes that went on unheard."""
        async with self._refreshing:
            generation = self._generation()
            if generation != self._seen:
                await self._take_up_changes()
                self._seen = generation
        self.dispatcher.told(await self._readers.call(self._store.behind))
        self.dispatcher.tick()
        self._report()

    async def prune(self) -> int:
        """Deletes finished deliveries older than the retention, in small pieces; how many."""
        before = rfc3339(self._clock.now() - timedelta(seconds=self._settings.retention_s))
        total = 0
        while pruned := await self._writer.run(lambda: self._store.prune(before, PRUNED_AT_ONCE)):
            total += pruned
        return total

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):  # then the slow look, in case a hint was lost
                async with asyncio.timeout(self._settings.poll_interval_s):  # `wait_for` may swallow a cancel
                    await self._changed.wait()
            self._changed.clear()
            try:
                await self.refresh()
                if self._clock.monotonic() - self._pruned_at >= PRUNE_EVERY_S:
                    self._pruned_at = self._clock.monotonic()
                    await self.prune()
            except SimpulError as error:
                log.warning("webhooks_not_refreshed", cause=str(error))
            except Exception:  # the watch must go on: without it no webhook is ever taken up again
                log.exception("webhooks_watch_crashed")

    async def _take_up_changes(self) -> None:
        known = {a: (e.webhook.id, e.webhook.generation) for a, e in self.dispatcher.endpoints.items()}

        def look() -> tuple[set[str], list[Change]]:
            rows = self._store.webhooks()
            changed = [r for r in rows if known.get(r.agency) != (r.id, r.generation)]
            return {r.agency for r in rows}, [self._change(r, known.get(r.agency)) for r in changed]

        agencies, changes = await self._readers.call(look)
        for agency in known.keys() - agencies:
            self.dispatcher.drop(agency)
        for row, resume_point, asked_again in changes:
            self._apply(row, resume_point, asked_again)

    def _change(self, row: WebhookRow, known: tuple[str, int] | None) -> Change:
        if known is None or known[0] != row.id:
            return row, self._store.resume_point(row), []
        return row, None, self._store.asked_again(row.agency)

    def _apply(
        self, row: WebhookRow, resume_point: ResumePoint | None, asked_again: list[DeliveryRow]
    ) -> None:
        try:
            secrets = Secrets.opened(self._secrets, row.agency, row.sealed_secrets)
        except SimpulError as error:
            log.error("webhook_secret_unreadable", agency=row.agency, cause=str(error))
            return
        if resume_point is not None:
            self.dispatcher.drop(row.agency)
            self.dispatcher.take_up(Endpoint(resume_point, secrets, self._settings, self._steady))
            return
        endpoint = self.dispatcher.endpoints[row.agency]
        was_paused = endpoint.health.is_paused
        endpoint.configure(row, secrets)
        if was_paused and not endpoint.health.is_paused:
            endpoint.lanes.hasten_down(self._steady.now())
        self._ask_again(endpoint, asked_again)
        self._unsaved.moved(endpoint)
        self.dispatcher.take_up(endpoint)

    def _ask_again(self, endpoint: Endpoint, rows: list[DeliveryRow]) -> None:
        """Redeliveries become parcels apart; retries that somebody hurried come forward."""
        for row in rows:
            parcel = parcel_of(row, self._steady)
            now = self._steady.now()
            if (row.apart and endpoint.lanes.add_apart(parcel)) or (
                parcel.due <= now and endpoint.lanes.hasten(row.position, now)
            ):
                endpoint.health.probe_now(now)

    def _report(self) -> None:
        endpoints = self.dispatcher.endpoints.values()
        self._metrics.stand(
            pending=sum(endpoint.lanes.in_rows for endpoint in endpoints),
            paused=sum(endpoint.health.is_paused for endpoint in endpoints),
            in_flight=self.dispatcher.in_flight,
        )
