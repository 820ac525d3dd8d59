"""What the real parts share: a free port, an unprivileged user, waiting until something answers, the skip."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest


class PartMissing(Exception):
    """The part's binaries are not on this machine; the text says what to install."""


_LOWEST: Final = 12_000
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port of loopback on which nobody listens and that nobody else is given: below those that the kernel
    hands out by itself, from the share of this worker, and never the same twice in a process. Whoever got one
    may only be about to listen there."""
    for port in _ports():
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("this process was given every port that it may have")


def free_row(count: int) -> int:
    """The first of so many in a row."""
    row: list[int] = []
    while len(row) < count:
        port = free_port()
        row = [*row, port] if row and port == row[-1] + 1 else [port]
    return row[0]


@functools.cache
def _ports() -> Iterator[int]:
    """Those of this worker's share, from anywhere in it: what it starts, and another run, have the same."""
    floor = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 49_152
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    width = (floor - _LOWEST) // workers
    shift = random.randrange(width)
    return (_LOWEST + number * width + (shift + step) % width for step in range(width))


def skip_or_fail(missing: PartMissing) -> None:
    """In CI a missing part is a failure; elsewhere a skip that says what to install."""
    if os.environ.get("CI"):
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(str(missing))


def user_for(names: tuple[str, ...]) -> str | None:
    """The unprivileged user that a server runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    found = next((name for name in (*names, "nobody") if name in known), None)
    if found is None:
        raise PartMissing("no unprivileged user to run the server as; make one of: " + ", ".join(names))
    return found


@contextlib.contextmanager
def folder_of(user: str | None, name: str) -> Iterator[Path]:
    """A temporary folder that belongs to `user`, short enough for a socket's path."""
    path = Path(tempfile.mkdtemp(prefix=f"simpul-{name}-"))
    if user:
        shutil.chown(path, user)
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def run_as(user: str | None, command: list[str], folder: Path) -> None:
    """Runs to its end; its output is the error's text."""
    ended = subprocess.run(
        command, user=user, cwd=folder, capture_output=True, text=True, timeout=90, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{command[0]} failed: {ended.stdout[-500:]}{ended.stderr[-1500:]}")


@contextlib.contextmanager
def server(
    user: str | None, command: list[str], folder: Path, answers: Callable[[], object]
) -> Iterator[None]:
    """The running server; ready when `answers` raises nothing. Stopped at the end, killed if it must be."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, user=user, cwd=folder, stdout=log, stderr=log)
    try:
        _wait_until_ready(process, folder, answers)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path, answers: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            answers()
            return
        except Exception as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (folder / "server.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the server did not start: {error}\n{log}") from error
            time.sleep(0.05)
