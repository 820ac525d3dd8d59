"""The inbound consumer: complaints that lie on an agency's topic, then the role is started. A complaint is
answered when its effect, its place and its answer are committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from tests.bench import machine
from tests.bench.bodies import AGENCY
from tests.bench.cluster.hubs import ClusterHub, cluster_hub
from tests.bench.cluster.relaying import pids_of
from tests.bench.cluster.services import Services
from tests.bench.cluster.stretch import stretch

Rounds = list[dict[str, Any]]


def inbound(folder: Path, services: Services, rounds: int, complaints: int) -> dict[str, Rounds]:
    with cluster_hub(folder / "inbound", services) as hub:
        found = [_round(hub, number, complaints) for number in range(rounds)]
        answers = hub.ask("SELECT count(*) FROM inbound_replies")
        cases = hub.ask("SELECT count(*) FROM cases")
        if not answers == cases == rounds * complaints:
            raise RuntimeError(f"{rounds * complaints} complaints made {cases} cases and {answers} answers")
        hub.drop_topics(hub.prefix)
    return {"inbound": found}


def _round(hub: ClusterHub, number: int, complaints: int) -> dict[str, Any]:
    job = {"bootstrap": hub.node.bootstrap, "topic": f"{hub.prefix}inbound.{AGENCY}", "count": complaints}
    filled = machine.ask("tests.bench.cluster.filling", job | {"prefix": f"ib-{number:03d}"})
    with psycopg.connect(hub.url, autocommit=True) as connection:

        def done() -> int:
            row = connection.execute("SELECT coalesce(sum(next_offset), 0)::bigint FROM inbound_positions")
            return int(row.fetchone()[0])  # type: ignore[index]

        goal = done() + complaints
        with hub.running("inbound", wait=False) as process:
            seen = stretch(done, goal, pids_of(hub, process.pid))
    return seen | {"filled_rate": filled["rate"]}
