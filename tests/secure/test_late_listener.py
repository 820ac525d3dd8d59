"""An agencies' listener that nobody answered at when the hub started, on a real broker behind a forwarder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from hub.bus.kafka.endpoint import Endpoint
from hub.bus.kafka.probe import KafkaListenerProbe
from hub.service.listener_watch import ListenerWatch
from tests.bus.kafka_broker.tokens import Issuer
from tests.parts.local_server import free_port
from tests.secure.secure_broker import SecureBroker

ENDS_WITHIN_S = 30.0


@pytest.fixture(scope="module")
def issuer(broker: SecureBroker) -> Issuer:
    made = Issuer()
    made.publish(broker.node)
    return made


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


def watch_at(broker: SecureBroker, port: int, issuer: Issuer, stop: Stopped) -> ListenerWatch:
    endpoint = Endpoint(f"localhost:{port}", True, broker.ca_file, names="SIMPUL_KAFKA_AGENCY")
    return ListenerWatch(KafkaListenerProbe(endpoint), lambda: issuer.token("hub-probe"), stop, pause_s=0.1)


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


async def test_a_listener_that_comes_late_and_verifies_is_left_alone(
    broker: SecureBroker, issuer: Issuer
) -> None:
    port, stop = free_port(), Stopped()
    watch = watch_at(broker, port, issuer, stop)
    assert not await watch.try_once()
    trying = asyncio.create_task(watch.keep_trying())
    async with forwarded(port, broker.at("AGENCY")):
        await asyncio.wait_for(trying, ENDS_WITHIN_S)
    assert (stop.times, watch.unsafe) == (0, None)
