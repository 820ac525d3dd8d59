"""A whole hub from outside, on either set of backends: one process on SQLite, or several on PostgreSQL and
Kafka. Tests speak HTTP to it (each call to another process, where there are several) and run its commands."""

from __future__ import annotations

import itertools
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from tests.parts import kafka
from tests.parts.caller import DIRECT, Caller
from tests.parts.hub import HubProcess
from tests.parts.postgres import drop_database, make_database

T = TypeVar("T")
APIS = 2
BACKSTAGE = "delivery,clock,relay,inbound"


@dataclass
class RoundRobin(Caller):
    """One agency's client behind a balancer without sticky sessions."""

    urls: Iterator[str] = field(default_factory=lambda: iter(()))

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        self.url = next(self.urls)
        return super().call(method, path, body, headers)


@dataclass
class Whole:
    """`apis` answer HTTP; `others` have the roles that do not. `node` is the broker, where there is one.
    `mark` ends the ids of agencies, so that tests that share a hub have agencies of their own."""

    apis: list[HubProcess]
    others: list[HubProcess] = field(default_factory=list)
    node: kafka.Node | None = None
    prefix: str = ""
    mark: str = ""

    @property
    def desk(self) -> HubProcess:
        """Where commands are run: one of several equal folders of settings."""
        return self.apis[0]

    @property
    def processes(self) -> list[HubProcess]:
        return [*self.apis, *self.others]

    def agency(self, agency: str, kind: str, *more: str) -> Caller:
        """A new agency, whose id begins like that."""
        member = self.desk.member(agency + self.mark, agency.title(), "--kind", kind, *more)
        urls = itertools.cycle([hub.url for hub in self.apis])
        return RoundRobin(self.desk.url, member, urls=urls)

    def post_lines(self, caller: Caller, body: bytes) -> list[dict[str, Any]]:
        """A batch, to one process or the other; its answer's lines."""
        token = caller.token or caller.sign_in()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        url = f"{self.apis[len(body) % len(self.apis)].url}/v1/complaints/batch"
        request = urllib.request.Request(url, body, headers, method="POST")
        with DIRECT.open(request, timeout=60) as response:
            return [json.loads(line) for line in response.read().splitlines()]

    def start(self) -> None:
        """Whatever of it does not run."""
        for process in self.processes:
            if not process.alive():
                process.start(wait=False)
        for process in self.processes:
            process.wait_until_ready()

    def stop(self) -> None:
        for process in self.processes:
            process.stop()

    def kill(self) -> None:
        for process in self.processes:
            process.kill()


class Receiver(ThreadingHTTPServer):
    """A webhook's endpoint that keeps what it got and says yes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.ids: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/terima"


class _Hook(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.ids.append(event["id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, daemon=True)
        thread.start()
        yield receiver
        receiver.shutdown()


def eventually(look: Callable[[], T], within_s: float = 20.0, every_s: float = 0.05) -> T:
    """What `look` gives once it is true; an AssertionError with the last one when it never is."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {found!r}"
        time.sleep(every_s)
    return found


@contextmanager
def embedded(folder: Path) -> Iterator[Whole]:
    whole = Whole([HubProcess(folder)])
    try:
        yield whole
    finally:
        whole.kill()


@contextmanager
def cluster(folder: Path, node: kafka.Node, prefix: str) -> Iterator[Whole]:
    """One data folder, one database, one broker; two processes with the API and one with all other roles."""
    with ExitStack() as stack:
        database = make_database()
        stack.callback(drop_database, database)
        env = {
            "SIMPUL_DATABASE_URL": database,
            "SIMPUL_KAFKA_BOOTSTRAP": node.bootstrap,
            "SIMPUL_KAFKA_AGENCY_BOOTSTRAP": node.agency_bootstrap,
            "SIMPUL_KAFKA_TOPIC_PREFIX": prefix,
            "SIMPUL_PUBLIC_URL": kafka.ISSUER,
        }
        apis = [HubProcess(folder, dict(env), roles="api") for _ in range(APIS)]
        whole = Whole(apis, [HubProcess(folder, dict(env), roles=BACKSTAGE)], node, prefix)
        whole.desk.cli("migrate")
        share_keys(node, whole.desk.data / "jwks.json")
        stack.callback(whole.kill)
        yield whole


def share_keys(node: kafka.Node, published: Path) -> None:
    """The broker reads the hub's own file of public keys."""
    aside = node.jwks.with_name("aside")
    aside.unlink(missing_ok=True)
    aside.symlink_to(published)
    aside.rename(node.jwks)


def types(items: Sequence[dict[str, Any]]) -> list[str]:
    """Short names of a mailbox's events."""
    return [item["event"]["type"].removeprefix("id.simpul.").removesuffix(".v1") for item in items]
