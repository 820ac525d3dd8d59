"""kill -9 of the hub's processes, one role after the other."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tests.chaos.cluster.hub import LEASED, Cluster
from tests.chaos.cluster.scene import IN_FLIGHT_S, PATIENCE_S, TAKEN_OVER_WITHIN_S, Scene, until


def kill_roles(scene: Scene) -> None:
    """kill -9 of each role in turn; each is to be held again within ten seconds."""
    chance, cluster, names = random.Random(scene.seed), scene.cluster, list(scene.cluster.processes)
    order = [*LEASED[:2], "inbound", "api-1", "clock", "api-2"]
    assert sorted(order) == sorted(names)
    waiting: list[tuple[str, float, Callable[[], float | None]]] = []
    for number in range(scene.kills):
        name = order[number % len(order)]
        _await_all([one for one in waiting if one[0] == name], scene)
        waiting = [one for one in waiting if one[0] != name]
        killed_at, again_at = _kill(cluster, name)
        waiting.append((name, killed_at, again_at))
        until(lambda again_at=again_at: again_at() is not None, scene.between_s)
        time.sleep(chance.uniform(0.2, 1.5))
    _await_all(waiting, scene)


def _kill(cluster: Cluster, name: str) -> tuple[float, Callable[[], float | None]]:
    """When, and what says when its work was taken up again."""
    token = cluster.watch.token(name)
    at = cluster.kill(name)
    watch = cluster.watch
    if name in LEASED:
        return at, lambda: watch.held_anew_at(name, token)
    if name == "inbound":
        return at, lambda: watch.inbound_on_at(at + IN_FLIGHT_S)
    return at, lambda: watch.said_at(name, "ready", at)


def _await_all(waiting: list[tuple[str, float, Callable[[], float | None]]], scene: Scene) -> None:
    for name, killed_at, again_at in waiting:
        until(lambda again_at=again_at: again_at() is not None, PATIENCE_S)
        at = again_at()
        scene.note(f"{name} taken over", None if at is None else at - killed_at, TAKEN_OVER_WITHIN_S)
