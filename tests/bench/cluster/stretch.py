"""How fast something moves on, from its first movement to its goal: what it took to start does not count."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tests.bench import machine

LOOK_EVERY_S: Final = 0.01
PATIENCE_S: Final = 60.0


def stretch(look: Callable[[], int], goal: int, pids: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """`look` gives how far it is; `pids` the processes by name, whose shares of a processor are told as
    `<name>_share`, with all of their processor time a unit as `cpu_us`. RuntimeError when it stands still for
    PATIENCE_S, or is there before it could be measured."""
    start = look()
    first, began = _next(look, start, goal)
    before, value, now = _used(pids), first, began
    while value < goal:
        value, now = _next(look, value, goal)
    seconds, used = now - began, _used(pids)
    count = goal - first
    if count <= 0 or seconds <= 0:
        raise RuntimeError(f"{goal} were done at the first look: too few to be measured")
    shares = {f"{name}_share": (used[name] - before[name]) / seconds for name in pids}
    total = sum(used.values()) - sum(before.values())
    return {
        "good": count,
        "seconds": seconds,
        "rate": count / seconds,
        "cpu_us": total / count * 1e6,
    } | shares


def _next(look: Callable[[], int], last: int, goal: int) -> tuple[int, float]:
    """The next value that differs, and when it was seen."""
    began = time.monotonic()
    while True:
        time.sleep(LOOK_EVERY_S)
        value, now = look(), time.monotonic()
        if value != last:
            return value, now
        if now - began > PATIENCE_S:
            raise RuntimeError(f"it stands at {value} of {goal} for {PATIENCE_S} s")


def _used(pids: Mapping[str, Sequence[int]]) -> dict[str, float]:
    return {name: sum(machine.cpu_s(pid) for pid in some) for name, some in pids.items()}
