"""What many cases cost: the same requests to a small and a large hub, side by side; memory and start time."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench import contenders, machine
from tests.bench.contenders import Contender
from tests.bench.experiments import alternating, send_batch
from tests.parts.hub import HubProcess

SMALL: Final = 1000
BATCH: Final = 100_000
STARTS: Final = 3
PAGE: Final = 50


def growth(folder: Path, cases: int, rounds: int, requests: int) -> dict[str, Any]:
    """Costs by operation for SMALL and for `cases` cases, with what the large one took in memory and to
    start. Costs are processor microseconds of the hub a request, and the median answer time."""
    with (
        contenders.hub(folder / "small", webhook=False, name=f"{SMALL:,}") as (small, _),
        contenders.hub(folder / "large", webhook=False, name=f"{cases:,}") as (large, process),
    ):
        send_batch(small, SMALL, "gr-sma")
        found: dict[str, Any] = {"cases": cases, "memory": _load(large, cases)}
        jobs = {
            contender.name: _jobs(contender, count) for contender, count in ((small, SMALL), (large, cases))
        }
        found["costs"] = _costs((small, large), jobs, rounds, requests)
        found["memory"]["after_requests_mib"] = machine.resident_mib(process.pid)
        found["start_s"] = [_start(process) for _ in range(STARTS)]
    return found


def _load(contender: Contender, cases: int) -> dict[str, Any]:
    """`cases` complaints in batches of at most BATCH lines; what the process held before, after, at most."""
    pid, before = contender.pids[0], machine.resident_mib(contender.pids[0])
    rates, at_100k = [], None
    for number, first in enumerate(range(0, cases, BATCH)):
        rates.append(send_batch(contender, min(BATCH, cases - first), f"gr-{number:03d}")["rate"])
        at_100k = at_100k or machine.resident_mib(pid)
    return {
        "before_mib": before,
        "after_first_batch_mib": at_100k,
        "first_batch_lines": min(BATCH, cases),
        "after_mib": machine.resident_mib(pid),
        "peak_mib": machine.peak_resident_mib(pid),
        "batch_rates": rates,
    }


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


def _costs(
    pair: Sequence[Contender], jobs: dict[str, dict[str, list[str]]], rounds: int, requests: int
) -> dict[str, dict[str, list[dict[str, Any]]]]:
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
