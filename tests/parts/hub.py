"""A real hub for tests: `simpul serve` as a process of its own, in a folder of its own, on a free port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.parts.local_server import free_port

SIMPUL = Path(sys.executable).with_name("simpul")
START_S = 20.0


@dataclass(slots=True)
class HubProcess:
    """`folder` is the working directory; the data lie in `folder/var`. Everything goes over HTTP or the CLI."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def env(self) -> dict[str, str]:
        base = {name: value for name, value in os.environ.items() if not name.startswith("SIMPUL_")}
        return base | {"SIMPUL_LISTEN": f"127.0.0.1:{self.port}"} | self.environ

    def start(self) -> HubProcess:
        with (self.folder / "hub.log").open("ab") as output:
            self.process = subprocess.Popen(
                [str(SIMPUL), "serve"], cwd=self.folder, env=self.env(), stdout=output, stderr=output
            )
        deadline = time.monotonic() + START_S
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the hub did not start:\n{self.log()[-3000:]}")
            time.sleep(0.05)
        return self

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the hub and gives its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(15)

    def log(self) -> str:
        return (self.folder / "hub.log").read_text("utf-8", "replace")

    def cli(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs `simpul …` beside the hub and checks its exit status."""
        done = subprocess.run(
            [str(SIMPUL), *arguments],
            cwd=self.folder,
            env=self.env(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        return done

    def agency(self, name: str, kind: str, *more: str) -> Caller:
        """Registers an agency with a client of its own."""
        self.cli("agency", "add", name, "--name", name.title(), "--kind", kind, *more)
        return self.client(name)

    def client(self, agency: str, *more: str) -> Caller:
        found = json.loads(self.cli("client", "add", agency, *more).stdout)
        return Caller(self.url, agency, found["client_id"], found["client_secret"])


@dataclass(slots=True)
class Caller:
    """One agency's client, speaking HTTP."""

    url: str
    agency: str
    client_id: str
    secret: str
    token: str = ""

    def sign_in(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.secret,
        }
        request = urllib.request.Request(f"{self.url}/oauth/token", urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=10) as response:
            self.token = json.load(response)["access_token"]
        return self.token

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """(status, JSON document)."""
        if not self.token:
            self.sign_in()
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | (headers or {})
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=40) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def events(self, after: int = 0, wait_s: int = 0) -> list[dict[str, Any]]:
        """The mailbox from `after` on, all pages."""
        found: list[dict[str, Any]] = []
        while True:
            _, page = self.call("GET", f"/v1/mailbox?after={after}&limit=200&wait={wait_s}")
            found += page["items"]
            if not page["items"]:
                return found
            after, wait_s = page["next"], 0


def complaint(agency: str, reference: str, **changes: Any) -> dict[str, Any]:
    """A complete complaint of a made-up citizen."""
    return {
        "source": {"agency": agency, "reference": reference},
        "classification": "complaint",
        "title": "Lampu jalan di Jalan Pelita mati",
        "description": "Sudah seminggu gelap, kemarin ada anak jatuh dari sepeda.",
        "category": "road",
        "submitted_at": "2026-11-01T08:15:00+07:00",
        "channel": "web",
        "location": {"region": "62.02"},
        "reporter": {"name": "Siti Rahmawati", "anonymous": False},
        "confidential": False,
    } | changes
