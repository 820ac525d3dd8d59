"""`python -m tests.bench`: the hub beside an empty handler, a plain outbox service and a raw insert, in one
run on one machine; ratios against the bars, everything as JSON."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.bench import contenders, experiments, machine, report
from tests.bench.growth import growth


@dataclass(frozen=True)
class Size:
    """How long and how much."""

    rounds: int
    intake_s: float
    latency_s: float
    bulk_lines: int
    cases: int
    requests: int


FULL = Size(rounds=3, intake_s=6.0, latency_s=10.0, bulk_lines=20_000, cases=100_000, requests=2000)
QUICK = Size(rounds=3, intake_s=0.8, latency_s=1.2, bulk_lines=1500, cases=3000, requests=120)
PARTS = ("intake", "latency", "bulk", "growth")


def main() -> None:
    arguments = _arguments()
    size = QUICK if arguments.quick else FULL
    given = {name: getattr(arguments, name) for name in ("rounds", "cases") if getattr(arguments, name)}
    size = Size(**asdict(size) | given)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="simpul-bench-", dir=arguments.folder) as folder:
        results = measure(Path(folder), size, arguments.only or PARTS)
    results["machine"] = {"processors": os.cpu_count(), "python": platform.python_version()}
    results["size"], results["seconds"] = asdict(size), time.monotonic() - began
    found = report.bars(results)
    print("\nAgainst the bars")
    for bar in found:
        print(bar.line())
    print(f"\n{results['seconds']:.0f} s; all figures in {arguments.json}")
    results["bars"] = [asdict(bar) | {"met": bar.met} for bar in found]
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under 90 seconds, for a first look")
    parser.add_argument("--rounds", type=int, help="3 or more")
    parser.add_argument("--cases", type=int, help="of the large hub in the growth part, up to 1,000,000")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given several times")
    parser.add_argument("--folder", type=Path, help="where the databases lie; by default the temporary one")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    return parser.parse_args()


def measure(folder: Path, size: Size, parts: tuple[str, ...] | list[str]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    if "intake" in parts or "latency" in parts:
        results |= _side_by_side(folder, size, parts)
    if "bulk" in parts:
        results["bulk"] = _bulk(folder, size)
    if "growth" in parts:
        results["growth"] = _growth(folder, size)
    return results


def _side_by_side(folder: Path, size: Size, parts: tuple[str, ...] | list[str]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with ExitStack() as stack:
        nothing = stack.enter_context(contenders.empty())
        rival = stack.enter_context(contenders.outbox())
        hub, _ = stack.enter_context(contenders.hub(folder / "intake"))
        senders = [hub] if rival is None else [rival, hub]
        experiments.warm_up([nothing, *senders])
        if "intake" in parts:
            found = experiments.intake([nothing, *senders], size.rounds, size.intake_s)
            results["intake"] = found
            _show_intake(found)
        if "latency" in parts:
            results["latency"] = experiments.latency(senders, size.rounds, size.latency_s)
            columns = {"p50_ms": "webhook p50 ms", "p99_ms": "p99 ms", "answered_p50_ms": "answer p50 ms"}
            columns |= {"answered_p99_ms": "p99 ms", "cpu_us": "processor us", "late_ms": "driver late ms"}
            report.table("Request sent to webhook received, 500 a second", results["latency"], columns)
        results["resident_mib"] = {c.name: machine.resident_mib(c.pids[0]) for c in (nothing, *senders)}
    return results


def _show_intake(found: dict[str, Any]) -> None:
    columns = {"rate": "accepted/s", "cpu_us": "server processor us", "p99_ms": "answer p99 ms"}
    columns |= {"backlog": "webhook backlog", "delivered_rate": "accepted+delivered/s"}
    columns |= {"cpu_us_with_delivery": "processor us, delivery too", "driver_cpu_share": "driver processors"}
    report.table("Intake, one request each, a webhook subscribed (access logs off)", found, columns)
    print(report.headroom(found))


def _bulk(folder: Path, size: Size) -> dict[str, Any]:
    with contenders.hub(folder / "bulk", webhook=False) as (hub, process):
        found = experiments.bulk(hub, process, size.rounds, size.bulk_lines, folder)
    columns = {"rate": "complaints/s", "cpu_us": "processor us", "peak_mib": "peak MiB"}
    report.table(f"Bulk NDJSON, {size.bulk_lines:,} lines, beside the same rows raw", found, columns)
    return found


def _growth(folder: Path, size: Size) -> dict[str, Any]:
    found = growth(folder, size.cases, size.rounds, size.requests)
    columns = {"cpu_us": "processor us a request", "p50_ms": "median ms"}
    for operation, costs in found["costs"].items():
        report.table(f"Growth: {operation}, cases:", costs, columns)
    print(f"\nMemory (MiB) and start: {found['memory']}, {found['start_s']}")
    return found


if __name__ == "__main__":
    main()
