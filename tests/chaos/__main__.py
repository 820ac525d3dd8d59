"""`python -m tests.chaos`: kill -9 of the hub under load, again and again; exit 1 if anything was lost,
doubled or disordered."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import orjson

from tests.chaos.cluster import command
from tests.chaos.run import Plan, Report, chaos

SHOWN = 20
KILLS = 100


def main() -> None:
    arguments = _arguments()
    if arguments.backend == "cluster":
        sys.exit(0 if command.run(arguments) else 1)
    low, high = (float(part) for part in arguments.seconds_between.split(","))
    plan = Plan(
        kills=arguments.kills or KILLS,
        seed=arguments.seed,
        between_s=(low, high),
        most=arguments.most,
        get=arguments.get,
    )
    print(f"chaos: {plan.kills} kills, seed {plan.seed}, {low}-{high} s between them")
    with tempfile.TemporaryDirectory(prefix="simpul-chaos-") as folder:
        report = chaos(Path(folder), plan)
    show(report)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_bytes(orjson.dumps(asdict(plan) | asdict(report), option=orjson.OPT_INDENT_2))
    sys.exit(1 if report.flaws else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--backend", choices=("embedded", "cluster"), default="embedded")
    parser.add_argument("--kills", type=int, help=f"{KILLS}; 50 on a cluster")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds-between", default="0.2,1.5", metavar="A,B")
    parser.add_argument("--most", type=int, default=40_000, help="complaints a client at the most")
    parser.add_argument("--get", type=int, default=3000, help="cases that are read one by one at the end")
    parser.add_argument("--json", type=Path, help="build/chaos.json, or chaos-cluster.json")
    command.add_options(parser)
    arguments = parser.parse_args()
    cluster = arguments.backend == "cluster"
    arguments.json = arguments.json or Path(f"build/chaos{'-cluster' if cluster else ''}.json")
    return arguments


def show(report: Report) -> None:
    """A table for people."""
    rows = {"kills": report.kills, "of them while it started": report.kills_during_start} | report.counts
    for name, value in rows.items():
        print(f"  {name:<36}{value:>10,}")
    if report.start_s:
        print(f"  {'start to ready, median / longest':<36}{_starts(report):>10}")
    print(f"  {'seconds':<36}{report.seconds:>10.0f}")
    for flaw in report.flaws[:SHOWN]:
        print(f"  FLAW {flaw}")
    if len(report.flaws) > SHOWN:
        print(f"  … and {len(report.flaws) - SHOWN} more (in the JSON)")
    print(
        "LOST, DOUBLED OR DISORDERED: see above" if report.flaws else "nothing lost, nothing twice, in order"
    )


def _starts(report: Report) -> str:
    return f"{statistics.median(report.start_s):.2f} / {max(report.start_s):.2f} s"


if __name__ == "__main__":
    main()
