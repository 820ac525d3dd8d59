"""One round: a fresh hub over a fresh database and fresh topics, load, faults, and the reckoning."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from tests.chaos.calls import Api
from tests.chaos.cluster import subscriber
from tests.chaos.cluster.brokers import Brokers
from tests.chaos.cluster.database import Database
from tests.chaos.cluster.faults import FAULTS
from tests.chaos.cluster.hub import LEASED, Cluster, cluster
from tests.chaos.cluster.reckoning import Parties, Reckoning, said
from tests.chaos.cluster.scene import Scene
from tests.chaos.run import end_load, processes, subscribe
from tests.parts.fault_clock import FaultClock
from tests.parts.local_server import free_port

ROUNDS: Final = itertools.count(1)
CLIENT_TIMEOUT_S: Final = 8.0
WARM_UP_S: Final = 60.0
AT_ONE_DESK: Final = 30
"""Forwardings a second that one officer's process is trusted with."""


@dataclass(frozen=True)
class Plan:
    """Rates a second: `complaints` by HTTP (half of them in batches), `records` by Kafka, `forwardings`
    (each with its acceptance and answer). The times are those of `Scene`; `calm_s` before the first
    fault and after the last one."""

    complaints: float = 40.0
    records: float = 10.0
    forwardings: float = 5.0
    kills: int = 50
    hold_s: float = 60.0
    pause_s: float = 30.0
    between_s: float = 15.0
    calm_s: float = 3.0
    seed: int = 1
    get: int = 1000
    most: int = 1_000_000


@dataclass
class Round:
    """What came of it."""

    faults: list[str]
    seconds: float = 0.0
    phases_s: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    reached: dict[str, float] = field(default_factory=dict)
    measured: dict[str, list[float]] = field(default_factory=dict)
    logged: dict[str, int] = field(default_factory=dict)
    flaws: list[str] = field(default_factory=list)


def run_round(
    folder: Path,
    database: Database,
    brokers: Brokers,
    names: Sequence[str],
    plan: Plan,
    clock: FaultClock | None = None,
) -> Round:
    """The faults in turn, under one load; `folder` must not exist."""
    began, result = time.monotonic(), Round(list(names))
    prefix = f"kacau{os.getpid()}-{next(ROUNDS)}."
    received = folder / "received.txt"

    def phase(name: str) -> None:
        result.phases_s[name] = round(time.monotonic() - began - sum(result.phases_s.values()), 1)

    with (
        _broker_logs_kept(brokers, folder),
        cluster(folder, database, brokers, prefix, clock) as hub,
        processes() as spawn,
    ):
        parties = _parties(hub)
        _start(hub, parties, received, spawn)
        clients, loaded = _load(hub, parties, plan, spawn), time.monotonic()
        scene = Scene(
            hub, received, plan.kills, plan.hold_s, plan.pause_s, plan.between_s, plan.seed, result.flaws
        )
        try:
            _warm_up(hub, plan)
            phase("start")
            for name in names:
                FAULTS[name][1](scene)
                time.sleep(plan.calm_s)
                phase(name)
            scene.all_ready(time.monotonic())
        finally:
            hub.watch.stop()
        end_load(folder, clients, result.flaws)
        loaded_s = time.monotonic() - loaded
        reckoning = Reckoning(hub, parties, folder, received, plan.get, plan.seed, result.flaws)
        phase("end of the load")
        reckoning.run()
        phase("reckoning")
        result.counts, result.measured = dict(reckoning.counts), scene.measured
        result.reached = {
            f"{what} a second": round(reckoning.counts[what] / loaded_s, 1)
            for what in ("complaints acknowledged", "acts acknowledged")
        }
        result.logged = said(hub.desk.log)
    result.seconds = time.monotonic() - began
    return result


@contextlib.contextmanager
def _broker_logs_kept(brokers: Brokers, folder: Path) -> Iterator[None]:
    """Beside the hub's log: the brokers' folders go with them, and a broker may be what stood still."""
    try:
        yield
    finally:
        for node in brokers.nodes:
            if folder.exists() and node.log.exists():
                shutil.copy(node.log, folder / f"broker-{node.number}.log")


def _parties(hub: Cluster) -> Parties:
    made = Parties(
        hub.member("pemkab-kotim", "Pemkab Kotawaringin Timur", "--kind", "regency", "--region", "62.02"),
        hub.member("kemen-pu", "Kementerian Pekerjaan Umum", "--kind", "ministry", "--kafka"),
        hub.member("pemkab-kapuas", "Pemkab Kapuas", "--kind", "regency", "--region", "62.03", "--kafka"),
    )
    hub.desk.desk("topics", "apply")
    return made


def _start(hub: Cluster, parties: Parties, received: Path, spawn: Callable[..., Any]) -> None:
    port = free_port()
    subscriber.tell(received, "ok")
    spawn("tests.chaos.cluster.subscriber", str(port), str(received))
    hub.start()
    for member in (parties.source, parties.ministry):
        url = f"http://127.0.0.1:{port}/{member.agency}"
        parties.subscribed_at[member.agency] = subscribe(Api(hub.desk.port, member), url)
    hub.watch.start()


def _load(
    hub: Cluster, parties: Parties, plan: Plan, spawn: Callable[..., subprocess.Popen[bytes]]
) -> list[subprocess.Popen[bytes]]:
    desks = max(1, round(plan.forwardings / AT_ONE_DESK))
    first, *others = (process.port for process in hub.apis)
    document: dict[str, Any] = {
        "port": first,
        "more_ports": others,
        "source": asdict(parties.source),
        "ministry": asdict(parties.ministry),
        "topic_agency": asdict(parties.topic),
        "agency_bootstrap": hub.env["SIMPUL_KAFKA_AGENCY_BOOTSTRAP"].split(","),
        "prefix": hub.prefix,
        "pauses_s": {
            "singles": 4 / plan.complaints,
            "batches": 2 / plan.complaints,
            "topic": 1 / plan.records,
        },
        "share": min(1.0, plan.forwardings / plan.complaints),
        "colleagues": desks,
        "patience_s": 4 * plan.hold_s + 60.0,
        "timeout_s": CLIENT_TIMEOUT_S,
        "seed": plan.seed,
        "most": plan.most,
    }
    (hub.folder / "plan.json").write_bytes(orjson.dumps(document))
    roles = ["singles-1", "singles-2", "batches-1"]
    roles += [f"{who}-{number}" for who in ("officer", "ministry") for number in range(1, desks + 1)]
    started = [spawn("tests.chaos.clients", role, str(hub.folder)) for role in roles]
    return [*started, spawn("tests.chaos.cluster.topic_client", "topic-1", str(hub.folder))]


def _warm_up(hub: Cluster, plan: Plan) -> None:
    """Complaints flow both ways, and each role is held."""
    watch = hub.watch

    def flows() -> bool:
        last = watch.looks[-1] if watch.looks else None
        return last is not None and last.inbound > 0 and len(last.held.keys() & set(LEASED)) == 3

    if watch.until(flows, WARM_UP_S) is None:
        logs = [hub.desk.log, hub.folder / "topic-1.journal"]
        tails = "\n".join(log.read_text(errors="replace")[-2000:] for log in logs)
        raise RuntimeError(f"the load does not flow: {watch.looks[-1:]}\n{tails}")
    time.sleep(plan.calm_s)
