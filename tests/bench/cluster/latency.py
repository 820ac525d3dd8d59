"""From the due time of an HTTP request to its record on the agency's own topic, read as the agency would."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tests.bench import machine
from tests.bench.bodies import AGENCY
from tests.bench.cluster.hubs import ClusterHub, cluster_hub
from tests.bench.cluster.services import Services
from tests.bench.contenders import Contender
from tests.bench.experiments import (
    LATENCY_CONNECTIONS,
    LATENCY_RATE,
    WARM_UP_S,
    latencies,
    require_good,
)
from tests.parts.caller import Caller

Rounds = list[dict[str, Any]]
BACKSTAGE: Final = "delivery,clock,relay,inbound"


def topic_latency(folder: Path, services: Services, rounds: int, seconds: float) -> dict[str, Rounds]:
    """One process with the API, one with every other role."""
    with (
        cluster_hub(folder / "topic-latency", services) as hub,
        hub.running("api") as api,
        hub.running(BACKSTAGE) as backstage,
    ):
        contender = hub.contender(api)
        contender.pids += [backstage.pid, hub.node.pid]
        _round(hub, contender, "warm-t", WARM_UP_S)
        found = [_round(hub, contender, f"tl-{number:03d}", seconds) for number in range(rounds)]
        hub.drop_topics(hub.prefix)
    return {"agency's topic": found}


def _round(hub: ClusterHub, contender: Contender, prefix: str, seconds: float) -> dict[str, Any]:
    job = {
        "bootstrap": hub.node.agency_bootstrap,
        "topic": f"{hub.prefix}agency.{AGENCY}",
        "token": Caller(f"http://127.0.0.1:{contender.port}", hub.member).sign_in(),
        "prefix": prefix,
    }
    with machine.beside("tests.bench.cluster.topic_sink", job) as sink:
        assert sink.stdout is not None
        if sink.stdout.readline() != b"ready\n":
            raise RuntimeError("the agency's reader ended before it began")
        seen = contender.drive(
            connections=LATENCY_CONNECTIONS, seconds=seconds, rate=LATENCY_RATE, prefix=prefix
        )
        require_good(contender, seen)
        arrived = machine.result_of(sink, b"%d\n" % seen["good"])
    return latencies(seen, arrived) | {"reader_cpu_share": arrived["cpu_share"]}
