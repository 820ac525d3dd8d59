"""An agencies' listener that nobody answered at when the hub started, or that changes while it runs: on a
real broker behind a forwarder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from hub.app_broker import BrokerMetrics, BrokerSide
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.probe import KafkaListenerProbe
from hub.ports.broker import BrokerAway
from hub.service.access import Access
from hub.service.listener_watch import ListenerWatch
from tests.bus.kafka_broker.tokens import Issuer
from tests.parts.local_server import free_port
from tests.secure.secure_broker import SecureBroker

ENDS_WITHIN_S = 30.0


@asynccontextmanager
async def forwarded(port: int, address: str) -> AsyncIterator[None]:
    """From here on somebody answers at the port: the listener at the address."""
    host, _, behind = address.rpartition(":")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(host, int(behind))
        await asyncio.gather(carry(reader, inner_writer), carry(inner_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(accept, "localhost", port)
    try:
        yield
    finally:
        server.close()


class Stopped:
    """Counts how often the hub was told to end its traffic."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


def watch_at(
    broker: SecureBroker, port: int, issuer: Issuer, stop: Stopped, tries: list[str] | None = None
) -> ListenerWatch:
    """With the token of each try in `tries`."""
    endpoint = BrokerListener(f"localhost:{port}", True, broker.ca_file, names="SIMPUL_KAFKA_AGENCY")
    used = [] if tries is None else tries

    def token() -> str:
        used.append(issuer.token("hub-probe"))
        return used[-1]

    return ListenerWatch(KafkaListenerProbe(endpoint), token, stop, pauses_s=(0.1, 0.1))


async def test_a_listener_that_comes_late_and_lets_everybody_in_ends_the_traffic(
    broker: SecureBroker, issuer: Issuer
) -> None:
    port, stop = free_port(), Stopped()
    watch = watch_at(broker, port, issuer, stop)
    with capture_logs() as logs:
        assert not await watch.try_once()
        trying = asyncio.create_task(watch.keep_trying())
        async with forwarded(port, broker.at("LOOSE")):
            await asyncio.wait_for(trying, ENDS_WITHIN_S)
    assert stop.times == 1
    assert watch.unsafe is not None
    assert "SIMPUL_KAFKA_AGENCY_BOOTSTRAP" in watch.unsafe and "lets in" in watch.unsafe
    events = [each["event"] for each in logs]
    assert events == ["agency_listener_not_tried", "agency_listener_unsafe"]  # told once each


@asynccontextmanager
async def kept_trying(watch: ListenerWatch) -> AsyncIterator[None]:
    trying = asyncio.create_task(watch.keep_trying())
    try:
        yield
        assert not trying.done()
    finally:
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(ENDS_WITHIN_S):
        while not done():
            await asyncio.sleep(0.02)


async def test_one_that_never_answered_is_a_warning_and_once_it_verifies_that_is_told(
    broker: SecureBroker, issuer: Issuer
) -> None:
    """This hub may not reach an address that agencies do."""
    port, stop = free_port(), Stopped()
    watch = watch_at(broker, port, issuer, stop)
    with capture_logs() as logs:
        assert not await watch.try_once()
        async with kept_trying(watch):
            assert watch.away is None
            async with forwarded(port, broker.at("AGENCY")):
                await until(lambda: len(logs) == 2)
    assert [each["event"] for each in logs] == [
        "agency_listener_not_tried",
        "agency_listener_verifies_tokens",
    ]
    assert (stop.times, watch.unsafe, watch.away) == (0, None, None)


async def test_one_that_was_right_and_stops_answering_is_told_once_and_so_is_its_return(
    broker: SecureBroker, issuer: Issuer
) -> None:
    port, stop, tries = free_port(), Stopped(), list[str]()
    watch = watch_at(broker, port, issuer, stop, tries)
    with capture_logs() as logs:
        async with forwarded(port, broker.at("AGENCY")):
            assert await watch.try_once()
        async with kept_trying(watch):
            await until(lambda: watch.away)
            assert watch.away is not None and f"localhost:{port}" in watch.away
            tried = len(tries)
            await until(lambda: len(tries) > tried + 2)
            async with forwarded(port, broker.at("AGENCY")):
                await until(lambda: watch.away is None)
    assert [each["event"] for each in logs] == ["agency_listener_away", "agency_listener_verifies_tokens"]
    assert (stop.times, watch.unsafe) == (0, None)


async def test_one_that_was_right_and_verifies_nothing_any_more_ends_the_traffic(
    broker: SecureBroker, issuer: Issuer
) -> None:
    port, stop = free_port(), Stopped()
    watch = watch_at(broker, port, issuer, stop)
    async with forwarded(port, broker.at("AGENCY")):
        assert await watch.try_once()
    async with forwarded(port, broker.at("LOOSE")):
        await asyncio.wait_for(watch.keep_trying(), ENDS_WITHIN_S)
    assert stop.times == 1
    assert watch.unsafe is not None and "lets in" in watch.unsafe


async def test_readyz_says_so_and_whether_the_broker_answers_is_another_matter() -> None:
    class Probe:
        answers = True

        async def check(self, right_token: str) -> str | None:
            if not self.answers:
                raise BrokerAway("no broker answers")
            return None

    probe, metrics = Probe(), CollectorRegistry()
    nobody: Any = None
    side = BrokerSide(
        publisher=nobody,
        relay=None,
        inbound=None,
        topics=None,
        agencies=nobody,
        keeps_topics=False,
        probe=probe,
        access=cast(Access, SimpleNamespace(probe_token=lambda: "kunci")),
        metrics=BrokerMetrics.of(metrics),
    )
    await side.start()
    try:
        assert side.away() is None
        probe.answers = False
        assert side._listener is not None and not await side._listener.try_once()
        assert side.away() == "the agencies' listener: no broker answers"
        assert metrics.get_sample_value("simpul_bus_up") == 1.0
    finally:
        await side.stop()
