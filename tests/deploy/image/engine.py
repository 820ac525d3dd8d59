"""A Docker engine: the one that answers, else one of our own while the test runs (Linux, as root)."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_S = 30.0
STOP_S = 60.0
STEP_S = 0.1
HELP = (
    "No Docker answers here. Start one; or install docker.io and debootstrap (`deploy/parts.sh image` as "
    "root on Debian), and `make image-test` as root starts an engine of its own."
)


class ImageTestFailed(Exception):
    """What went wrong, for whoever ran `make image-test`."""


@dataclass(frozen=True)
class Engine:
    """`docker …` against one engine; `own` when it was started here."""

    program: str
    environment: Mapping[str, str]
    own: bool

    def run(self, *arguments: str | Path, stdin: int | None = None) -> str:
        """Its standard output; ImageTestFailed with what it said when it fails."""
        done = self.attempt(*arguments, stdin=stdin)
        if done.returncode:
            said = (done.stderr + done.stdout).strip()[-4000:]
            raise ImageTestFailed(f"docker {' '.join(map(str, arguments[:3]))} …: {said}")
        return done.stdout.strip()

    def attempt(self, *arguments: str | Path, stdin: int | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *map(str, arguments)],
            env=dict(self.environment),
            stdin=stdin if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def answers(self) -> bool:
        return self.attempt("info").returncode == 0


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """An engine that answers; one that was started here is ended and its files are removed."""
    program = _client()
    if program is None:
        raise ImageTestFailed(HELP)
    found = Engine(program, os.environ | {"DOCKER_BUILDKIT": "1"}, own=False)
    if found.answers():
        yield found
        return
    daemon = shutil.which("dockerd")
    if daemon is None or os.geteuid() != 0:
        raise ImageTestFailed(HELP)
    with (
        tempfile.TemporaryDirectory(prefix="simpul-image-", ignore_cleanup_errors=True) as folder,
        _private(program, daemon, Path(folder)) as own,
    ):
        yield own


def _client() -> str | None:
    """A client that can build with secrets: with buildx, or the older one with BuildKit inside."""
    first = shutil.which("docker")
    if first and subprocess.run([first, "buildx", "version"], capture_output=True, check=False).returncode:
        older = Path("/usr/bin/docker")
        return str(older) if older.exists() else first
    return first


@contextlib.contextmanager
def _private(program: str, daemon: str, folder: Path) -> Iterator[Engine]:
    """dockerd on a socket of its own, without bridges or firewall rules: containers use the host's."""
    socket = f"unix://{folder}/docker.sock"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [daemon, "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
             "--ip-masq=false", f"--data-root={folder}/data", f"--exec-root={folder}/exec",
             f"--pidfile={folder}/pid", f"--host={socket}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    own = Engine(program, os.environ | {"DOCKER_BUILDKIT": "1", "DOCKER_HOST": socket}, own=True)
    try:
        _wait(own, process, folder / "log")
        yield own
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for mount in sorted(_mounts_under(folder), reverse=True):
            subprocess.run(["umount", mount], check=False, capture_output=True)


def _wait(own: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while not own.answers():
        if process.poll() is not None or time.monotonic() > end:
            last = "\n".join(log.read_text("utf-8", "replace").splitlines()[-5:])
            raise ImageTestFailed(f"dockerd did not start:\n{last}")
        time.sleep(STEP_S)


def _mounts_under(folder: Path) -> Sequence[str]:
    mounts = (line.split()[1] for line in Path("/proc/mounts").read_text("utf-8").splitlines())
    return [mount for mount in mounts if mount.startswith(f"{folder}/")]
