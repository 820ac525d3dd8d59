"""How long a delivery waits, whatever is done to the wall clock meanwhile.

Within a process all waiting is in steady seconds; rows hold the wall clock's times, for whoever reads them
and for whoever takes the deliveries over."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.ports.clock import Clock, SystemClock, rfc3339


class Steady:
    """Unix seconds as they were when the process began, counted on by the monotonic clock."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._began = self._wall() - self._clock.monotonic()

    def now(self) -> float:
        return self._began + self._clock.monotonic()

    def moment(self, due: float | None) -> str | None:
        """When that is, by the wall clock as it stands now (RFC 3339)."""
        if due is None:
            return None
        return rfc3339(datetime.fromtimestamp(due - self.now() + self._wall(), UTC))

    def due(self, moment: str, written_at: str | None = None) -> float:
        """The other way round. `written_at`: when the row was written; if the clock was set back since, the
        wait is no longer than it was then."""
        at = datetime.fromisoformat(moment).timestamp()
        wait_s = at - self._wall()
        if written_at is not None:
            wait_s = min(wait_s, at - datetime.fromisoformat(written_at).timestamp())
        return self.now() + wait_s

    def _wall(self) -> float:
        return self._clock.now().timestamp()
