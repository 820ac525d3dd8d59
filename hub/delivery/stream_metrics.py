"""What Prometheus learns about live streams. No label names an agency: that would be a series each."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

CAUSES: Final = ("slow", "access", "trimmed", "unavailable", "stopping", "gone")
"""Why a stream ends: cut off as it did not read, its token no longer good, the mailbox trimmed before it, the
database away, the hub stopping, the client gone."""


class StreamMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge("simpul_streams_open", "Live streams that are open", registry=registry)
        ended = Counter("simpul_streams_ended", "Live streams that ended", ["cause"], registry=registry)
        self._ended = {cause: ended.labels(cause) for cause in CAUSES}
        self._events = Counter(
            "simpul_stream_events", "Events sent by live streams that have ended", registry=registry
        )

    def open(self, count: int) -> None:
        self._open.set(count)

    def ended(self, cause: str, events: int) -> None:
        self._ended[cause].inc()
        self._events.inc(events)
