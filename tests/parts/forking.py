"""How tests start `simpul` and `simpul-connector`: by the installed script, or quicker, forked from a server
that has imported it (tests/parts/fork_server.py). Either way it is a process of its own."""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

ROOT = Path(__file__).resolve().parents[2]
STARTED_WITHIN_S = 60.0
LOOK_EVERY_S = 0.02
SHARED_IN = "TESTS_FORK_SERVERS"
"""The environment's name for the folder of those that all workers of a run share."""

wanted = False
"""Whether programs are to be forked. Only tests/conftest.py sets it; outside pytest nothing is forked."""


class Process(Protocol):
    """What tests use of subprocess.Popen."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True)
class Program:
    """A console script, and what it is made of: its function, and whatever it imports on its way."""

    name: str
    function: str
    modules: tuple[str, ...]

    @property
    def script(self) -> Path:
        """Where the installation has put it."""
        return Path(sys.executable).with_name(self.name)


HUB = Program(
    "simpul",
    "hub.cli.main:main",
    (
        "hub.cli.serve",
        "hub.cli.database",
        "hub.cli.move",
        "hub.cli.agencies",
        "hub.cli.clients",
        "hub.cli.keys",
        "hub.cli.broker",
        "hub.cli.dead_letters",
        "hub.cli.deadlines",
        "hub.cli.erasing",
        "hub.cli.importing",
        "hub.cli.officers",
        "hub.cli.policies",
        "hub.cli.retention",
        "hub.cli.verify",
        "hub.app_broker",
        "hub.store.postgres.store",
        "hub.store.postgres.migrating",
        "phonenumbers",
        "alembic.command",
        "alembic.config",
        "sqlalchemy.dialects.sqlite",
        "sqlalchemy.dialects.postgresql",
        "tests.parts.loaded",
    ),
)


CONNECTOR = Program(
    "simpul-connector",
    "connectors.main:main",
    (
        "connectors.broker.check",
        "connectors.broker.link",
        "connectors.checking",
        "connectors.dialects.mysql",
        "connectors.dialects.postgres",
        "connectors.dialects.sqlite",
        "connectors.receipts",
        "connectors.runner",
        "tests.connectors.loaded",
    ),
)


SHARED = (HUB, CONNECTOR)


class ForkServer:
    """A program's server, which listens at `path`; whoever uses it, it is of one user and on this machine."""

    def __init__(self, name: str, path: Path) -> None:
        self._name, self._path = name, path

    @property
    def pid(self) -> int:
        return int(self._path.with_suffix(".pid").read_text())

    def start(
        self,
        arguments: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        out: IO[bytes],
        err: IO[bytes] | int,
    ) -> Forked:
        """The running child; `out` and `err` become its standard output and error."""
        task = {"arguments": [self._name, *arguments], "folder": str(folder), "environment": dict(env)}
        connection = self._connected()
        with Path(os.devnull).open("wb") as nowhere:
            named = {subprocess.STDOUT: out, subprocess.DEVNULL: nowhere}
            stream = named.get(err, err) if isinstance(err, int) else err
            number = stream if isinstance(stream, int) else stream.fileno()
            socket.send_fds(connection, [json.dumps(task).encode()], [out.fileno(), number])
        return Forked(connection)

    def _connected(self) -> socket.socket:
        """Waits for one that still imports its program."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        deadline = time.monotonic() + STARTED_WITHIN_S
        while connection.connect_ex(str(self._path)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the fork server of {self._name} does not listen")
            time.sleep(LOOK_EVERY_S)
        return connection


class OwnForkServer(ForkServer):
    """Of this process, and no longer there than it: the server's standard input closes."""

    def __init__(self, program: Program, folder: Path) -> None:
        super().__init__(program.name, folder / program.name)
        command = [sys.executable, "-m", "tests.parts.fork_server", str(self._path), program.name]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SIMPUL_")}
        self._process = subprocess.Popen(
            [*command, program.function, *program.modules], cwd=ROOT, env=environment, stdin=subprocess.PIPE
        )
        self._path.with_suffix(".pid").write_text(str(self._process.pid))

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class Forked:
    """A child of a fork server."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._status: int | None = None
        self.pid = self._told(STARTED_WITHIN_S)

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """The exit status; subprocess.TimeoutExpired."""
        if self._status is None:
            self._status = self._told(timeout)
            self._connection.close()
        return self._status

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended in this moment; wait() tells how
                os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _told(self, within_s: float | None) -> int:
        self._connection.settimeout(within_s)
        try:
            told = self._connection.recv(64)
        except (TimeoutError, BlockingIOError) as error:
            raise subprocess.TimeoutExpired("a forked program", within_s or 0.0) from error
        if not told:
            raise RuntimeError("the fork server ended before its child")
        return int(told)


def ahead() -> None:
    """Begins what every worker of this run uses, instead of one of each for each worker."""
    for program in SHARED:
        _own(program)
    os.environ[SHARED_IN] = str(_folder())


@functools.cache
def fork_server(program: Program) -> ForkServer:
    """The run's, or one of this process, started when it is first wanted."""
    if program in SHARED and (there := os.environ.get(SHARED_IN)):
        return ForkServer(program.name, Path(there) / program.name)
    return _own(program)


def _own(program: Program) -> OwnForkServer:
    own = OwnForkServer(program, _folder())
    atexit.register(own.end)
    return own


@functools.cache
def _folder() -> Path:
    """Short: the path of a socket holds 107 bytes."""
    made = tempfile.TemporaryDirectory(prefix="simpul-fork-")
    atexit.register(made.cleanup)
    return Path(made.name)
