"""The wall clock of the hub, or of the database, is set an hour ahead, right, an hour behind and right again.

Leases are measured by the database's clock and each holder's monotonic one, so the hub's wall clock touches
none; its tokens and what it writes are dated by it: whoever holds a token from before a jump may have to ask
for a new one, and an agency on Kafka cannot sign in while the hub is behind the broker. Retries wait by the
monotonic clock. The database's clock touches leases only: one that ends an hour from now must not keep its
role from others for an hour when its holder is gone."""

from __future__ import annotations

import time
from typing import Final

from tests.chaos.cluster import subscriber
from tests.chaos.cluster.hub import LEASED, Cluster
from tests.chaos.cluster.scene import PATIENCE_S, TAKEN_OVER_WITHIN_S, Scene, held_since, until

HOUR_S: Final = 3600.0
JUMPS_S: Final = (HOUR_S, 0.0, -HOUR_S, 0.0)
AROUND_S: Final = 2.0
"""The endpoint fails so long before and after each jump, so that retries are dated on both sides of it."""
SEEN_S: Final = 0.3
"""A look at the leases from before the jump may still be under way so long."""


def hub_clock(scene: Scene) -> None:
    """All of the hub's processes, as on one machine; webhooks fail around each jump."""
    cluster, began = scene.cluster, time.monotonic()
    assert cluster.clock is not None, "the hub lives by the machine's clock"
    for shift_s in JUMPS_S:
        subscriber.tell(scene.received, "fail")
        time.sleep(AROUND_S)
        cluster.clock.shift(shift_s)
        time.sleep(AROUND_S)
        subscriber.tell(scene.received, "ok")
        time.sleep(scene.hold_s / len(JUMPS_S))
    _went_on(scene, began)


def database_clock(scene: Scene) -> None:
    """Another process of each role stands by. First the holders live on, and each role is held ten seconds
    after each jump; then, with each jump, every holder is killed, and the other takes over within ten
    seconds."""
    cluster, began = scene.cluster, time.monotonic()
    _stand_by(cluster)
    for shift_s in JUMPS_S:
        _jump(scene, shift_s)
    for role in LEASED:
        cluster.processes.pop(_next(role)).stop()
    for shift_s in JUMPS_S:
        _stand_by(cluster)
        _jump_and_kill(scene, shift_s)
        time.sleep(scene.hold_s / len(JUMPS_S))
    _went_on(scene, began)


def _stand_by(cluster: Cluster) -> None:
    for role in LEASED:
        cluster.processes[_next(role)] = cluster.understudy(role)


def _next(role: str) -> str:
    return f"{role}-next"


def _jump(scene: Scene, shift_s: float) -> None:
    """Whoever holds a role may lose it to the other, but somebody holds it soon."""
    watch, jumped = scene.cluster.watch, time.monotonic()
    scene.cluster.database.clock.shift(shift_s)
    time.sleep(TAKEN_OVER_WITHIN_S)
    for role in LEASED:
        at = held_since(scene, role, jumped + SEEN_S)
        waited = None if at is None or role not in watch.looks[-1].held else at - jumped
        scene.note(f"{role} held after the jump", waited, TAKEN_OVER_WITHIN_S)


def _jump_and_kill(scene: Scene, shift_s: float) -> None:
    cluster, watch, jumped = scene.cluster, scene.cluster.watch, time.monotonic()
    tokens = {role: watch.token(role) for role in LEASED}
    cluster.database.clock.shift(shift_s)
    for role in LEASED:
        cluster.processes[role].kill()
        cluster.processes[role] = cluster.processes.pop(_next(role))
    for role, token in tokens.items():
        until(lambda role=role, token=token: watch.held_anew_at(role, token) is not None, PATIENCE_S)
        at = watch.held_anew_at(role, token)
        scene.note(f"{role} taken over", None if at is None else at - jumped, TAKEN_OVER_WITHIN_S)


def _went_on(scene: Scene, began: float) -> None:
    scene.note("longest stall of commits", scene.cluster.watch.longest_stall_s(began), TAKEN_OVER_WITHIN_S)
    scene.all_ready(time.monotonic())
