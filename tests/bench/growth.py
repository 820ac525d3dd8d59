"""What many cases cost: the same requests to a small and a large hub, side by side; memory and start time."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench import contenders, databases, machine
from tests.bench.contenders import Contender
from tests.bench.databases import Server
from tests.bench.experiments import alternating, send_batch
from tests.parts.hub import HubProcess

SMALL: Final = 1000
BATCH: Final = 100_000
SHORT_BATCH: Final = 10_000
STARTS: Final = 3
PAGE: Final = 50


def growth(
    folder: Path, cases: int, rounds: int, requests: int, server: Server | None = None
) -> dict[str, Any]:
    """Costs by operation for SMALL and for `cases` cases, with what the large one took in memory and to
    start. Costs are processor microseconds of the hub (with its PostgreSQL) a request, and the median answer
    time."""
    with (
        contenders.hub(folder / "small", webhook=False, name=f"{SMALL:,}", server=server) as (small, one),
        contenders.hub(folder / "large", webhook=False, name=f"{cases:,}", server=server) as (large, process),
    ):
        send_batch(small, SMALL, "gr-sma")
        found: dict[str, Any] = {"cases": cases, "memory": _load(large, cases)}
        for hub in (one, process) if server else ():
            databases.settle(hub.env["SIMPUL_DATABASE_URL"])
        jobs = {
            contender.name: _jobs(contender, count) for contender, count in ((small, SMALL), (large, cases))
        }
        found["costs"] = costs((small, large), jobs, rounds, requests)
        found["memory"]["after_requests_mib"] = machine.resident_mib(process.pid)
        found["start_s"] = [_start(process) for _ in range(STARTS)]
    return found


def _load(contender: Contender, cases: int) -> dict[str, Any]:
    """A first, short batch, then `cases` complaints in batches of at most BATCH lines; what the process held
    before, after, and at most in the short batch and in the long one after it."""
    pid, short = contender.pids[0], min(SHORT_BATCH, cases // 10)
    memory: dict[str, Any] = {"before_mib": machine.resident_mib(pid), "short_batch_lines": short}
    send_batch(contender, short, "gr-000")
    memory["short_batch_peak_mib"] = machine.peak_resident_mib(pid)
    machine.forget_peak(pid)
    rates = []
    for number, first in enumerate(range(0, cases, BATCH), 1):
        seen = send_batch(contender, min(BATCH, cases - first), f"gr-{number:03d}")
        rates.append(seen["rate"])
        if number == 1:
            memory["long_batch_lines"], memory["long_batch_peak_mib"] = seen["good"], seen["peak_mib"]
            memory["first_complaints"] = short + seen["good"]
            memory["after_first_batch_mib"] = machine.resident_mib(pid)
        print(f"  {first + seen['good']:>9,} of {cases:,} loaded, {seen['rate']:,.0f}/s", flush=True)
    after = {"after_mib": machine.resident_mib(pid), "peak_mib": machine.peak_resident_mib(pid)}
    return memory | after | {"batch_rates": rates}


def _jobs(contender: Contender, cases: int) -> dict[str, list[str]]:
    """The paths of each reading operation, drawn at random over all cases."""
    chance, api = random.Random(cases), contender.api
    assert api is not None
    afters = [chance.randrange(max(1, cases - PAGE)) for _ in range(200)]
    ids: list[str] = []
    for after in afters[:20]:
        page = api.call("GET", f"/v1/mailbox?after={after}&limit={PAGE}").document
        ids += [item["event"]["subject"] for item in page["items"]]
    chance.shuffle(ids)
    return {
        "intake": [],
        "mailbox page": [f"/v1/mailbox?after={after}&limit={PAGE}" for after in afters],
        "a case": [f"/v1/cases/{case}" for case in ids if len(case) == 36][:500],
        "a list": [f"/v1/cases?limit={PAGE}", f"/v1/cases?limit={PAGE}&status=submitted"],
    }


def costs(
    pair: Sequence[Contender], jobs: dict[str, dict[str, list[str]]], rounds: int, requests: int
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By operation and contender, of each round what one connection saw; `jobs`: contender -> operation ->
    paths, none for intake."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for operation in jobs[pair[0].name]:
        for number, contender in alternating(pair, rounds + 1):
            seen = contender.drive(
                paths=jobs[contender.name][operation],
                connections=1,
                count=requests if operation in ("intake", "a case") else requests // 4,
                seconds=60.0,
                prefix=f"gc-{number:03d}",
            )
            if number:  # the first round warms caches
                found.setdefault(operation, {}).setdefault(contender.name, []).append(seen)
    return found


def _start(process: HubProcess) -> float:
    """Seconds from starting the process to /readyz."""
    process.stop()
    began = time.monotonic()
    process.start()
    return time.monotonic() - began
