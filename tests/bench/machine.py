"""What the operating system says of processes: processor time, memory; and running our own modules."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil

from tests.parts.hub import ROOT

MIB = 1024 * 1024


def cpu_s(root: int) -> float:
    """User and system seconds of a process, those below it, and those of it that ended."""
    process = psutil.Process(root)
    ended = process.cpu_times()
    total = _clock_s(root) + float(ended.children_user + ended.children_system)
    for child in process.children(recursive=True):
        with contextlib.suppress(OSError):  # it ended just now, and is among the ended ones
            total += _clock_s(child.pid)
    return total


def _clock_s(pid: int) -> float:
    """A process's own clock (clock_getcpuclockid): /proc counts in hundredths of a second only."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss / MIB)


def peak_resident_mib(pid: int) -> float:
    """The high-water mark since the process began (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resident_mib(pid)


def forget_peak(pid: int) -> None:
    """From here on the high-water mark counts anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def ask(module: str, job: dict[str, Any], *, timeout_s: float = 900.0) -> dict[str, Any]:
    """Runs a module of ours with a job on its standard input; its result from its standard output."""
    return _result([module], orjson.dumps(job), timeout_s)


def call(module: str, *arguments: str, timeout_s: float = 900.0) -> dict[str, Any]:
    """The same with arguments."""
    return _result([module, *arguments], b"", timeout_s)


def _result(command: list[str], given: bytes, timeout_s: float) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        input=given,
        cwd=ROOT,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"{command[0]} failed: {ended.stderr.decode(errors='replace')[-2000:]}")
    result: dict[str, Any] = orjson.loads(ended.stdout)
    return result


def spawn(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT)


@contextlib.contextmanager
def beside(module: str, job: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """A module of ours with a job, running meanwhile; its result by `result_of`. Ended at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(orjson.dumps(job) + b"\n")
        process.stdin.flush()
        yield process
    finally:
        end(process)


def result_of(process: subprocess.Popen[bytes], given: bytes = b"") -> dict[str, Any]:
    """What it prints once it has read `given` and the end of its input."""
    said, _ = process.communicate(given, timeout=120.0)
    if process.returncode:
        raise RuntimeError(f"{process.args!r} failed with {process.returncode}")
    result: dict[str, Any] = orjson.loads(said)
    return result


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that we started."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
