"""The three that are measured side by side, each with a webhook subscriber: empty handler, outbox, hub."""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from tests.bench import databases, machine
from tests.bench.bodies import AGENCY
from tests.bench.databases import Server
from tests.chaos.calls import Api
from tests.parts.caller import Member
from tests.parts.hub import HubProcess
from tests.parts.local_server import PartMissing, free_port

DRAIN_S: Final = 120.0


@dataclass
class Contender:
    """`pids` are its server processes; `sink` the port of its webhook receiver, None when it sends none."""

    name: str
    port: int
    pids: list[int]
    sink: int | None = None
    api: Api | None = None
    rounds: list[dict[str, Any]] = field(default_factory=list)

    def job(self, **members: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.api.token()}"} if self.api else {}
        return {"port": self.port, "headers": headers} | members

    def cpu_s(self) -> float:
        return sum(machine.cpu_s(pid) for pid in self.pids)

    def drive(self, **members: Any) -> dict[str, Any]:
        """One run of the load generator, with the server's processor time a request."""
        before = self.cpu_s()
        seen = machine.ask("tests.bench.driver", self.job(**members))
        seen["cpu_us"] = (self.cpu_s() - before) / max(1, seen["good"]) * 1e6
        return seen

    def received(self, *, forget: bool = False) -> dict[str, Any]:
        """What the webhook receiver got since it last forgot."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sink or 0, timeout=10)
        connection.request("GET", "/control/forget" if forget else "/control")
        document: dict[str, Any] = orjson.loads(connection.getresponse().read())
        connection.close()
        return document

    def drained(self, expected: int) -> tuple[int, float]:
        """Webhooks that came until `expected` are there, and how long that took in seconds; RuntimeError
        when they do not come."""
        began = time.monotonic()
        while (count := self.received()["count"]) < expected:
            if time.monotonic() > began + DRAIN_S:
                raise RuntimeError(f"{self.name}: {count} webhooks of {expected} came within {DRAIN_S} s")
            time.sleep(0.02)
        return count, time.monotonic() - began


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until something listens there."""
    deadline = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/control")
            connection.getresponse().read()
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args!r} does not listen on {port}") from error
            time.sleep(0.05)
        finally:
            connection.close()


@contextmanager
def running(module: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """A server module of ours on a free port: (port, process id)."""
    port = free_port()
    process = machine.spawn(module, str(port), *arguments)
    try:
        wait_for(port, process)
        yield port, process.pid
    finally:
        machine.end(process)


@contextmanager
def empty() -> Iterator[Contender]:
    with running("tests.bench.empty") as (port, pid):
        yield Contender("empty handler", port, [pid])


@contextmanager
def outbox() -> Iterator[Contender | None]:
    """Over a server of its own; None, with a word why, where there is no PostgreSQL (in CI a failure)."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(databases.server())
        except PartMissing as missing:
            databases.say_missing("no outbox to compare with", missing)
            yield None
            return
        sink, _ = stack.enter_context(running("tests.bench.sink"))
        webhook = f"http://127.0.0.1:{sink}/outbox"
        port, pid = stack.enter_context(running("tests.bench.outbox", server.make(), webhook))
        yield Contender("outbox", port, [pid, *server.pids], sink)


@contextmanager
def hub(
    folder: Path, *, webhook: bool = True, name: str = "hub", server: Server | None = None
) -> Iterator[tuple[Contender, HubProcess]]:
    """`simpul serve` with all roles in one process: on SQLite, or on a new database of `server`, whose
    processor time then counts as the hub's."""
    folder.mkdir(parents=True)
    process = HubProcess(folder)
    if server is not None:
        process.env["SIMPUL_DATABASE_URL"] = server.make()
        process.cli("migrate")
    member: Member = process.member(AGENCY, "Pemkab Kotim", "--kind", "regency", "--region", "62.02")
    with ExitStack() as stack:
        stack.callback(process.stop)
        process.start()
        pids = [process.pid, *(server.pids if server else ())]
        contender = Contender(name, process.port, pids, None, Api(process.port, member))
        if webhook:
            contender.sink, _ = stack.enter_context(running("tests.bench.sink"))
            subscribe(contender)
        yield contender, process


def subscribe(contender: Contender) -> None:
    assert contender.api is not None
    document = {"url": f"http://127.0.0.1:{contender.sink}/hub", "event_types": ["*"]}
    reply = contender.api.call("PUT", "/v1/webhook", document)
    if reply.status != 200:
        raise RuntimeError(f"PUT /v1/webhook: {reply.said()}")
