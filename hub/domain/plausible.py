"""Whether the wall clock can be believed, asked before something goes for good by it alone. A clock that is
ahead (a battery that is empty, a typing error, a restored machine) would let every retention be over at once.
Pure: times are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.working_time import instant, written

SETTLED: Final = timedelta(days=1)
"""What the clock shows is believed once it has shown it for so long: in that time somebody notices."""
QUIET: Final = timedelta(days=7)
"""A hub that people work with records something at least so often, holidays and weekends included."""
IN_STEP: Final = timedelta(minutes=5)
"""How far the wall clock may move against the monotonic one while it is put right, in small steps."""


def settled_by(now: str) -> str:
    """What was recorded before this moment (RFC 3339 in UTC) was recorded before today."""
    return written(instant(now) - SETTLED)


def goes_on(before: str | None, now: str) -> bool:
    """Whether the present joins on to the log. `before` is the time of the last event that was recorded ahead
    of everything of the last day (`settled_by`); None if all of it is of that day. What was recorded within
    the day proves nothing: it may be the wrong clock's own."""
    return before is not None and instant(now) - instant(before) <= QUIET


@dataclass(slots=True)
class InStep:
    """For how long a process has seen both clocks go at the same pace. A hub that was off for months is
    believed a day after its start, and one whose clock was put right a day after that."""

    _wall: datetime | None = None
    _monotonic: float = 0.0
    _lasted: timedelta = timedelta()

    def seen(self, wall: datetime, monotonic: float) -> None:
        """Both clocks, looked at now; called again and again."""
        if self._wall is None:
            self._wall, self._monotonic = wall, monotonic
        passed = timedelta(seconds=monotonic - self._monotonic)
        if abs(wall - self._wall - passed) > IN_STEP:
            self._wall, self._monotonic, passed = wall, monotonic, timedelta()
        self._lasted = passed

    @property
    def is_settled(self) -> bool:
        return self._lasted >= SETTLED
