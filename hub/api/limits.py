"""A rate limit per client: off by default, a token bucket when a setting asks for it."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from hub.errors import TooMany

MOST_CLIENTS: Final = 10_000


class RateLimit:
    """Each client may send `per_s` requests a second, and as many at once as come in two seconds."""

    def __init__(self, per_s: float, monotonic: Callable[[], float]) -> None:
        if per_s <= 0:
            raise ValueError("A rate limit must be above 0 requests a second.")
        self._per_s = per_s
        self._most = max(1.0, 2 * per_s)
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client_id: str) -> None:
        """Raises TooMany (429), with the seconds to wait, when the client was too fast."""
        now = self._monotonic()
        left, since = self._buckets.pop(client_id, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_s)
        allowed = left >= 1.0
        self._buckets[client_id] = (left - 1.0 if allowed else left, now)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            wait_s = math.ceil((1.0 - left) / self._per_s)
            raise TooMany(
                f"This client may send {self._per_s:g} requests a second; wait {wait_s} s.",
                retry_after_s=wait_s,
            )
