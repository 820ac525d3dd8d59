"""`python -m tests.fuzz --seconds 60`: schemathesis and broken bytes against a running hub; exit 1, with the
command that shows it again, on a 5xx or an answer that the document does not know."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.by_bytes import fuzz_by_bytes
from tests.fuzz.by_schema import fuzz_by_schema, shorter
from tests.fuzz.target import Target, target
from tests.parts.hub import HubFailed

SCHEMA_SHARE = 0.6


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="simpul-fuzz-") as folder, target(Path(folder)) as found:
        failures = fuzz(found, arguments.seconds, arguments.examples, arguments.seed, arguments.keep)
    for failure in failures:
        print(f"\nFLAW {shorter(failure)}")
    print("no 5xx, nothing undocumented" if not failures else f"{len(failures)} flaws")
    sys.exit(1 if failures else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--examples", type=int, default=20, help="for an operation, mode and client a round")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="where a failing body is kept")
    return parser.parse_args()


def fuzz(found: Target, seconds: float, examples: int, seed: int, keep: Path) -> list[str]:
    """Both fuzzers within `seconds`; what was wrong. The tables must equal the log afterwards."""
    print(f"fuzz: seed {seed}, {seconds:.0f} s")
    by_schema = fuzz_by_schema(found, seconds * SCHEMA_SHARE, examples, seed)
    shown("by the document", by_schema.requests)
    print(f"  {len(by_schema.operations)} operations reached")
    by_bytes = fuzz_by_bytes(found, seconds * (1 - SCHEMA_SHARE), 1_000_000, seed, keep)
    shown("broken bytes", by_bytes.requests)
    failures = by_schema.failures + by_bytes.failures
    try:
        found.hub.run("rebuild", "--check")
    except HubFailed as failed:
        failures.append(str(failed))
    return failures


def shown(what: str, counts: Counter[int]) -> None:
    by_status = ", ".join(f"{status or 'cut off'}: {count:,}" for status, count in sorted(counts.items()))
    print(f"  {what}: {counts.total():,} requests ({by_status})")


if __name__ == "__main__":
    main()
