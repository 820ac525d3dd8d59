"""`make chaos ARGS="--backend cluster"`: every fault in turn, a table, and the same as JSON."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Final

import orjson

from tests.chaos.cluster.brokers import Brokers, Ground, brokers
from tests.chaos.cluster.database import database
from tests.chaos.cluster.faults import FAULTS, ground_of
from tests.chaos.cluster.rounds import Plan, Round, run_round
from tests.parts.fault_clock import FaultClock

SHOWN: Final = 20
SHORT: Final = ("kill-roles", "broker-away", "postgres-kill")
SHORT_PLAN: Final = Plan(
    complaints=15.0, records=4.0, forwardings=2.0, kills=4, hold_s=5.0, between_s=0.5, calm_s=0.5, get=100
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of the cluster alone; `--kills` and `--seed` are common."""
    plan = Plan()
    group = parser.add_argument_group("--backend cluster")
    group.add_argument("--fault", action="append", choices=FAULTS, help="only this one; may be repeated")
    group.add_argument("--complaints", type=float, default=plan.complaints, help="a second, by HTTP")
    group.add_argument("--records", type=float, default=plan.records, help="a second, by Kafka")
    group.add_argument("--forwardings", type=float, default=plan.forwardings, help="a second")
    group.add_argument("--full-load", action="store_true", help="300 complaints and 100 forwardings a second")
    group.add_argument("--hold-s", type=float, default=plan.hold_s, help="how long a part stays away")
    group.add_argument("--pause-s", type=float, default=plan.pause_s, help="how long a process is stopped")
    group.add_argument("--short", action="store_true", help="4 kills, 5 s without broker, PostgreSQL killed")


def run(arguments: argparse.Namespace) -> bool:
    """True when nothing was lost, doubled or disordered, and nothing was late."""
    plan = _plan(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whatever was started is ended
    groups = _possible([SHORT] if arguments.short else [[name] for name in arguments.fault or FAULTS])
    print(f"chaos on PostgreSQL and Kafka: {asdict(plan)}", flush=True)
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="simpul-chaos-") as folder:
        for result in all_rounds(Path(folder), groups, plan):
            rounds.append(result)
            show(result)
            _write(arguments.json, plan, rounds)
    print("FLAWS: see above" if any(r.flaws for r in rounds) else "nothing lost, nothing twice, in order")
    return not any(result.flaws for result in rounds)


def _possible(groups: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Those whose ground can be had here; what cannot be run is said, and is a failure in CI."""
    kept = []
    for names in groups:
        if why := ground_of(*names).missing():
            print(f"NOT RUN: {' + '.join(names)}: {why}", flush=True)
            if os.environ.get("CI"):
                sys.exit(1)
        else:
            kept.append(names)
    return kept


def all_rounds(folder: Path, groups: Sequence[Sequence[str]], plan: Plan) -> Iterator[Round]:
    """One PostgreSQL for all; brokers are started as a round needs them, and kept while they fit."""
    grounds = [ground_of(*names) for names in groups]
    hub_clock, its_clock = (FaultClock() if any(g.clocks for g in grounds) else None for _ in range(2))
    with database(its_clock) as server, contextlib.ExitStack() as stack:
        running, stand = Brokers([]), Ground(brokers=0)
        for number, (names, ground) in enumerate(zip(groups, grounds, strict=True), 1):
            if (needed := replace(ground, clocks=False)) != stand:
                stack.close()
                running, stand = stack.enter_context(brokers(needed)), needed
            clock = hub_clock if ground.clocks else None
            yield run_round(folder / str(number), server, running, names, plan, clock)


def show(result: Round) -> None:
    """A table for people."""
    print(f"\n{' + '.join(result.faults)} ({result.seconds:.0f} s)")
    for name, value in result.counts.items():
        print(f"  {name:<40}{value:>16,}")
    for name, rate in result.reached.items():
        print(f"  {name:<40}{rate:>16.1f}")
    for name, seconds in result.measured.items():
        print(f"  {f'{name} ({len(seconds)})':<40}{_summary(seconds):>16}")
    for flaw in result.flaws[:SHOWN]:
        print(f"  FLAW {flaw}")
    if len(result.flaws) > SHOWN:
        print(f"  … and {len(result.flaws) - SHOWN} more (in the JSON)")
    sys.stdout.flush()


def _summary(seconds: list[float]) -> str:
    """median / longest."""
    if max(seconds) < 1:
        return f"{statistics.median(seconds) * 1000:.0f} / {max(seconds) * 1000:.0f} ms"
    return f"{statistics.median(seconds):.1f} / {max(seconds):.1f} s"


def _plan(arguments: argparse.Namespace) -> Plan:
    if arguments.short:
        return SHORT_PLAN
    given = {field.name: getattr(arguments, field.name, None) for field in fields(Plan)}
    plan = {name: value for name, value in given.items() if value is not None and name not in ("most", "get")}
    if arguments.full_load:
        plan |= {"complaints": 300.0, "forwardings": 100.0}
    return Plan(**plan)


def _write(path: Path, plan: Plan, rounds: Sequence[Round]) -> None:
    document = {"plan": asdict(plan), "rounds": [asdict(result) for result in rounds]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
