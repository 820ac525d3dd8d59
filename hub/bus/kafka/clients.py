"""The library's objects as this project uses them: every wait bounded, nothing automatic."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]
from kafka.errors import KafkaError, KafkaTimeoutError  # type: ignore[import-untyped]
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]

from hub.bus.kafka.endpoint import Endpoint

BOOTSTRAP_MS: Final = 5_000
REQUEST_MS: Final = 5_000
DELIVERY_MS: Final = 15_000
"""How long a batch is tried while a leader is elected anew (3 to 9 s with brokers' defaults)."""
TRANSACTION_MS: Final = 20_000
"""A producer that died holds its readers up for so long, unless its successor comes earlier."""
RETRY_PAUSE_MS: Final = 3
"""Each transaction begins while the one before is being closed; this is the pause until it is asked again."""
MAX_RECORD_BYTES: Final = 4 * 1024 * 1024
SESSION_MS: Final = 6_000
"""A killed reader's partitions are given to others so long after its last sign of life: the least that a
broker allows by default (`group.min.session.timeout.ms`)."""
HEARTBEAT_MS: Final = 500
"""The others hear that they are to share anew within this."""
POLL_AT_LEAST_EVERY_MS: Final = 60_000
CLOSE_S: Final = 1.0

COMMON: Final[Mapping[str, Any]] = {
    "bootstrap_timeout_ms": BOOTSTRAP_MS,
    "request_timeout_ms": REQUEST_MS,
    "reconnect_backoff_max_ms": 1_000,
}


class Producer(KafkaProducer):  # type: ignore[misc]  # the library is untyped
    """A transactional producer whose ends can be waited for with a limit; the library's own have none."""

    def commit_within(self, limit_ms: int) -> None:
        """KafkaTimeoutError: whether it was committed is unknown."""
        self._finish_within(self._transaction_manager.begin_commit(), limit_ms)

    def abort_within(self, limit_ms: int) -> None:
        self._finish_within(self._transaction_manager.begin_abort(), limit_ms)

    def add_offsets_within(self, offsets: Mapping[Any, Any], group: str, limit_ms: int) -> None:
        """The group's offsets become part of the open transaction."""
        self._finish_within(
            self._transaction_manager.send_offsets_to_transaction(dict(offsets), group), limit_ms
        )

    def discard(self) -> None:
        """Ends it without sending what waits; raises nothing."""
        self._sender.force_close()
        with contextlib.suppress(KafkaError):  # it was poisoned, or the broker is away
            self.close(timeout=CLOSE_S)

    def _finish_within(self, result: Any, limit_ms: int) -> None:
        self._sender.wakeup()
        if not result.wait(limit_ms):
            raise KafkaTimeoutError(f"no answer to the transaction's end within {limit_ms} ms")


class Consumer(KafkaConsumer):  # type: ignore[misc]  # the library is untyped
    """A member of a group that ends every join it began."""

    def go_on_joining(self) -> None:
        """Before every poll. A join that outlives a poll is ended by a later one only if the library still
        finds it needed; but for a changed set of topics, or of partitions, it no longer does once its own
        request is under way. Its member would be silent, without heartbeats, for ever."""
        if self._coordinator.rejoining:
            self._coordinator.request_rejoin()


def connected(kind: Any, endpoint: Endpoint, **options: Any) -> Any:
    """An object of the library. A constructor that fails leaves its inner client behind, with a thread for
    every attempt at an absent broker: so that one is remembered, and closed."""
    inside: list[Any] = []

    def remember(**config: Any) -> Any:
        inside.append(KafkaNetClient(**config))
        return inside[-1]

    try:
        return kind(**{**endpoint.options(), **COMMON, **options, "kafka_client": remember})
    except BaseException:
        for client in inside:
            with contextlib.suppress(KafkaError, RuntimeError, OSError):
                client.close()
        raise


def producer(endpoint: Endpoint, transactional_id: str) -> Producer:
    """Connected; its transactions are not begun, so nobody is fenced yet."""
    made: Producer = connected(
        Producer,
        endpoint,
        client_id=transactional_id,
        transactional_id=transactional_id,
        transaction_timeout_ms=TRANSACTION_MS,
        delivery_timeout_ms=DELIVERY_MS,
        max_block_ms=REQUEST_MS,
        max_request_size=MAX_RECORD_BYTES,
        batch_size=128 * 1024,
        linger_ms=5,
        retry_backoff_ms=RETRY_PAUSE_MS,
        compression_type=None,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )
    return made


def consumer(endpoint: Endpoint, group: str, **more: Any) -> Consumer:
    """A reader of committed records that commits nothing by itself."""
    made: Consumer = connected(
        Consumer,
        endpoint,
        **{
            "client_id": group,
            "group_id": group,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "isolation_level": "read_committed",
            "session_timeout_ms": SESSION_MS,
            "heartbeat_interval_ms": HEARTBEAT_MS,
            "max_poll_interval_ms": POLL_AT_LEAST_EVERY_MS,
            "max_partition_fetch_bytes": MAX_RECORD_BYTES,
            "fetch_max_bytes": 2 * MAX_RECORD_BYTES,
            "fetch_max_wait_ms": 250,
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
            **more,
        },
    )
    return made


def close_consumer(consumer: KafkaConsumer) -> None:
    """Leaves the group if the broker answers at once; raises nothing."""
    with contextlib.suppress(KafkaError, RuntimeError):  # it was poisoned, or the broker is away
        consumer.close(autocommit=False, timeout_ms=int(CLOSE_S * 1000))


def admin(endpoint: Endpoint) -> KafkaAdminClient:
    return connected(KafkaAdminClient, endpoint)


def close_admin(admin: KafkaAdminClient) -> None:
    with contextlib.suppress(KafkaError, RuntimeError):
        admin.close()
