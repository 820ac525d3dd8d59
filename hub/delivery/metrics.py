"""What Prometheus learns about webhooks. No label names an agency: that would be a series each."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hub.delivery.answers import Answer, Outcome

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)


class DeliveryMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        attempts = Counter(
            "simpul_webhook_attempts", "Webhook attempts by outcome", ["outcome"], registry=registry
        )
        self._attempts = {outcome: attempts.labels(outcome.value) for outcome in Outcome}
        self._latency = Histogram(
            "simpul_webhook_seconds", "Time of a webhook attempt", buckets=BUCKETS_S, registry=registry
        )
        self._dead = Counter("simpul_webhook_dead", "Deliveries given up", registry=registry)
        self._dropped = Counter(
            "simpul_webhook_rows_dropped", "Delivery rows that the database refused", registry=registry
        )
        self._pending = Gauge(
            "simpul_webhook_pending_rows", "Deliveries that wait for a retry, all agencies", registry=registry
        )
        self._paused = Gauge(
            "simpul_webhook_paused_endpoints", "Endpoints that are down or off", registry=registry
        )
        self._in_flight = Gauge("simpul_webhook_in_flight", "Attempts under way", registry=registry)

    def attempted(self, answer: Answer) -> None:
        self._attempts[answer.outcome].inc()
        self._latency.observe(answer.latency_s)

    def died(self) -> None:
        self._dead.inc()

    def dropped(self) -> None:
        self._dropped.inc()

    def stand(self, *, pending: int, paused: int, in_flight: int) -> None:
        self._pending.set(pending)
        self._paused.set(paused)
        self._in_flight.set(in_flight)
