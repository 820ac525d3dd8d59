"""What one client can make a broker hold is bounded in every broker's settings here, and alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.broker import clients as connectors
from hub.bus.kafka import clients, layout

ROOT = Path(__file__).parents[2]
BROKERS = {
    "deploy/kafka/server.properties": 512,
    "deploy/demo/cluster/broker.properties": 128,
    "tests/parts/kafka/node.properties": 128,
    "tests/secure/broker.properties": 128,
}
"""Each with its heap, MiB."""
MIB = 1024 * 1024


def settings(path: str) -> dict[str, str]:
    lines = (ROOT / path).read_text("utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("path", BROKERS)
def test_a_request_is_bounded_and_all_of_them_together(path: str) -> None:
    found = settings(path)
    request, pool = int(found["socket.request.max.bytes"]), int(found["queued.max.request.bytes"])
    ours = max(clients.MAX_RECORD_BYTES, connectors.MAX_RECORD_BYTES, layout.MAX_MESSAGE_BYTES)
    assert ours + MIB // 2 <= request <= ours + MIB, "what we send ourselves is taken, and little more"
    assert request < pool <= BROKERS[path] * MIB // 2
    assert int(found["sasl.server.max.receive.size"]) <= 64 * 1024


@pytest.mark.parametrize(
    "path",
    [
        "deploy/kafka/server.properties",
        "deploy/demo/cluster/broker.properties",
        "tests/parts/kafka/agency.properties",
        "tests/secure/broker.properties",
    ],
)
def test_the_agencies_listener_has_no_room_for_any_number(path: str) -> None:
    found = settings(path)
    for limit in ("max.connections", "max.connection.creation.rate"):
        assert any(name.startswith("listener.name.agenc") and name.endswith(f".{limit}") for name in found)


def test_the_heap_is_the_one_that_the_services_have() -> None:
    heap = BROKERS["deploy/kafka/server.properties"]
    assert f"-Xmx{heap}m" in (ROOT / "deploy" / "compose.yaml").read_text("utf-8")
