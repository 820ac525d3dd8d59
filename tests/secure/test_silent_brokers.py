"""Agencies' listeners of several addresses, of which one says nothing, on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.probe import KafkaListenerProbe
from hub.ports.broker import BrokerAway, ListenerUnsafe
from tests.bus.kafka_broker.tokens import Issuer
from tests.parts.local_server import free_port
from tests.secure.authority import Authority
from tests.secure.secure_broker import SecureBroker

SOONER_THAN_S = 4.0
"""A single attempt at an address that swallows everything takes five."""


@asynccontextmanager
async def swallowing() -> AsyncIterator[str]:
    """An address that takes connections and never answers."""
    server = await asyncio.start_server(lambda reader, writer: asyncio.Event().wait(), "localhost", 0)
    try:
        yield f"localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.fixture
def probe(broker: SecureBroker) -> Callable[..., KafkaListenerProbe]:
    def at(*addresses: str, ca_file: Path | None = None) -> KafkaListenerProbe:
        trusted = ca_file or broker.ca_file
        return KafkaListenerProbe(
            BrokerListener(",".join(addresses), True, trusted, names="SIMPUL_KAFKA_AGENCY")
        )

    return at


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_silent_address_hides_no_loose_one(
    broker: SecureBroker, probe: Callable[..., KafkaListenerProbe], issuer: Issuer, is_first: bool
) -> None:
    async with swallowing() as silent:
        addresses = [silent, broker.at("LOOSE")] if is_first else [broker.at("LOOSE"), silent]
        with pytest.raises(ListenerUnsafe, match="lets in"):
            async with asyncio.timeout(SOONER_THAN_S):
                await probe(*addresses).check(issuer.token("hub-probe"))


async def test_a_silent_broker_beside_one_that_verifies_is_told(
    broker: SecureBroker, probe: Callable[..., KafkaListenerProbe], issuer: Issuer
) -> None:
    closed = f"localhost:{free_port()}"
    said = await probe(broker.at("AGENCY"), closed).check(issuer.token("hub-probe"))
    assert said is not None and closed.rpartition(":")[2] in said


async def test_an_authority_that_is_mended_is_read_again(
    broker: SecureBroker, probe: Callable[..., KafkaListenerProbe], issuer: Issuer, tmp_path: Path
) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(Authority("Otoritas yang keliru").root())
    tried = probe(broker.at("AGENCY"), ca_file=trusted)
    with pytest.raises(BrokerAway, match="SIMPUL_KAFKA_CA_FILE"):
        await tried.check(issuer.token("hub-probe"))
    trusted.write_bytes(broker.ca_file.read_bytes())
    assert await tried.check(issuer.token("hub-probe")) is None
