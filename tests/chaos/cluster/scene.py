"""What a fault works on: the hub, what is expected of it, and what was measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.cluster.hub import Cluster

TAKEN_OVER_WITHIN_S: Final = 10.0
PATIENCE_S: Final = 60.0
"""So long a measurement goes on beyond its bar, so that the table says how late it was."""
INBOUND_AGAIN_WITHIN_S: Final = 30.0
IN_FLIGHT_S: Final = 0.5
"""What a killed process had sent to the database may still be committed so long."""


@dataclass
class Scene:
    """What a fault works on. `kills` of roles, `hold_s` of an outage, `pause_s` of a SIGSTOP (beyond any
    lease), `between_s` at most from one kill to the next; `flaws` and `measured` are what it found."""

    cluster: Cluster
    received: Path
    kills: int = 50
    hold_s: float = 60.0
    pause_s: float = 30.0
    between_s: float = 15.0
    seed: int = 1
    flaws: list[str] = field(default_factory=list)
    measured: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, seconds: float | None, bar_s: float | None = None) -> None:
        """None: it did not happen within PATIENCE_S."""
        if seconds is None or (bar_s is not None and seconds > bar_s):
            late = "not at all" if seconds is None else f"after {seconds:.1f} s"
            self.flaws.append(f"{what}: {late}, the bar is {bar_s or PATIENCE_S:.0f} s")
        if seconds is not None:
            self.measured.setdefault(what, []).append(round(seconds, 2))

    def note_latency(self, when: str, seconds: Iterable[float]) -> None:
        """Of a healthy webhook, for the table; no bar is held to it: it tells who else uses the machine."""
        sample = sorted(seconds)
        if sample:
            self.measured[f"healthy webhook p50 {when}"] = [round(sample[len(sample) // 2], 4)]
            self.measured[f"healthy webhook p99 {when}"] = [round(sample[len(sample) * 99 // 100], 4)]

    def all_ready(self, since: float) -> None:
        """Each process says ready (again) after `since`."""
        for name in self.cluster.processes:
            waited = self.cluster.watch.until(
                lambda name=name: "ready" in self.cluster.watch.statuses(name, since), PATIENCE_S
            )
            self.note("ready again", None if waited is None else time.monotonic() - since)


Fault = Callable[[Scene], None]


def hold(scene: Scene, began: float) -> None:
    """The rest of `hold_s`, in which intake must go on."""
    watch = scene.cluster.watch
    position = watch.looks[-1].position
    time.sleep(max(1.0, began + scene.hold_s - time.monotonic()))
    if watch.looks[-1].position <= position:
        scene.flaws.append("intake stood still")
    scene.note("longest stall of commits", watch.longest_stall_s(began), TAKEN_OVER_WITHIN_S)


def inbound_again(scene: Scene, since: float) -> None:
    watch = scene.cluster.watch
    until(lambda: watch.inbound_on_at(since + IN_FLIGHT_S) is not None, PATIENCE_S)
    at = watch.inbound_on_at(since + IN_FLIGHT_S)
    scene.note("inbound records taken again", None if at is None else at - since, INBOUND_AGAIN_WITHIN_S)
    scene.all_ready(time.monotonic())


def held_since(scene: Scene, role: str, since: float) -> float | None:
    return next(
        (look.at for look in scene.cluster.watch.looks if look.at > since and role in look.held), None
    )


def until(wanted: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not wanted():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
