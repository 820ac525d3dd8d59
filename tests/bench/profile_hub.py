"""`python -m tests.bench.profile_hub`: where the hub's processor time goes, by thread and function. The
figures are inflated by the profiler: read them as shares, not as durations."""

from __future__ import annotations

import argparse
import os
import pstats
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench.bodies import AGENCY
from tests.bench.contenders import Contender, running, subscribe
from tests.bench.experiments import send_batch
from tests.chaos.calls import Api
from tests.parts.hub import ROOT, HubProcess

COMMAND = (sys.executable, "-m", "tests.bench.profiled")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.profile_hub", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--webhook", action="store_true", help="with a subscriber")
    parser.add_argument("--bulk", type=int, metavar="LINES", help="one batch instead of single requests")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rows", type=int, default=30, help="functions a thread")
    parser.add_argument("--sort", default="tottime", choices=("tottime", "cumtime"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="simpul-profile-") as folder:
        count = _drive(Path(folder), arguments)
        _show(Path(folder) / "profile", count, arguments.rows, arguments.sort)


def _drive(folder: Path, arguments: argparse.Namespace) -> int:
    """Complaints that were accepted while the profiler watched."""
    hub = HubProcess(folder, env={"SIMPUL_BENCH_PROFILE": str(folder / "profile")}, command=COMMAND)
    hub.env |= {"PYTHONPATH": str(ROOT)}
    member = hub.member(AGENCY, "Pemkab Kotim", "--kind", "regency", "--region", "62.02")
    with ExitStack() as stack:
        hub.start()
        stack.callback(hub.stop)
        contender = Contender("hub", hub.port, [hub.pid], None, Api(hub.port, member))
        if arguments.webhook:
            contender.sink, _ = stack.enter_context(running("tests.bench.sink"))
            subscribe(contender)
        contender.job()  # a token, before anyone watches
        os.kill(hub.pid, signal.SIGUSR1)
        if arguments.bulk:
            seen = send_batch(contender, arguments.bulk, "prof-0")
        else:
            seen = contender.drive(
                connections=arguments.connections, seconds=arguments.seconds, prefix="prof-0"
            )
        if arguments.webhook:
            contender.drained(seen["good"])
    print(
        f"{seen['good']} complaints, {seen['rate']:.0f}/s, {seen['cpu_us']:.0f} us each (with the profiler)"
    )
    return int(seen["good"])


def _show(folder: Path, count: int, rows: int, sort: str) -> None:
    for path in sorted(folder.glob("*.pstats")):
        stats = pstats.Stats(str(path))
        total = stats.total_tt * 1e6 / count  # type: ignore[attr-defined]  # typeshed lacks it
        if total < 1.0:
            continue
        print(f"\n=== {path.stem}: {total:.0f} us a complaint")
        stats.strip_dirs().sort_stats(sort).print_stats(rows)


if __name__ == "__main__":
    main()
