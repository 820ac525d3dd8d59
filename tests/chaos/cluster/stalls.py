"""A part that neither works nor ends: a stopped process, a half-cut network, an endpoint that hangs."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import urlsplit

from tests.chaos.cluster import subscriber
from tests.chaos.cluster.hub import LEASED
from tests.chaos.cluster.proxy import proxy
from tests.chaos.cluster.scene import PATIENCE_S, TAKEN_OVER_WITHIN_S, Fault, Scene, hold, until

ZOMBIE_S: Final = 3.0
"""So long the woken process may do its worst."""
SETTLED_S: Final = 2.0
SICK: Final = "kemen-pu"
HEALTHY: Final = "pemkab-kotim"


def paused(name: str) -> Fault:
    """SIGSTOP beyond the lease while another takes over; then it wakes up and believes it is the holder."""

    def fault(scene: Scene) -> None:
        cluster, watch = scene.cluster, scene.cluster.watch
        second = cluster.understudy(name)
        try:
            token, began = watch.token(name), time.monotonic()
            cluster.pause(name)
            if name in LEASED:
                until(lambda: watch.held_anew_at(name, token) is not None, PATIENCE_S)
                at = watch.held_anew_at(name, token)
                scene.note(f"{name} taken over", None if at is None else at - began, TAKEN_OVER_WITHIN_S)
            time.sleep(max(0.0, began + scene.pause_s - time.monotonic()))
            scene.note("longest stall of commits", watch.longest_stall_s(began))
            cluster.go_on(name)
            time.sleep(ZOMBIE_S)
            cluster.processes[name].stop()
        finally:
            first, cluster.processes[name] = cluster.processes[name], second
            if first.process is not None:
                first.kill()
        scene.all_ready(time.monotonic())

    return fault


def bad_subscriber(mode: str) -> Fault:
    """hang, fail (500) or slow to one agency, for as long as an outage; then all is well again. How late the
    other's webhooks came is measured before and meanwhile."""

    def fault(scene: Scene) -> None:
        calm = time.time()
        time.sleep(scene.hold_s / 3)
        began, wall = time.monotonic(), time.time()
        subscriber.tell(scene.received, mode, SICK)
        hold(scene, began)
        subscriber.tell(scene.received, "ok")
        scene.note_latency("before", subscriber.latencies_s(scene.received, HEALTHY, calm, wall))
        scene.note_latency("meanwhile", subscriber.latencies_s(scene.received, HEALTHY, wall, time.time()))

    return fault


def database_cut(way: str) -> Fault:
    """Between one process with the API and the database bytes go one way only ("to" or "from" is lost)."""

    def fault(scene: Scene) -> None:
        cluster = scene.cluster
        hub, url = cluster.processes["api-1"], cluster.env["SIMPUL_DATABASE_URL"]
        port = urlsplit(url).port
        assert port is not None
        with proxy(port) as between:
            hub.stop()
            hub.env["SIMPUL_DATABASE_URL"] = url.replace(f":{port}/", f":{between.port}/")
            hub.start()
            time.sleep(SETTLED_S)
            began = time.monotonic()
            between.cut = way
            hold(scene, began)
            between.heal()
            scene.all_ready(time.monotonic())
            hub.stop()
            hub.env["SIMPUL_DATABASE_URL"] = url
            hub.start()

    return fault
