"""The connector as a process of its own, to be killed; and the one place where a test waits for another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from tests.parts.caller import Caller
from tests.parts.forking import CONNECTOR, ROOT, Forked, Process, fork_server

COMMAND_WITHIN_S = 60.0


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
        self.process.send_signal(signal.SIGTERM)
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
            timeout=COMMAND_WITHIN_S,
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


class ForkedConnector(ConnectorProcess):
    """The same program, killed and signalled the same way, without the time that its imports take."""

    def run(self, command: str, *more: str) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            status = self._fork([command, str(self.config), *more], out, err).wait(COMMAND_WITHIN_S)
            out.seek(0)
            err.seek(0)
            said, complained = out.read().decode(), err.read().decode()
        return subprocess.CompletedProcess([command], status, said, complained)

    def _spawn(self) -> Process:
        with Path(os.devnull).open("wb") as nowhere, self.log.open("ab") as log:
            return self._fork(["run", str(self.config)], nowhere, log)

    def _fork(self, arguments: list[str], out: IO[bytes], err: IO[bytes]) -> Forked:
        return fork_server(CONNECTOR).start(arguments, ROOT, self._environ(), out, err)
