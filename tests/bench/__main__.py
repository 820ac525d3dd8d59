"""`python -m tests.bench`: the hub beside an empty handler, a plain outbox service, raw inserts and
kafka-python alone, in one run on one machine, on SQLite first, then on PostgreSQL and Kafka; ratios and
figures against the bars, everything as JSON."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Final

import orjson

from tests.bench import databases, report
from tests.bench.cluster.services import Services
from tests.bench.parts import GROUPS, Results, Run
from tests.bench.size import FULL, QUICK, Size
from tests.parts.hub import HubFailed
from tests.parts.local_server import PartMissing

PARTS: Final = tuple(part for parts in GROUPS for part in parts)


def main() -> None:
    arguments = _arguments()
    size = QUICK if arguments.quick else FULL
    given = {name: getattr(arguments, name) for name in ("rounds", "cases") if getattr(arguments, name)}
    if arguments.cases:
        given["deadlines"] = arguments.cases
    size = Size(**asdict(size) | given)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whatever was started is ended
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
    if results["failed"]:
        raise SystemExit(f"not measured to the end: {', '.join(results['failed'])}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under four minutes, for a first look")
    parser.add_argument("--rounds", type=int, help="3 or more")
    parser.add_argument("--cases", type=int, help="of the large hub in growth and clock, up to 1,000,000")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given several times")
    parser.add_argument(
        "--folder", type=Path, help="where SQLite's databases lie; by default the temporary one"
    )
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    return parser.parse_args()


def measure(folder: Path, size: Size, wanted: tuple[str, ...] | list[str]) -> Results:
    """A part whose server is not there is left out with a sentence (in CI it ends the run); one that breaks
    down is named in `failed` with its cause, and the others go on."""
    results: Results = {"failed": {}}
    with ExitStack() as stack:
        run = Run(folder, size, Services(stack), wanted)
        for parts, measured in GROUPS.items():
            if not set(parts) & set(wanted):
                continue
            began, names = time.monotonic(), ", ".join(set(parts) & set(wanted))
            try:
                found = measured(run)
            except PartMissing as missing:
                databases.say_missing(f"{names}: not measured", missing)
                continue
            except (RuntimeError, HubFailed) as error:
                results["failed"][names] = str(error)
                print(f"\n{names}: FAILED: {error}", flush=True)
                continue
            results |= found
            for bar in report.bars(found):
                print(bar.line())
            print(f"  ({names}: {time.monotonic() - began:.0f} s)", flush=True)
    return results


if __name__ == "__main__":
    main()
