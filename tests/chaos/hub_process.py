"""The real hub as a process of its own (`simpul serve`), to be killed, limited and started again."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.parts.local_server import free_port

ROOT = Path(__file__).resolve().parents[2]
SIMPUL = Path(sys.executable).with_name("simpul")
READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.02


class HubFailed(Exception):
    """A command or a start of the hub failed; the text holds what it said."""


@dataclass(frozen=True)
class Member:
    """An agency that takes part, with its client's credentials."""

    agency: str
    client_id: str
    client_secret: str


@dataclass
class HubProcess:
    """`simpul` over one data folder; the folder survives a kill. `env` adds settings."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    roles: str | None = None
    command: Sequence[str] = (str(SIMPUL),)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "hub.log"

    @property
    def data(self) -> Path:
        return self.folder / "var"

    @property
    def pid(self) -> int:
        assert self.process is not None, "the hub does not run"
        return self.process.pid

    def settings(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIMPUL_")}
        return inherited | {
            "SIMPUL_DATA_DIR": str(self.data),
            "SIMPUL_LISTEN": f"127.0.0.1:{self.port}",
            "SIMPUL_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "SIMPUL_LOG_LEVEL": "warning",
            **self.env,
        }

    def run(self, *arguments: str, timeout_s: float = 600.0) -> Any:
        """A command's JSON result; HubFailed with what it said when it exits otherwise than with 0."""
        ended = subprocess.run(
            [str(SIMPUL), *arguments],
            cwd=self.folder,
            env=self.settings(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if ended.returncode:
            said = (ended.stderr + ended.stdout)[-2000:]
            raise HubFailed(f"simpul {' '.join(arguments)}: exit {ended.returncode}\n{said}")
        return json.loads(ended.stdout or "null")

    def member(self, agency: str, name: str, *more: str) -> Member:
        """Registers an agency with a client; `more` are the options of `agency add`."""
        self.run("agency", "add", agency, "--name", name, *more)
        return self.client(agency)

    def client(self, agency: str, *more: str) -> Member:
        made = self.run("client", "add", agency, *more)
        return Member(agency, made["client_id"], made["client_secret"])

    def start(self, stderr: IO[bytes] | int | None = None, *, wait: bool = True) -> None:
        """`stderr` takes the hub's log; by default it is appended to hub.log."""
        command = [*self.command, "serve", *(["--roles", self.roles] if self.roles else [])]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.settings(),
                stdout=log,
                stderr=log if stderr is None else stderr,
            )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        while not self.ready():
            ended = self.process is None or self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace")[-3000:]
                raise HubFailed(f"the hub {'ended' if ended else 'did not get ready'}\n{said}")
            time.sleep(LOOK_EVERY_S)

    def ready(self) -> bool:
        """Whether /readyz says 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self, within_s: float = 15.0) -> None:
        """SIGTERM, as an operator would; a hub that does not end is killed and reported."""
        if self._end(signal.SIGTERM, within_s):
            return
        self.kill()
        raise HubFailed(f"the hub did not end within {within_s} s of SIGTERM")

    def _end(self, number: signal.Signals, within_s: float = 15.0) -> bool:
        if self.process is None:
            return True
        self.process.send_signal(number)
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        self.process = None
        return True
