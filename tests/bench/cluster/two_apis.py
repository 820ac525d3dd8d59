"""Two API processes beside one, over one PostgreSQL, at the same total load: what a request costs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tests.bench import machine
from tests.bench.bodies import AGENCY
from tests.bench.cluster.services import Services
from tests.bench.databases import Server
from tests.chaos.calls import Api
from tests.parts.caller import Member
from tests.parts.hub import HubProcess
from tests.parts.kafka import ISSUER

Rounds = list[dict[str, Any]]
RATE: Final = 500
CONNECTIONS: Final = 64
WARM_UP_S: Final = 1.0
APIS: Final = {"one process": 1, "two processes": 2}


def two_apis(folder: Path, services: Services, rounds: int, seconds: float) -> dict[str, Rounds]:
    """RATE requests a second in all, each process with its share of the connections."""
    server = services.postgres
    folder = folder / "two-api"
    folder.mkdir()
    env = {"SIMPUL_DATABASE_URL": server.make(), "SIMPUL_PUBLIC_URL": ISSUER}
    apis = [HubProcess(folder, dict(env), roles="api") for _ in range(2)]
    apis[0].cli("migrate")
    member = apis[0].member(AGENCY, "Pemkab Kotim", "--kind", "regency", "--region", "62.02")
    found: dict[str, Rounds] = {name: [] for name in APIS}
    with ExitStack() as stack:
        stack.callback(apis[0].stop)
        apis[0].start()
        for number in range(rounds):
            for name in APIS if number % 2 == 0 else reversed(APIS):
                seen = _round(apis[: APIS[name]], server, member, number, seconds)
                found[name].append(seen)
    return found


def _round(
    apis: Sequence[HubProcess], server: Server, member: Member, number: int, seconds: float
) -> dict[str, Any]:
    """The second process is started for its rounds only: an idle one would cost, too. All are warmed up."""
    warm, prefix = f"w{len(apis)}-{number:03d}", f"t{len(apis)}-{number:03d}"
    with ExitStack() as stack:
        for api in apis[1:]:
            stack.callback(api.stop)
            api.start()
        token = Api(apis[0].port, member).token()
        job = {
            "port": apis[0].port,
            "ports": [api.port for api in apis],
            "headers": {"Authorization": f"Bearer {token}"},
            "connections": CONNECTIONS,
            "rate": RATE,
        }
        machine.ask("tests.bench.driver", job | {"seconds": WARM_UP_S, "prefix": warm})
        hubs, database = tuple(api.pid for api in apis), server.pids
        before = _used(hubs), _used(database)
        seen = machine.ask("tests.bench.driver", job | {"seconds": seconds, "prefix": prefix})
        used = _used(hubs) - before[0], _used(database) - before[1]
    if set(seen["statuses"]) != {"201"}:
        raise RuntimeError(f"answered otherwise than with 201: {seen['statuses']}")
    api_us, database_us = (s / seen["good"] * 1e6 for s in used)
    return seen | {"cpu_us": api_us + database_us, "api_us": api_us, "database_us": database_us}


def _used(pids: Sequence[int]) -> float:
    return sum(machine.cpu_s(pid) for pid in pids)
