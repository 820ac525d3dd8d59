"""The hub and the connector as processes of their own, to be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.connectors.apps import App
from tests.parts.local_server import free_port

ROOT = Path(__file__).resolve().parents[2]
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SOURCE_AGENCY, MINISTRY = "kab-kotim", "kemen-pu"


def eventually(condition: Callable[[], Any], what: str, within_s: float = 30.0) -> Any:
    """Looks again and again until `condition` holds; the one place where a test waits for another process."""
    deadline = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.03)


class HubProcess:
    """contract_hub.py; its file survives a kill."""

    def __init__(self, path: Path) -> None:
        self.path, self.port = path, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable,
            str(Path(__file__).with_name("contract_hub.py")),
            str(self.port),
            str(self.path),
        ]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        eventually(self.answers, "the hub answers")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def answers(self) -> bool:
        try:
            self.control("none")
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def control(self, what: str, **body: Any) -> Any:
        return self.call("POST", f"/control/{what}", body)

    def rows(self, sql: str) -> list[Any]:
        return self.control("sql", sql=sql)

    def count(self, sql: str) -> int:
        return int(self.rows(sql)[0][0])

    def as_agency(self, agency: str, method: str, path: str, body: Any = None) -> Any:
        return self.call(method, path, body, {"Authorization": f"Bearer token-test-{agency}"})

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers or {}, method=method)
        with _DIRECT.open(request, timeout=10) as response:
            return json.loads(response.read() or b"null")

    def answer_all(
        self, agency: str = MINISTRY, text: str = "Sudah kami tangani pada {n}.", limit: int = 5000
    ) -> int:
        """Accepts and answers every forwarding that this agency holds open."""
        legs = []
        for (raw,) in self.rows("SELECT body FROM cases"):
            case = json.loads(raw)
            legs += [
                (case, leg) for leg in case["forwardings"] if leg["to"] == agency and leg["status"] == "sent"
            ]
        for case, leg in legs[:limit]:
            self.as_agency(agency, "POST", f"/v1/forwardings/{leg['id']}/acceptance", {})
            words = text.format(n=case["complaint"]["source"]["reference"])
            self.as_agency(agency, "POST", f"/v1/forwardings/{leg['id']}/answer", {"text": words})
        return len(legs[:limit])


class ConnectorProcess:
    """simpul-connector with a configuration in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config, self.spool = folder / "connector.toml", folder / "connector.spool"
        self.log = folder / "connector.log"
        self.env: dict[str, str] = {"SIMPUL_CLIENT_SECRET": "rahasia"}
        self.process: subprocess.Popen[bytes] | None = None

    def configure(self, text: str, client: str = SOURCE_AGENCY, **env: str) -> None:
        self.config.write_text(text)
        self.env |= {"SIMPUL_CLIENT_ID": client, **env}

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command("run"), cwd=ROOT, env=self._environ(), stderr=log)

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> float:
        """SIGTERM; how long the stop took, in seconds."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(10) == 0
        self.process = None
        return time.monotonic() - began

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(command),
            cwd=ROOT,
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def _command(self, command: str) -> list[str]:
        return [sys.executable, "-m", "connectors.main", command, str(self.config)]

    def _environ(self) -> dict[str, str]:
        return {**os.environ, **self.env, "PYTHONPATH": str(ROOT)}


def sql_config(
    app: App, hub: HubProcess, connector: ConnectorProcess, extra: str = "", **changes: str
) -> None:
    """The configuration that most tests use; `changes` replace whole lines by their key."""
    lines = {
        "title": 'title = { of = "isi_laporan", first = 80 }',
        "submitted_at": 'submitted_at = { column = "tgl_pengaduan", if_missing = "first_sight" }',
        "category": 'category = { value = "road" }',
        "source": 'table = "pengaduan"\nkey = "id_pengaduan"\njoin = "LEFT JOIN masyarakat ON '
        'masyarakat.nik = pengaduan.nik"\nevery_s = 0.1\nrescan_every_s = 1\nrescan_pause_s = 0.05',
        "reporter": 'reporter.name = "nama"\nreporter.phone = "telp"\n'
        'reporter.national_id = "masyarakat.nik"',
    } | changes
    connector.configure(
        f"""
kind = "sql"
agency = "{SOURCE_AGENCY}"
spool = "{connector.spool}"
[hub]
url = "{hub.url}"
backoff_cap_s = 0.3
wait_s = 2
[database]
url_env = "APP_URL"
[source]
{lines["source"]}
[map]
description = "isi_laporan"
{lines["title"]}
{lines["submitted_at"]}
{lines["category"]}
{lines["reporter"]}
{extra}
""",
        APP_URL=app.url,
    )


WRITE_BACK = """
[routing]
verify = true
default = ["kemen-pu"]
[write_back.answer]
statements = [
  '''INSERT INTO tanggapan (id_pengaduan, tgl_tanggapan, tanggapan, id_petugas)
     VALUES (:key, :answered_on, :answer, 1)''',
  "UPDATE pengaduan SET status = :status WHERE id_pengaduan = :key",
]
already_written = "SELECT 1 FROM tanggapan WHERE id_pengaduan = :key AND tanggapan = :answer"
[write_back.status]
statement = "UPDATE pengaduan SET status = :status WHERE id_pengaduan = :key"
values = { verified = "proses", forwarded = "proses", in_progress = "proses", answered = "selesai" }
"""
