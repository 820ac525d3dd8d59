"""Prometheus metrics of the writer and of the roles that this process holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Gauge, Histogram

from hub.service.leased import LeasedRole

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class WriterMetrics:
    """`waiting` is asked when the metrics are read."""

    def __init__(self, registry: CollectorRegistry, waiting: Callable[[], int]) -> None:
        depth = Gauge("simpul_writer_waiting", "Requests that wait for the writer.", registry=registry)
        depth.set_function(waiting)
        self._size = Histogram(
            "simpul_writer_batch_size", "Requests in a batch.", buckets=_SIZES, registry=registry
        )
        self._seconds = Histogram(
            "simpul_writer_batch_seconds", "Seconds a batch takes.", buckets=_SECONDS, registry=registry
        )

    def ran(self, size: int, seconds: float) -> None:
        """One batch was decided and committed, or refused as a whole."""
        self._size.observe(size)
        self._seconds.observe(seconds)


def watch_leases(registry: CollectorRegistry, roles: Sequence[LeasedRole]) -> None:
    """1 for each role that this process holds now, 0 for one that it waits for."""
    held = Gauge("simpul_lease_held", "1 while this process holds the role.", ["lease"], registry=registry)
    for role in roles:
        held.labels(role.name).set_function(lambda role=role: float(role.held))  # type: ignore[misc]
