"""Whether an endpoint is up: after failures over several subjects it is paused as a whole, and one probe at a
time finds out when it is back. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from hub.delivery.settings import DeliverySettings


class Permit(Enum):
    ALL = "all"
    PROBE = "probe"
    NONE = "none"


@dataclass(slots=True)
class Health:
    """`failures` counts failed attempts since the last success that tell of the endpoint, probes included.
    `paused_until` is in steady seconds (`Steady`); `off` once the endpoint answered 410."""

    settings: DeliverySettings
    failures: int = 0
    paused_until: float | None = None
    off: bool = False
    cause: str | None = None
    probing: bool = False
    asked: bool = False
    """The endpoint itself asked for the pause: a late success is no reason to end it."""
    _subjects: set[str] = field(default_factory=set)
    _probes: int = 0

    def permit(self, now: float) -> Permit:
        if self.off:
            return Permit.NONE
        if self.paused_until is None:
            return Permit.ALL
        return Permit.PROBE if now >= self.paused_until and not self.probing else Permit.NONE

    @property
    def is_paused(self) -> bool:
        return self.off or self.paused_until is not None

    def answered(self, probe: bool) -> bool:
        """The endpoint took something, or refused one event as its own decision: it is up. True if that
        ended a pause."""
        if self.off or (self.asked and not probe):
            return False
        ended = self.paused_until is not None
        self.failures, self.paused_until, self.cause = 0, None, None
        self.probing, self.asked, self._probes = False, False, 0
        self._subjects.clear()
        return ended

    def failed(self, subject: str, cause: str | None, now: float, draw: float) -> None:
        """An attempt that was no probe failed because of the endpoint. `draw` is random in [0, 1)."""
        if self.is_paused:
            return
        self.failures += 1
        self._subjects.add(subject)
        if len(self._subjects) >= self.settings.pause_after_failures:
            self._pause(now + self._probe_wait_s(draw), cause)

    def probe_failed(self, cause: str | None, now: float, draw: float) -> None:
        self.failures += 1
        self._pause(now + self._probe_wait_s(draw), cause)

    def asked_to_wait(self, until: float, cause: str | None) -> None:
        self.failures += 1
        self._pause(max(until, self.paused_until or 0.0), cause)
        self.asked = True

    def gone(self, cause: str | None) -> None:
        self.off, self.cause, self.probing = True, cause, False
        self.paused_until = None

    def probe_now(self, now: float) -> None:
        """Somebody asked for an attempt: do not wait for the probe's time."""
        if self.paused_until is not None:
            self.paused_until = min(self.paused_until, now)

    def _pause(self, until: float, cause: str | None) -> None:
        self.paused_until, self.cause = until, cause
        self.probing = self.asked = False

    def _probe_wait_s(self, draw: float) -> float:
        """Between half the ceiling and all of it: without jitter all endpoints behind one broken line would
        be probed together, with full jitter a probe could follow at once."""
        ceilings = self.settings.probe_ceilings_s
        ceiling = ceilings[min(self._probes, len(ceilings) - 1)]
        self._probes += 1
        return ceiling * (0.5 + draw / 2)
