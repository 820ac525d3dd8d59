"""A process that serves the API alone hears by itself that the broker went away, so that /readyz says so."""

from __future__ import annotations

import contextlib
import time

from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.topics import KafkaTopics
from hub.ports.broker import BrokerAway
from tests.parts import kafka
from tests.parts.local_server import PartMissing, skip_or_fail

SAID_WITHIN_S = 12.0


async def test_topics_hear_of_a_broker_that_went_away() -> None:
    try:
        with kafka.broker() as node:
            topics = KafkaTopics(BrokerListener(node.bootstrap), "didengar.")
            await topics.start()
            try:
                await topics.apply([], [])
                node.kill()
                assert await _said(topics)
            finally:
                await topics.stop()
    except PartMissing as missing:
        skip_or_fail(missing)


async def _said(topics: KafkaTopics) -> bool:
    deadline = time.monotonic() + SAID_WITHIN_S
    while topics.away is None and time.monotonic() < deadline:
        with contextlib.suppress(BrokerAway):
            await topics.ping()
    return topics.away is not None
