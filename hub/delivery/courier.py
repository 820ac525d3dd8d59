"""One attempt, read as a sentence: prepare, send, and handle what came of it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from hub.delivery.answers import Answer, Outcome, retry_after_s
from hub.delivery.endpoint import Endpoint
from hub.delivery.lanes import Parcel
from hub.delivery.metrics import DeliveryMetrics
from hub.delivery.pages import Pages
from hub.delivery.sender import Sender, SignedCall
from hub.delivery.settings import OWN_FAILURE_WAIT_S, DeliverySettings
from hub.delivery.steady import Steady
from hub.delivery.unsaved import Unsaved
from hub.errors import SimpulError
from hub.ports.clock import Clock, rfc3339
from hub.service.ids import Ids

log = structlog.get_logger(__name__)


class Courier:
    """`draw` gives random numbers in [0, 1)."""

    def __init__(
        self,
        pages: Pages,
        sender: Sender,
        unsaved: Unsaved,
        metrics: DeliveryMetrics,
        ids: Ids,
        clock: Clock,
        steady: Steady,
        settings: DeliverySettings,
        draw: Callable[[], float],
    ) -> None:
        self._pages = pages
        self._sender = sender
        self._unsaved = unsaved
        self._metrics = metrics
        self._ids = ids
        self._clock, self._steady = clock, steady
        self._settings = settings
        self._draw = draw

    async def deliver(self, endpoint: Endpoint, parcel: Parcel) -> None:
        """Sends one parcel that the lanes gave out, and settles what came of it."""
        try:
            call = await self._prepare(endpoint, parcel)
        except SimpulError as error:
            log.warning("delivery_not_prepared", agency=endpoint.agency, cause=str(error))
            self.postpone(endpoint, parcel)
        else:
            if call is None:
                self._cannot_be_sent(endpoint, parcel, "the mailbox no longer holds it")
            else:
                self._handle(endpoint, parcel, await self._sender.send(call))

    async def _prepare(self, endpoint: Endpoint, parcel: Parcel) -> SignedCall | None:
        body = self._pages.fresh(parcel)
        if body is None:
            body = await self._pages.body(endpoint.agency, parcel.position)
        if body is None:
            return None
        headers = endpoint.signer.headers(parcel.event_id, body, self._clock.now())
        return SignedCall(endpoint.url, headers, body)

    def _handle(self, endpoint: Endpoint, parcel: Parcel, answer: Answer) -> None:
        self._metrics.attempted(answer)
        if endpoint.closed:
            return
        probe, parcel.probe = parcel.probe, False
        self._note_health(endpoint, parcel, answer, probe)
        if answer.outcome is Outcome.DELIVERED:
            parcel.attempts += 1
            self._finish(endpoint, parcel, answer)
        elif answer.outcome is Outcome.GONE or (probe and answer.outcome is Outcome.DOWN):
            self._retry(endpoint, parcel, answer, endpoint.health.paused_until)  # not the event's failure
        else:
            parcel.attempts += 1
            if parcel.attempts > len(self._settings.retry_ceilings_s):
                self._dead(endpoint, parcel, answer)
            else:
                self._retry(endpoint, parcel, answer, self._due(parcel, answer))

    def _note_health(self, endpoint: Endpoint, parcel: Parcel, answer: Answer, probe: bool) -> None:
        health, outcome = endpoint.health, answer.outcome
        parcel.down = outcome in (Outcome.DOWN, Outcome.BUSY, Outcome.GONE)
        if not parcel.down:
            if health.answered(probe):
                log.info("webhook_resumed", agency=endpoint.agency)
                endpoint.lanes.hasten_down(self._now())
            return
        was_paused, now = health.is_paused, self._now()
        if outcome is Outcome.GONE:
            health.gone(answer.cause)
        elif outcome is Outcome.BUSY:
            health.asked_to_wait(self._due(parcel, answer), answer.cause)
        elif probe:
            health.probe_failed(answer.cause, now, self._draw())
        else:
            health.failed(parcel.subject, answer.cause, now, self._draw())
        if health.is_paused and not was_paused:
            log.warning("webhook_paused", agency=endpoint.agency, cause=answer.cause)
            endpoint.lanes.drop_bodies()

    def _finish(self, endpoint: Endpoint, parcel: Parcel, answer: Answer) -> None:
        endpoint.lanes.finished(parcel)
        if parcel.row_id is None:
            parcel.row_id = self._ids.new()
        row = endpoint.row(parcel, "done", answer, None, rfc3339(self._clock.now()))
        self._unsaved.put(endpoint, row)

    def _cannot_be_sent(self, endpoint: Endpoint, parcel: Parcel, cause: str) -> None:
        _release_probe(endpoint, parcel)
        self._dead(endpoint, parcel, Answer(Outcome.REFUSED, cause))

    def _dead(self, endpoint: Endpoint, parcel: Parcel, answer: Answer) -> None:
        log.warning("delivery_dead", agency=endpoint.agency, position=parcel.position, cause=answer.cause)
        self._metrics.died()
        endpoint.lanes.finished(parcel)
        if parcel.row_id is None:
            parcel.row_id = self._ids.new()
        self._unsaved.put(endpoint, endpoint.row(parcel, "dead", answer, None, rfc3339(self._clock.now())))

    def _retry(self, endpoint: Endpoint, parcel: Parcel, answer: Answer, due: float | None) -> None:
        """The parcel keeps its place at the head of its lane; it and what waits behind it become rows."""
        now = rfc3339(self._clock.now())
        for waiting in endpoint.lanes.retry_at(parcel, self._now() if due is None else due):
            self.keep(endpoint, waiting, now)
        self._unsaved.put(endpoint, endpoint.row(parcel, "pending", answer, due, now))

    def keep(self, endpoint: Endpoint, parcel: Parcel, now: str) -> None:
        """A pending row for a parcel that waits behind its lane's head."""
        endpoint.lanes.park(parcel, self._ids.new())
        self._unsaved.put(endpoint, endpoint.row(parcel, "pending", None, None, now))

    def postpone(self, endpoint: Endpoint, parcel: Parcel) -> None:
        """The hub itself failed: as if the attempt had not begun."""
        _release_probe(endpoint, parcel)
        endpoint.lanes.put_back(parcel, self._now() + OWN_FAILURE_WAIT_S)

    def _due(self, parcel: Parcel, answer: Answer) -> float:
        """Full jitter: anywhere between now and the ceiling of this retry; never before what the endpoint
        asked for."""
        ceilings = self._settings.retry_ceilings_s
        wait_s = self._draw() * ceilings[min(max(parcel.attempts, 1), len(ceilings)) - 1]
        asked_s = retry_after_s(answer.retry_after, self._clock.now(), self._settings.retry_after_cap_s)
        return self._now() + max(wait_s, asked_s or 0.0)

    def _now(self) -> float:
        return self._steady.now()


def _release_probe(endpoint: Endpoint, parcel: Parcel) -> None:
    """The probe told nothing about the endpoint: another one may go."""
    if parcel.probe:
        parcel.probe = endpoint.health.probing = False
