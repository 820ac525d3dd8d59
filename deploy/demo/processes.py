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

    @property
    def how(self) -> str:
        if self.returncode < 0:
            return f"was ended by {signal.Signals(-self.returncode).name}"
        return f"exited with {self.returncode}"

    def explain(self, lines: int = 15) -> str:
        with self.log.open(encoding="utf-8", errors="replace") as handle:
            last = deque(handle, lines)
        said = "\n".join(f"  {line.rstrip()}" for line in last)
        return f"{self.name} {self.how}. The end of {self.log}:\n{said}"


@dataclass(frozen=True)
class Order:
    """How a child is started and told to end; `user` is another one to run it as, where we are root."""

    command: Sequence[str]
    environment: Mapping[str, str]
    user: str | None = None
    end: signal.Signals = signal.SIGTERM


@dataclass
class Processes:
    """The children of one run, in the order of their start; ended in the opposite order."""

    logs: Path
    _orders: dict[str, Order] = field(default_factory=dict)
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.begin(name, Order(command, environment))

    def begin(self, name: str, order: Order) -> None:
        """Its output goes to logs/NAME.log. Call from the main thread only: on Linux the child's life hangs
        on the thread that started it."""
        self._orders[name] = order
        log = self.log(name)
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            output.write(f"--- started {time.strftime('%Y-%m-%d %H:%M:%S')} ---\n".encode())
            self._children[name] = subprocess.Popen(
                order.command,
                cwd=ROOT,
                env=dict(order.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=order.user,
                preexec_fn=_die_with_parent(os.getpid()),
            )

    def again(self, name: str) -> None:
        """Starts one that ended, as it was started before, when nothing of it is left."""
        _signal(self._children[name], signal.SIGKILL)
        self.begin(name, self._orders[name])

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def pid(self, name: str) -> int:
        return self._children[name].pid

    @property
    def names(self) -> list[str]:
        return list(self._children)

    def dead(self) -> Died | None:
        """The first child that ended, if one did."""
        return next(iter(self.fallen()), None)

    def fallen(self) -> list[Died]:
        """All that ended."""
        ended = [(name, child.poll()) for name, child in self._children.items()]
        return [Died(name, code, self.log(name)) for name, code in ended if code is not None]

    async def stop(self, hurry: Callable[[], bool]) -> list[str]:
        """SIGTERM to all, SIGKILL after ten seconds or when `hurry` says so; the names of the killed."""
        return await self.stop_these(self.names, hurry, GRACE_S)

    async def stop_these(self, names: Sequence[str], hurry: Callable[[], bool], grace_s: float) -> list[str]:
        """Those of `names` that were started, last first."""
        children = {name: self._children[name] for name in names if name in self._children}
        for name, child in reversed(children.items()):
            _signal(child, self._orders[name].end)
        deadline = time.monotonic() + grace_s
        while _alive(children) and time.monotonic() < deadline and not hurry():  # noqa: ASYNC110 (no event to wait for)
            await asyncio.sleep(0.05)
        killed = _alive(children)
        for child in children.values():
            _signal(child, signal.SIGKILL)
            child.wait()
        return killed


def _alive(children: Mapping[str, subprocess.Popen[bytes]]) -> list[str]:
    return [name for name, child in children.items() if child.poll() is None]


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
