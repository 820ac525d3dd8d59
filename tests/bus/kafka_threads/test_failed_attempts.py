"""A broker that is away for hours must cost neither a thread nor a socket an attempt."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from hub.bus.kafka.clients import connected
from hub.bus.kafka.endpoint import BrokerListener
from tests.parts.local_server import free_port


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_attempts_that_fail_leave_no_thread_behind(kind: type) -> None:
    nobody = BrokerListener(f"127.0.0.1:{free_port()}")
    before = set(threading.enumerate())
    for _ in range(3):
        with pytest.raises(KafkaError):
            connected(kind, nobody, bootstrap_timeout_ms=200)
    deadline = time.monotonic() + 5
    while left := set(threading.enumerate()) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_attempts_that_fail_leave_no_socket_behind(kind: type) -> None:
    nobody = BrokerListener(f"127.0.0.1:{free_port()}")
    before = _descriptors()
    for _ in range(3):
        with pytest.raises(KafkaError):
            connected(kind, nobody, bootstrap_timeout_ms=200)
    deadline = time.monotonic() + 5
    while (left := _descriptors()) > before:
        assert time.monotonic() < deadline, f"{left - before} descriptors are left"
        time.sleep(0.02)


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
