"""The small parts of kind `kafka`: records in both modes, and a thread that nobody waits for too long."""

from __future__ import annotations

import asyncio
import socketserver
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors.broker.channel import act_of
from connectors.broker.clients import Endpoint
from connectors.broker.events import Command, NotAnEvent, Record, correlation_of, event_of, mark_of
from connectors.broker.settings import Kafka
from connectors.broker.worker import Worker
from connectors.errors import BrokerAway, ConnectorError
from hub.service.acts import ACTS
from tests.bus.kafka_broker.tokens import Issuer
from tests.parts import kafka

STRUCTURED = ("content-type", b"application/cloudevents+json; charset=utf-8")


def test_a_command_is_read_as_it_was_written() -> None:
    command = Command("reply-1", "answer", "0197", "0197", b'{"text":"Selesai."}', "reply-1/1")
    headers = command.headers("kemenpu", datetime(2026, 11, 1, tzinfo=UTC))
    event = event_of(Record(0, 0, headers, command.body))
    assert (event["id"], event["type"], event["subject"]) == (
        "reply-1", "id.simpul.command.answer.v1", "0197",
    )  # fmt: skip
    assert (event["specversion"], event["source"], event["data"]) == ("1.0", "kemenpu", {"text": "Selesai."})
    assert correlation_of(Record(0, 0, headers, None), {}) == "reply-1/1"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/cases/0197/verification", "verification"),
        ("/v1/cases/0197/forwardings", "forwarding"),
        ("/v1/cases/0197/replies", "reply"),
        ("/v1/cases/0197/reopening", "reopening"),
        ("/v1/forwardings/0197/return", "return"),
        ("/v1/forwardings/0197/reconsideration", "reconsideration"),
        ("/v1/consultations/0197/answer", "verdict"),
    ],
)
def test_a_route_is_the_act_that_the_hub_takes_as_a_record(path: str, name: str) -> None:
    assert act_of(path) == (name, "0197")
    assert name in ACTS


def test_both_modes_give_the_same_event() -> None:
    binary = Record(
        0,
        7,
        [("CE_id", b"1"), ("ce_type", b"t"), ("ce_sequence", b"0000000003"), ("simpul-position", b"12"),
         ("simpul-incarnation", b"i"), ("Content-Type", b"application/json")],
        b'{"a":1}',
    )  # fmt: skip
    structured = Record(
        0, 7, [STRUCTURED, ("simpul-position", b"12"), ("simpul-incarnation", b"i")],
        b'{"id":"1","type":"t","sequence":"0000000003","datacontenttype":"application/json","data":{"a":1}}',
    )  # fmt: skip
    assert event_of(binary) == event_of(structured)
    assert mark_of(binary) == mark_of(structured) == (12, "i")


@pytest.mark.parametrize(
    ("headers", "value", "why"),
    [
        ([], b"{}", "no ce_ headers"),
        ([("ce_id", b"1")], b"{}", "type is missing"),
        ([("ce_id", b"1"), ("ce_type", b"t")], b"{", "not JSON"),
        ([STRUCTURED], b"[]", "no JSON object"),
        ([STRUCTURED], None, "not JSON"),
        ([("content-type", b"application/cloudevents+avro")], b"x", "application/cloudevents"),
    ],
)
def test_what_is_no_event_says_why(headers: list[tuple[str, bytes]], value: bytes | None, why: str) -> None:
    with pytest.raises(NotAnEvent, match=why):
        event_of(Record(0, 0, headers, value))


class Thing:
    made = 0

    def __init__(self) -> None:
        Thing.made += 1
        self.number = Thing.made
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def worker() -> Iterator[Worker[Thing]]:
    Thing.made = 0
    made = Worker("percobaan", Thing)
    yield made
    if (thread := made.stop()) is not None:
        thread.join(5)


def _fail(thing: Thing) -> None:
    raise OSError("putus")


async def test_after_a_failure_another_object_is_made(worker: Worker[Thing]) -> None:
    first = await worker.run(lambda thing: thing, 5)
    with pytest.raises(OSError, match="putus"):
        await worker.run(_fail, 5)
    assert first.closed.is_set()
    assert await worker.run(lambda thing: thing.number, 5) == 2


async def test_a_thread_that_hangs_is_left_behind_and_tidies_up(worker: Worker[Thing]) -> None:
    go_on = threading.Event()
    first = await worker.run(lambda thing: thing, 5)
    with pytest.raises(BrokerAway, match="no answer within"):
        await worker.run(lambda thing: go_on.wait(20), 0.1)
    assert await worker.run(lambda thing: thing.number, 5) == 2
    go_on.set()
    assert await asyncio.to_thread(first.closed.wait, 5)


async def test_waiting_calls_are_bounded_and_told_at_a_stop(worker: Worker[Thing]) -> None:
    go_on = threading.Event()
    calls = [asyncio.create_task(worker.run(lambda thing: go_on.wait(20), 20)) for _ in range(30)]
    await asyncio.sleep(0)
    thread = worker.stop()
    go_on.set()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, BrokerAway) for one in ended) >= 29
    assert thread is not None
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()


class _Cutting(socketserver.BaseRequestHandler):
    """Takes a connection and ends it: no word of why."""

    def handle(self) -> None:
        return


def test_attempts_that_fail_leave_no_thread_behind(node: kafka.Node) -> None:
    """A broker that refuses the token, or cuts the connection, for a day is asked some thousand times."""
    forged = Issuer().token("klien")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Cutting) as cutting:
        threading.Thread(target=cutting.serve_forever, args=(0.05,), daemon=True).start()
        for bootstrap, words in (
            (node.agency_bootstrap, "refuses the hub's token"),
            (f"127.0.0.1:{cutting.server_address[1]}", "does not answer"),
        ):
            endpoint = Endpoint(Kafka(bootstrap=bootstrap, tls=False), "klien", lambda: forged)
            with pytest.raises(ConnectorError, match=words):
                endpoint.consumer()
        cutting.shutdown()
    until = time.monotonic() + 5
    while any("klien" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < until, [thread.name for thread in threading.enumerate()]
        time.sleep(0.05)
