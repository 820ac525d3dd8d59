"""A real hub as an agency on Kafka sees it: tokens that the broker takes, the mailbox published on the
agency's topic, inbound records done as HTTP calls and answered. What it withholds is for the test to say."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from hub.bus.kafka import rights
from hub.ports.broker import Reader
from tests.bus.kafka_broker.brokerwork import Bench
from tests.bus.kafka_broker.tokens import Issuer
from tests.parts import kafka
from tests.parts.caller import DIRECT, Caller
from tests.parts.hub import HubProcess

ROUTES = {
    "complaint": "/v1/complaints",
    **{name: f"/v1/cases/%s/{name}" for name in ("verification", "closure", "reopening")},
    "forwarding": "/v1/cases/%s/forwardings",
    **{
        name: f"/v1/forwardings/%s/{name}"
        for name in ("acceptance", "return", "progress", "answer", "withdrawal")
    },
}

COMING_BACK = {"reconnect_backoff_max_ms": 500, "request_timeout_ms": 5_000}
"""The stand-in is back soon after its broker; the library would take up to half a minute."""


class KafkaHub:
    """`url` is where the connector finds the hub. `audience` and `life_s` are of the tokens it gives; the
    inbound role swallows the next `mute` replies; `commands` are the ids and types of its records."""

    def __init__(
        self, hub: HubProcess, member: Caller, node: kafka.Node, bench: Bench, issuer: Issuer
    ) -> None:
        self.hub, self.member, self.node, self.bench, self.issuer = hub, member, node, bench, issuer
        self.audience, self.life_s, self.mute = ["simpul-kafka"], 300, 0
        self.tokens = 0
        self.calls: list[str] = []
        self.commands: list[tuple[str, str]] = []
        self.published = 0
        self._done: dict[str, dict[str, Any]] = {}
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def topic(self) -> str:
        return f"{self.bench.prefix}agency.{self.member.agency}"

    @property
    def inbound(self) -> str:
        return f"{self.bench.prefix}inbound.{self.member.agency}"

    def __enter__(self) -> KafkaHub:
        self._front = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._start(self._front.serve_forever)
        self.url = f"http://127.0.0.1:{self._front.server_port}"
        self.producer = KafkaProducer(bootstrap_servers=self.node.bootstrap, acks="all", **COMING_BACK)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._front.shutdown()
        self._front.server_close()
        for thread in self._threads:
            thread.join(10)
        self.producer.close(timeout=30)

    # --- as the operator ----------------------------------------------------------------------------------

    def apply(self) -> None:
        """`simpul topics apply`."""
        self.bench.topic(f"agency.{self.member.agency}", 3)
        self.bench.topic(f"inbound.{self.member.agency}", 3)
        self.allow()

    def allow(self) -> None:
        self.bench.admin.create_acls([rights.rule(right) for right in self._rights()])

    def forbid(self) -> None:
        self.bench.admin.delete_acls([rights.rule(right) for right in self._rights()])

    def _rights(self) -> Iterable[rights.Right]:
        return rights.wanted(self.bench.prefix, [Reader(self.member.agency, self.member.client_id)])

    # --- the relay ----------------------------------------------------------------------------------------

    def relay(self, skip: Iterable[int] = (), structured: bool = False) -> list[int]:
        """Publishes what is new in the mailbox; the positions. Those in `skip` never appear in the topic."""
        _, page = self.member.call("GET", f"/v1/mailbox?after={self.published}&limit=200&wait=0")
        for item in page["items"]:
            if item["position"] not in set(skip):
                self.publish(item["event"], item["position"], page["incarnation"], structured)
        self.producer.flush(timeout=20)
        self.published = page["next"]
        return [item["position"] for item in page["items"]]

    def publish(
        self, event: dict[str, Any], position: int, incarnation: str, structured: bool = False
    ) -> None:
        marks = [("simpul-position", b"%d" % position), ("simpul-incarnation", incarnation.encode())]
        if structured:
            headers = [("content-type", b"application/cloudevents+json"), *marks]
            value = json.dumps(event).encode()
        else:
            headers, value = _binary(event)
            headers += marks
        self.producer.send(self.topic, value, event["subject"].encode(), headers)

    def keep_relaying(self) -> None:
        self._start(self._relay_on)

    def _relay_on(self) -> None:
        while not self._stop.wait(0.05):
            self.relay()

    # --- the inbound role ---------------------------------------------------------------------------------

    def take_commands(self) -> None:
        self._start(self._inbound)

    def _inbound(self) -> None:
        reader = KafkaConsumer(bootstrap_servers=self.node.bootstrap, enable_auto_commit=False, **COMING_BACK)
        parts = [TopicPartition(self.inbound, number) for number in range(3)]
        reader.assign(parts)
        for part in parts:
            reader.seek(part, 0)
        while not self._stop.is_set():
            for records in reader.poll(timeout_ms=100).values():
                for record in records:
                    self._command(record)
        reader.close(autocommit=False, timeout_ms=1000)

    def _command(self, record: Any) -> None:
        headers = {name: value.decode() for name, value in record.headers}
        name = headers["ce_type"].removeprefix("id.simpul.command.").removesuffix(".v1")
        number, subject = headers["ce_id"], headers.get("ce_subject", "")
        correlation = headers["correlation-id"]
        assert correlation.partition("/")[0] == number
        assert record.key.decode() == (subject or json.loads(record.value)["source"]["reference"])
        self.commands.append((number, name))
        path = ROUTES[name] % subject if subject else ROUTES[name]
        done = self._done.get(number) or self._do(path, json.loads(record.value), number)
        if done["status"] < 300:
            self._done[number] = done
        if self.mute:
            self.mute -= 1
            return
        self.reply(correlation, done)

    def _do(self, path: str, body: Any, key: str) -> dict[str, Any]:
        status, said = self.member.call("POST", path, body, {"Idempotency-Key": key})
        if status >= 300:
            return {"status": status, "problem": said}
        return {"status": status, "kind": "case", "ids": [said.get("id", "")], "case_id": said.get("id", "")}

    def reply(self, correlation: str, document: dict[str, Any]) -> None:
        event = {
            "specversion": "1.0",
            "id": f"reply-{time.monotonic_ns()}",
            "source": self.hub.url,
            "type": "id.simpul.reply.v1",
            "subject": correlation,
            "correlationid": correlation,
            "datacontenttype": "application/json",
            "data": document,
        }
        headers, value = _binary(event)
        self.producer.send(self.topic, value, correlation.encode(), headers)
        self.producer.flush(timeout=20)

    # --- the front ----------------------------------------------------------------------------------------

    def token(self) -> dict[str, Any]:
        """`exp` counts whole seconds: one more than is said, lest a short life be a second shorter."""
        self.tokens += 1
        ends = int(time.time()) + self.life_s + 1
        token = self.issuer.token(
            self.member.client_id,
            agency=self.member.agency,
            aud=[kafka.ISSUER, *self.audience],
            exp=ends,
        )
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.life_s,
            "scope": "mailbox:read",
        }

    def call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """The same at the hub, by the member's own token there."""
        self.calls.append(f"{method} {path.partition('?')[0]}")
        sent = {"Authorization": f"Bearer {self.member.token or self.member.sign_in()}"} | headers
        request = urllib.request.Request(self.hub.url + path, body or None, sent, method=method)
        try:
            with DIRECT.open(request, timeout=40) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    def _start(self, work: Any) -> None:
        def working() -> None:
            try:
                work()
            except (KafkaError, OSError):
                if not self._stop.is_set():
                    raise

        thread = threading.Thread(target=working, daemon=True)
        thread.start()
        self._threads.append(thread)


def _binary(event: dict[str, Any]) -> tuple[list[tuple[str, bytes]], bytes]:
    """Headers and value, as the Kafka binding's binary mode has them."""
    plain = {name: value for name, value in event.items() if name not in ("data", "datacontenttype")}
    headers = [(f"ce_{name}", str(value).encode()) for name, value in plain.items()]
    return [*headers, ("content-type", b"application/json")], json.dumps(event.get("data")).encode()


def _handler(front: KafkaHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/oauth/token":
                status, answer = 200, json.dumps(front.token()).encode()
            else:
                kept = ("Content-Type", "Idempotency-Key")
                headers = {name: self.headers[name] for name in kept if self.headers[name]}
                status, answer = front.call(self.command, self.path, body, headers)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            return

    return Handler
