"""What happens to every request of an outage is logged now and then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVERY_S: Final = 10.0


@dataclass(slots=True)
class Seldom:
    """For one kind of line. Times are of a monotonic clock, in seconds."""

    _count: int = 0
    """How often it happened after the last line."""
    _next_s: float = float("-inf")

    def due(self, now_s: float) -> int | None:
        """How often it happened since the last line, this time included, if another one is due."""
        self._count += 1
        if now_s < self._next_s:
            return None
        times, self._count, self._next_s = self._count, 0, now_s + EVERY_S
        return times
