"""The connector as a process of its own, to be killed; and the one place where a test waits for another."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from tests.parts.caller import Caller
from tests.parts.hub import ROOT


def eventually(condition: Callable[[], Any], what: str, within_s: float = 30.0) -> Any:
    """Looks again and again until `condition` holds, and gives what it gave."""
    deadline = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.06)


class Process(Protocol):
    """What is done with a running connector."""

    pid: int

    def kill(self) -> None: ...

    def terminate(self) -> None: ...

    def wait(self, timeout: float = ..., /) -> int: ...


class ConnectorProcess:
    """simpul-connector with a configuration in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config, self.spool = folder / "connector.toml", folder / "connector.spool"
        self.log = folder / "connector.log"
        self.env: dict[str, str] = {}
        self.process: Process | None = None

    def configure(self, text: str, client: Caller, **env: str) -> None:
        self.config.write_text(text)
        self.sign_in_as(client)
        self.env |= env

    def sign_in_as(self, client: Caller) -> None:
        self.env |= {"SIMPUL_CLIENT_ID": client.client_id, "SIMPUL_CLIENT_SECRET": client.secret}

    def start(self) -> None:
        self.process = self._spawn()

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        """kill -9, and at once the next one."""
        self.kill()
        self.start()

    def stop(self) -> float:
        """SIGTERM; how long the stop took, in seconds."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(10) == 0
        self.process = None
        return time.monotonic() - began

    def on_disk(self) -> bytes:
        """Every byte of the spool's files, the write-ahead log's too."""
        files = sorted(self.folder.glob(f"{self.spool.name}*"))
        return b"".join(path.read_bytes() for path in files if path.exists())

    def run(self, command: str, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(command, *more),
            cwd=ROOT,
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def logged(self) -> list[dict[str, Any]]:
        """What it logged so far; nothing before its first word."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def events(self) -> list[str]:
        return [line["event"] for line in self.logged()]

    def _spawn(self) -> Process:
        with self.log.open("ab") as log:
            return subprocess.Popen(self._command("run"), cwd=ROOT, env=self._environ(), stderr=log)

    def _command(self, command: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "connectors.main", command, str(self.config), *more]

    def _environ(self) -> dict[str, str]:
        return {**os.environ, **self.env, "PYTHONPATH": str(ROOT)}


class ForkServer:
    """tests/connectors/fork_server.py, started when first needed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "s"

    @contextmanager
    def open(self) -> Iterator[ForkServer]:
        command = [sys.executable, "-m", "tests.connectors.fork_server", str(self._path)]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
            eventually(self._path.exists, "the fork server listens")
            yield self
            assert process.stdin is not None
            process.stdin.close()

    def fork(self, **wanted: Any) -> Forked:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(str(self._path))
        return Forked(connection, wanted)


class Forked:
    """One child of the fork server; what these tests use of subprocess.Popen."""

    def __init__(self, connection: socket.socket, wanted: dict[str, Any]) -> None:
        self._connection = connection
        self._stream = connection.makefile("rwb")
        self._stream.write(json.dumps(wanted).encode() + b"\n")
        self._stream.flush()
        self.pid = int(self._stream.readline())

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def wait(self, timeout_s: float = 60.0) -> int:
        """The exit status, negative for a signal."""
        self._connection.settimeout(timeout_s)
        status = int(self._stream.readline())
        self._stream.close()
        self._connection.close()
        return status

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it ended by itself; wait() tells how
            os.kill(self.pid, number)


class ForkedConnector(ConnectorProcess):
    """The same program, killed and signalled the same way, without the time that its imports take."""

    def __init__(self, folder: Path, server: ForkServer) -> None:
        super().__init__(folder)
        self._server = server
        self._runs = 0

    def _spawn(self) -> Process:
        self.log.touch()
        return self._fork("run", Path(os.devnull), self.log)

    def run(self, command: str, *more: str) -> subprocess.CompletedProcess[str]:
        self._runs += 1
        out, err = (self.folder / f"connector.{command}{self._runs}.{name}" for name in ("out", "err"))
        status = self._fork(command, out, err, *more).wait()
        said, complained = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
        return subprocess.CompletedProcess([command], status, said, complained)

    def _fork(self, command: str, out: Path, err: Path, *more: str) -> Forked:
        return self._server.fork(
            arguments=[command, str(self.config), *more],
            cwd=str(ROOT),
            env=self._environ(),
            stdout=str(out),
            stderr=str(err),
        )
