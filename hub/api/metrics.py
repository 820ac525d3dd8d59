"""Prometheus metrics of the HTTP side. Labels are route templates, methods and statuses: nothing personal."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LINES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)


class HttpMetrics:
    """Counts in `registry`, to which other rooms add their own."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._requests = Counter(
            "simpul_http_requests_total",
            "HTTP requests by route, method and status.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "simpul_http_request_seconds",
            "Seconds from a request's head to its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.batch_lines = Histogram(
            "simpul_batch_lines", "Lines of a complaint batch.", buckets=_LINES, registry=registry
        )
        self._known: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def seen(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request answered. Children are kept: looking them up costs more than counting."""
        key = (route, method, status)
        counter = self._known.get(key)
        if counter is None:
            counter = self._known[key] = self._requests.labels(route, method, str(status))
            self._timers.setdefault(route, self._seconds.labels(route))
        counter.inc()
        self._timers[route].observe(seconds)

    def exposition(self) -> bytes:
        return generate_latest(self._registry)
