"""How long whatever failed waits before it is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

AGAIN = 3
"""So many of those at which the hub failed before are tried in one step, beside the others."""
FAILURES_IN_A_ROW = 3
"""So many new ones, and it is the hub rather than what is sent."""
FAILS_AT_ALL = "the hub answers 500 to one request after another; its operator finds the cause in its log"


def pause_s(failures: int, cap_s: float, first_s: float) -> float:
    """Doubled with each of the `failures` before this one, at most `cap_s`; with jitter, so that not all that
    failed together come again together."""
    return min(cap_s, first_s * 2.0 ** min(failures, 16)) * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)


class Postponed:
    """The names at which the hub failed (500). Each waits by itself, with growing pauses of at most `cap_s`;
    in memory alone, so that a start tries it at once: somebody may have mended the cause."""

    def __init__(self, cap_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._cap_s, self._now_s = cap_s, now_s
        self._failed: dict[str, tuple[int, float]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._failed

    def names(self) -> list[str]:
        """All of them, also those whose pause is over."""
        return list(self._failed)

    def due(self, limit: int) -> list[str]:
        """Those whose pause is over, the longest waiting first."""
        over = [(at_s, name) for name, (_, at_s) in self._failed.items() if at_s <= self._now_s()]
        return [name for _, name in sorted(over)[:limit]]

    def postpone(self, name: str) -> bool:
        """The hub failed at it; True when it is the first time."""
        failures, _ = self._failed.get(name, (0, 0.0))
        self._failed[name] = (failures + 1, self._now_s() + pause_s(failures, self._cap_s, first_s=1.0))
        return failures == 0

    def forget(self, name: str) -> None:
        """The hub took it, or nothing of it waits any more."""
        self._failed.pop(name, None)
