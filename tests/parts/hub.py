"""A real hub for tests: `simpul serve` as a process of its own, in a folder of its own, on a free port; to be
called, killed, limited and started again.

It is the installed script, or, where tests/conftest.py says so, the same program forked from a server that
has imported it (tests/parts/forking.py)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from click.testing import CliRunner

from hub.cli.main import main as simpul
from tests.parts import forking
from tests.parts.caller import DIRECT, Caller, Member
from tests.parts.local_server import free_port

ROOT = forking.ROOT
SIMPUL = forking.HUB.script
SCRIPT = (str(SIMPUL),)
READY_WITHIN_S = 60.0
COMMAND_WITHIN_S = 600.0
LOOK_EVERY_S = 0.02


class HubFailed(Exception):
    """A command or a start of the hub failed; the text holds what it said."""


@dataclass(frozen=True)
class Begun:
    """A command that runs."""

    process: forking.Process
    _out: IO[bytes]
    _err: IO[bytes]

    def ended(self, within_s: float) -> tuple[int, str, str]:
        """Its exit status, and what it wrote to standard output and error; subprocess.TimeoutExpired."""
        returned = self.process.wait(within_s)
        self._out.seek(0)
        self._err.seek(0)
        return returned, self._out.read().decode(), self._err.read().decode()


@dataclass
class HubProcess:
    """`simpul` over one folder, which survives a kill; the data lie in `folder/var`. `env` adds settings."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    roles: str | None = None
    command: Sequence[str] = SCRIPT
    port: int = field(default_factory=free_port)
    process: forking.Process | None = None

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
        """The whole environment: nothing of SIMPUL_ is inherited, webhooks may go to this machine."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIMPUL_")}
        return inherited | {
            "SIMPUL_DATA_DIR": str(self.data),
            "SIMPUL_LISTEN": f"127.0.0.1:{self.port}",
            "SIMPUL_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "SIMPUL_LOG_LEVEL": "warning",
            **self.env,
        }

    # --- commands -----------------------------------------------------------------------------------------

    def cli(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs `simpul …` beside the hub; HubFailed with what it said when it exits otherwise."""
        ended = self.ended(*arguments)
        if ended.returncode != status:
            words = (ended.stderr + ended.stdout)[-2000:]
            raise HubFailed(f"simpul {' '.join(arguments)}: exit {ended.returncode}\n{words}")
        return ended

    def ended(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same, however it ends."""
        with self.begun(*arguments) as command:
            return subprocess.CompletedProcess([*SCRIPT, *arguments], *command.ended(COMMAND_WITHIN_S))

    @contextmanager
    def begun(self, *arguments: str) -> Iterator[Begun]:
        """A command that runs beside the test, to be stopped or killed; killed at the latest at the end."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self._spawn(SCRIPT, arguments, out, err)
            try:
                yield Begun(process, out, err)
            finally:
                process.kill()
                process.wait()

    def run(self, *arguments: str) -> Any:
        """A command's JSON result."""
        return json.loads(self.cli(*arguments).stdout or "null")

    def desk(self, *arguments: str) -> Any:
        """The same, run inside this process: without the second that an interpreter takes to start."""
        env: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith("SIMPUL_"))
        ended = CliRunner().invoke(simpul, list(arguments), env=env | self.settings())
        if ended.exit_code:
            raise HubFailed(f"simpul {' '.join(arguments)}: exit {ended.exit_code}\n{ended.output[-2000:]}")
        return json.loads(ended.stdout or "null")

    def member(self, agency: str, name: str, *more: str) -> Member:
        """Registers an agency with a client; `more` are the options of `agency add`."""
        self.desk("agency", "add", agency, "--name", name, *more)
        return self.client(agency)

    def client(self, agency: str, *more: str) -> Member:
        made = self.desk("client", "add", agency, *more)
        return Member(agency, made["client_id"], made["client_secret"])

    def agency(self, agency: str, kind: str, *more: str) -> Caller:
        """Registers an agency, named after its id, whose client speaks HTTP."""
        return self.caller(self.member(agency, agency.title(), "--kind", kind, *more))

    def caller(self, member: Member) -> Caller:
        return Caller(self.url, member)

    # --- the process --------------------------------------------------------------------------------------

    def start(self, stderr: IO[bytes] | int | None = None, *, wait: bool = True) -> HubProcess:
        """`stderr` takes the hub's log; by default it is appended to hub.log."""
        arguments = ["serve", *(["--roles", self.roles] if self.roles else [])]
        with self.log.open("ab") as log:
            self.process = self._spawn(self.command, arguments, log, log if stderr is None else stderr)
        if wait:
            self.wait_until_ready()
        return self

    def _spawn(
        self, command: Sequence[str], arguments: Sequence[str], out: IO[bytes], err: IO[bytes] | int
    ) -> forking.Process:
        if forking.wanted and command == SCRIPT:
            server = forking.fork_server(forking.HUB)
            return server.start(arguments, self.folder, self.settings(), out, err)
        return subprocess.Popen(
            [*command, *arguments], cwd=self.folder, env=self.settings(), stdout=out, stderr=err
        )

    def wait_until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        while not self.ready():
            if not self.alive() or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace")[-3000:]
                raise HubFailed(f"the hub {'did not get ready' if self.alive() else 'ended'}\n{said}")
            time.sleep(LOOK_EVERY_S)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ready(self) -> bool:
        """Whether /readyz says 200."""
        try:
            with DIRECT.open(f"{self.url}/readyz", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL, 15.0)

    def stop(self, within_s: float = 15.0) -> int:
        """SIGTERM, as an operator would; the exit status. A hub that does not end is killed and reported."""
        status = self._end(signal.SIGTERM, within_s)
        if status is None:
            self.kill()
            raise HubFailed(f"the hub did not end within {within_s} s of SIGTERM")
        return status

    def _end(self, number: signal.Signals, within_s: float) -> int | None:
        """The exit status; 0 when it did not run, None when it did not end."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            status = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None
        self.process = None
        return status
