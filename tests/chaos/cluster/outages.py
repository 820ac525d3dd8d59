"""The broker or the database is away for a while, and comes back."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

from tests.chaos.cluster.hub import LEASED
from tests.chaos.cluster.scene import (
    PATIENCE_S,
    TAKEN_OVER_WITHIN_S,
    Fault,
    Scene,
    held_since,
    hold,
    inbound_again,
    until,
)

USERS: Final = ("api-1", "api-2", "relay", "inbound")
"""Processes that use the broker."""
DEGRADED_WITHIN_S: Final = 30.0
INTAKE_AGAIN_WITHIN_S: Final = 15.0
UNAVAILABLE_WITHIN_S: Final = 4.0
FULL_BYTES: Final = 4096


def only_broker_away(scene: Scene) -> None:
    """The hub goes on, degraded, and is ready again by itself."""
    node, began = scene.cluster.brokers.nodes[0], time.monotonic()
    node.kill()
    without_broker(scene, began)
    node.start()
    inbound_again(scene, time.monotonic())


def broker_disk_full(scene: Scene) -> None:
    """Not a block is left under the only broker, which gives up. Then there is room again, and whoever looks
    after it starts it."""
    node, disk, began = scene.cluster.brokers.nodes[0], scene.cluster.brokers.disk, time.monotonic()
    assert disk is not None, "the broker has the machine's disk"
    disk.fill()
    without_broker(scene, began)
    if node.process is not None and node.process.poll() is None:
        scene.flaws.append("the broker never noticed that its disk is full: the fault proves nothing")
    disk.make_room()
    node.kill()
    node.start()
    inbound_again(scene, time.monotonic())


def broker_cut(way: str) -> Fault:
    """Between the hub and the broker bytes go one way only ("to" or "from" is lost); agencies reach it."""

    def fault(scene: Scene) -> None:
        began = time.monotonic()
        scene.cluster.brokers.cut(way)
        without_broker(scene, began)
        scene.cluster.brokers.heal()
        inbound_again(scene, time.monotonic())

    return fault


def without_broker(scene: Scene, began: float) -> None:
    """`hold_s` in which intake goes on, and whoever uses the broker says degraded, never unavailable."""
    watch = scene.cluster.watch
    hold(scene, began)
    for name in USERS:
        at = watch.said_at(name, "degraded", began)
        if at is not None or scene.hold_s >= DEGRADED_WITHIN_S:
            scene.note(f"{name} says degraded", None if at is None else at - began, DEGRADED_WITHIN_S)
        if wrong := watch.statuses(name, began) & {"unavailable"}:
            scene.flaws.append(f"broker away: {name} said {sorted(wrong)}")


def one_of_three_brokers(scene: Scene) -> None:
    """Each broker in turn would be three times as long; the seed chooses which."""
    node, began = random.Random(scene.seed).choice(list(scene.cluster.brokers.nodes)), time.monotonic()
    node.kill()
    inbound_again(scene, began)
    hold(scene, began)
    node.start()
    scene.all_ready(time.monotonic())


def postgres_stopped(scene: Scene) -> None:
    _database_away(scene, scene.cluster.database.stop)


def postgres_killed(scene: Scene) -> None:
    _database_away(scene, scene.cluster.database.kill)


def _database_away(scene: Scene, end: Callable[[], None]) -> None:
    watch, began = scene.cluster.watch, time.monotonic()
    tokens = {role: watch.token(role) for role in LEASED}
    end()
    time.sleep(max(0.0, began + scene.hold_s - time.monotonic()))
    if scene.hold_s > UNAVAILABLE_WITHIN_S:
        for name in ("api-1", "api-2"):
            _says_unavailable(scene, name, began)
    scene.cluster.database.start()
    back = time.monotonic()
    until(lambda: watch.log_on_at(back) is not None, PATIENCE_S)
    at = watch.log_on_at(back)
    scene.note("commits again", None if at is None else at - back, INTAKE_AGAIN_WITHIN_S)
    for role in LEASED:
        until(lambda role=role: held_since(scene, role, back) is not None, PATIENCE_S)
        at = held_since(scene, role, back)
        scene.note(f"{role} held again", None if at is None else at - back, TAKEN_OVER_WITHIN_S + 5)
    scene.measured.setdefault("leases changed", []).append(
        sum(watch.token(role) != token for role, token in tokens.items())
    )
    scene.all_ready(back)


def _says_unavailable(scene: Scene, name: str, began: float) -> None:
    """Late is not never: the database stays away until it was said, or patience ends."""
    watch = scene.cluster.watch
    until(lambda: "unavailable" in watch.statuses(name, began), PATIENCE_S)
    at = watch.said_at(name, "unavailable", began)
    scene.note(f"{name} says unavailable", None if at is None else at - began, UNAVAILABLE_WITHIN_S)


def database_disk_full(scene: Scene) -> None:
    """The kernel refuses every write of PostgreSQL beyond a few kilobytes of a file, as a full disk does; the
    server may give up. Then there is room again, and whoever looks after it starts it."""
    _database_away(scene, lambda: scene.cluster.database.fill_disk(FULL_BYTES))
