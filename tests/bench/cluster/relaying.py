"""The relay: how fast it publishes what lies in the log, beside kafka-python alone; and after an outage,
while complaints come in."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.bench import machine
from tests.bench.bodies import AGENCY
from tests.bench.cluster.hubs import LOG, MAILBOX, ClusterHub, cluster_hub
from tests.bench.cluster.services import Services
from tests.bench.cluster.stretch import stretch
from tests.bench.contenders import Contender
from tests.bench.experiments import send_batch
from tests.bench.growth import BATCH

Rounds = list[dict[str, Any]]
RELAY: Final = "relay"
ALONE: Final = {"kafka-python": False, "kafka-python tx": True}
"""Without and with transactions, both idempotent with acks=all and the hub's own producer settings."""
INTAKE_RATE: Final = 300
SETTLED_S: Final = 1.0


def relay(
    folder: Path, services: Services, rounds: int, events: int, log_alone: bool
) -> dict[str, dict[str, Rounds]]:
    """By what is published: the log alone, and the log beside the mailbox of an agency on Kafka, which is
    rendered for it."""
    found = {}
    for name, on_kafka in {"log": False, "log and mailbox": True}.items():
        if not (on_kafka or log_alone):
            continue
        with cluster_hub(folder / f"relay-{on_kafka}", services, on_kafka=on_kafka) as hub:
            with hub.running("api") as api:
                load(hub.contender(api), events)
            found[name] = _beside_the_library(hub, rounds)
    return found


def load(contender: Contender, events: int) -> None:
    for number, first in enumerate(range(0, events, BATCH)):
        send_batch(contender, min(BATCH, events - first), f"re-{number:03d}")


def _beside_the_library(hub: ClusterHub, rounds: int) -> dict[str, Rounds]:
    """The library produces the records that the relay published last, into equal topics."""
    found: dict[str, Rounds] = {name: [] for name in (RELAY, *ALONE)}
    published = ""
    for number in range(rounds):
        for its_turn in (True, False) if number % 2 == 0 else (False, True):
            if its_turn:
                last, published = published, hub.new_topics()
                found[RELAY].append(_relayed(hub))
                hub.drop_topics(*filter(None, [last]))
            else:
                for name, seen in _alone(hub, published, number).items():
                    found[name].append(seen)
    hub.drop_topics(published)
    return found


def _relayed(hub: ClusterHub) -> dict[str, Any]:
    with watched(hub) as (goals, done), hub.running("relay", wait=False) as process:
        return stretch(done, sum(goals.values()), pids_of(hub, process.pid))


def pids_of(hub: ClusterHub, relay: int) -> dict[str, tuple[int, ...]]:
    return {"own": (relay,), "postgres": hub.postgres, "broker": (hub.node.pid,)}


@contextmanager
def watched(hub: ClusterHub) -> Iterator[tuple[dict[str, int], Callable[[], int]]]:
    """How far each lane is to come: what lies there now; and how many records of that are published."""
    goals = {
        LOG: hub.ask("SELECT max(position) FROM log"),
        MAILBOX: hub.ask(f"SELECT head FROM mailboxes WHERE agency = '{AGENCY}'"),
    }
    if not hub.on_kafka:
        del goals[MAILBOX]
    with psycopg.connect(hub.url, autocommit=True) as connection:

        def done() -> int:
            rows = connection.execute("SELECT name, position FROM relay_cursors")
            return sum(min(position, goals.get(name, 0)) for name, position in rows)

        yield goals, done


def _alone(hub: ClusterHub, source: str, number: int) -> dict[str, dict[str, Any]]:
    """Both ways of the library, one after the other, in turn the first."""
    names = ["events", *([f"agency.{AGENCY}"] if hub.on_kafka else [])]
    ways = []
    for name, transactions in ALONE.items() if number % 2 == 0 else reversed(ALONE.items()):
        target = hub.new_topics()
        topics = {f"{source}{topic}": f"{target}{topic}" for topic in names}
        way = {"name": name, "topics": topics, "transactional_id": f"{target}alone" if transactions else None}
        ways.append((target, way))
    job = {"bootstrap": hub.node.bootstrap, "broker": hub.node.pid, "ways": [way for _, way in ways]}
    found = machine.ask("tests.bench.cluster.producing", job)
    hub.drop_topics(*(target for target, _ in ways))
    return found


def catch_up(folder: Path, services: Services, rounds: int, events: int) -> dict[str, Rounds]:
    """So many events wait for the log's topic and for an agency's; then the relay comes back. `events_rate`
    are events a second that are on both, those that came meanwhile not counted."""
    with cluster_hub(folder / "catch-up", services) as hub, hub.running("api") as api:
        contender = hub.contender(api)
        load(contender, events)
        return {RELAY: [_after_outage(hub, contender, number) for number in range(rounds)]}


def _after_outage(hub: ClusterHub, contender: Contender, number: int) -> dict[str, Any]:
    prefix = hub.new_topics()
    job = contender.job(connections=16, seconds=900.0, rate=INTAKE_RATE, prefix=f"cu-{number:03d}")
    with machine.beside("tests.bench.driver", job) as driver:
        time.sleep(SETTLED_S)
        with watched(hub) as (goals, done), hub.running("relay", wait=False) as process:
            pids = pids_of(hub, process.pid) | {"api": (contender.pids[0],)}
            seen = stretch(done, sum(goals.values()), pids)
            driver.send_signal(signal.SIGTERM)
            intake = machine.result_of(driver)
    hub.drop_topics(prefix)
    if set(intake["statuses"]) != {"201"}:
        raise RuntimeError(f"intake was answered otherwise than with 201: {intake['statuses']}")
    return seen | {
        "waiting": goals[LOG],
        "events_rate": seen["rate"] * goals[LOG] / sum(goals.values()),
        "intake_rate": intake["rate"],
        "answered_p50_ms": intake["p50_ms"],
        "answered_p99_ms": intake["p99_ms"],
        "driver_cpu_share": intake["driver_cpu_share"],
        "late_ms": intake["late_ms"],
    }
