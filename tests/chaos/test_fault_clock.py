"""The clock that jumps: wall time moves for a running process, time for intervals and sleeping do not."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.parts.fault_clock import FaultClock
from tests.parts.local_server import PartMissing, skip_or_fail

TELLS = """
import datetime, sys, time
for _ in sys.stdin:
    began = time.monotonic()
    time.sleep(0.01)
    now = datetime.datetime.now(datetime.UTC).timestamp()
    print(time.time(), now, time.monotonic(), time.monotonic() - began, flush=True)
"""
HOUR_S = 3600.0


def test_a_running_process_sees_the_jump_and_its_way_back() -> None:
    try:
        clock = FaultClock()
    except PartMissing as missing:
        skip_or_fail(missing)
    with (
        clock.inherited(),
        subprocess.Popen(
            [sys.executable, "-c", TELLS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child,
    ):
        assert child.stdin is not None and child.stdout is not None
        for shift_s in (0.0, HOUR_S, -HOUR_S, 0.0):
            clock.shift(shift_s)
            child.stdin.write("now\n")
            child.stdin.flush()
            wall, utc, monotonic, slept = map(float, child.stdout.readline().split())
            assert wall - time.time() == pytest.approx(shift_s, abs=5.0)
            assert utc - wall == pytest.approx(0.0, abs=5.0)
            assert monotonic == pytest.approx(time.monotonic(), abs=5.0)
            assert 0.01 <= slept < 5.0
        child.stdin.close()
