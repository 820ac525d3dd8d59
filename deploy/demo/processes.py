"""Child processes: started in sessions of their own, watched, ended together. Where the kernel offers it
(Linux), a child dies with this process even when that is killed outright."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.layout import ROOT

GRACE_S = 10.0
LOG_LIMIT_BYTES = 20 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Died:
    """A child that ended by itself."""

    name: str
    returncode: int
    log: Path

    def explain(self, lines: int = 15) -> str:
        with self.log.open(encoding="utf-8", errors="replace") as handle:
            last = deque(handle, lines)
        how = f"exited with {self.returncode}"
        if self.returncode < 0:
            how = f"was ended by {signal.Signals(-self.returncode).name}"
        said = "\n".join(f"  {line.rstrip()}" for line in last)
        return f"{self.name} {how}. The end of {self.log}:\n{said}"


@dataclass
class Processes:
    """The children of one run, in the order of their start; ended in the opposite order."""

    logs: Path
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Its output goes to logs/NAME.log. Call from the main thread only: on Linux the child's life hangs
        on the thread that started it."""
        log = self.log(name)
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            output.write(f"--- started {time.strftime('%Y-%m-%d %H:%M:%S')} ---\n".encode())
            self._children[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(os.getpid()),
            )

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def dead(self) -> Died | None:
        """The first child that ended, if one did."""
        for name, child in self._children.items():
            if child.poll() is not None:
                return Died(name, child.returncode, self.log(name))
        return None

    async def stop(self, hurry: Callable[[], bool]) -> list[str]:
        """SIGTERM to all, SIGKILL after ten seconds or when `hurry` says so; the names of the killed."""
        for child in reversed(self._children.values()):
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while self._alive() and time.monotonic() < deadline and not hurry():  # noqa: ASYNC110 (no event to wait for)
            await asyncio.sleep(0.05)
        killed = self._alive()
        for child in self._children.values():
            _signal(child, signal.SIGKILL)
            child.wait()
        return killed

    def _alive(self) -> list[str]:
        return [name for name, child in self._children.items() if child.poll() is None]


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the whole session of the child, so that nothing that it started stays behind either."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return  # all of it has ended


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    if _LIBC is None:
        return None

    def ask() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask
