"""A broker that is away for hours must not cost a thread an attempt."""

from __future__ import annotations

import threading
import time

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from hub.bus.kafka.clients import connected
from hub.bus.kafka.endpoint import Endpoint
from tests.parts.local_server import free_port


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_attempts_that_fail_leave_no_thread_behind(kind: type) -> None:
    nobody = Endpoint(f"127.0.0.1:{free_port()}")
    before = set(threading.enumerate())
    for _ in range(3):
        with pytest.raises(KafkaError):
            connected(kind, nobody, bootstrap_timeout_ms=200)
    deadline = time.monotonic() + 5
    while left := set(threading.enumerate()) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)
