"""The library's objects as this project uses them: every wait bounded, nothing automatic."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import KafkaError, KafkaTimeoutError  # type: ignore[import-untyped]
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
from kafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]

from hub.bus.kafka import unusable
from hub.bus.kafka.attempts import Client
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.fetching import bound
from hub.bus.kafka.sending import SendersClient
from hub.bus.kafka.wire import Address
from hub.ports.broker import BrokerRefused

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

UNFOUND: Final = "no broker says that it coordinates this transactional id"
UNENDED: Final = "the coordinator has not ended a predecessor's transaction yet, or is still loading"

Send = Callable[..., Awaitable[Any]]

COMMON: Final[Mapping[str, Any]] = {
    "bootstrap_timeout_ms": BOOTSTRAP_MS,
    "request_timeout_ms": REQUEST_MS,
    "reconnect_backoff_max_ms": 1_000,
}


class Producer(KafkaProducer):  # type: ignore[misc]  # the library is untyped
    """A transactional producer whose ends can be waited for with a limit; the library's own have none."""

    def take_over(self) -> None:
        """`init_transactions`, which says only that its time is over; here it is said what it waited for."""
        try:
            self.init_transactions()
        except KafkaTimeoutError as error:
            found = self._transaction_manager._transaction_coordinator is not None
            raise KafkaTimeoutError(UNENDED if found else UNFOUND) from error

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

    def stored(self, part: TopicPartition, limit_ms: int) -> OffsetAndMetadata | None:
        """What the group stored for the partition; None if nothing. Raises what the broker answered last:
        the library tries again whatever may pass (NOT_COORDINATOR, UNSTABLE_OFFSET_COMMIT, ...), and at its
        limit says "KafkaTimeoutError: None", whatever it was. Seen for minutes, after the only broker was
        killed, and nobody could tell what was amiss."""
        answers: list[KafkaError] = []
        for name in ("_send_group_coordinator_request", "_send_offset_fetch_request"):
            setattr(self._coordinator, name, _listened(getattr(self._coordinator, name), answers))
        try:
            found: OffsetAndMetadata | None = self.committed(part, metadata=True, timeout_ms=limit_ms)
        except KafkaTimeoutError as error:
            raise (
                answers[-1] if answers else KafkaTimeoutError(f"no answer within {limit_ms} ms")
            ) from error
        finally:
            for name in ("_send_group_coordinator_request", "_send_offset_fetch_request"):
                delattr(self._coordinator, name)
        return found


def _listened(send: Send, answers: list[KafkaError]) -> Send:
    """The same request; what it fails with is remembered."""

    async def listened(*arguments: Any) -> Any:
        try:
            return await send(*arguments)
        except KafkaError as error:
            answers.append(error)
            raise

    return listened


class _Attempts:
    """How the connections of a client that is being made came about, or why not: the library only logs it.
    All of them, for the same refusal may end one attempt with the broker's words and the next without."""

    def __init__(self, client: KafkaNetClient) -> None:
        self.client = client
        self._manager, self._connect = client._manager, client._manager._connect
        self._manager._connect = self._listened
        self._ended: list[tuple[Address, BaseException | None]] = []

    async def _listened(self, node: Any, connection: Any, **more: Any) -> None:
        await self._connect(node, connection, **more)
        self._ended.append(((node.host, node.port), connection.init_future.exception))

    def are_over(self) -> None:
        self._manager._connect = self._connect

    def why(self, endpoint: BrokerListener) -> str | None:
        """The sentence for what somebody has to mend; None where it is the network."""
        said = unusable.why(endpoint, self._ended)
        return said and f"{endpoint.names}_BOOTSTRAP: {said}"


def connected(kind: Any, endpoint: BrokerListener, **options: Any) -> Any:
    """An object of the library. A constructor that fails leaves its inner client behind, with a thread for
    every attempt at an absent broker: so that one is remembered, and closed. BrokerRefused where somebody is
    there, but TLS or the sign-in fails."""
    inside: list[_Attempts] = []
    client = SendersClient if issubclass(kind, KafkaProducer) else Client

    def remember(**config: Any) -> Any:
        inside.append(_Attempts(client(**config)))
        return inside[-1].client

    try:
        made = kind(**{**endpoint.options(), **COMMON, **options, "kafka_client": remember})
    except BaseException as error:
        for attempts in inside:
            with contextlib.suppress(KafkaError, RuntimeError, OSError):
                attempts.client.close()
        if isinstance(error, KafkaError) and inside and (said := inside[0].why(endpoint)):
            raise BrokerRefused(said) from error
        raise
    for attempts in inside:
        attempts.are_over()
    return made


def producer(endpoint: BrokerListener, transactional_id: str) -> Producer:
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


def consumer(endpoint: BrokerListener, group: str, **more: Any) -> Consumer:
    """A reader of committed records that commits nothing by itself, and passes what it cannot open."""
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
    bound(made)
    return made


def close_consumer(consumer: KafkaConsumer) -> None:
    """Leaves the group if the broker answers at once; raises nothing."""
    with contextlib.suppress(KafkaError, RuntimeError):  # it was poisoned, or the broker is away
        consumer.close(autocommit=False, timeout_ms=int(CLOSE_S * 1000))


def admin(endpoint: BrokerListener) -> KafkaAdminClient:
    return connected(KafkaAdminClient, endpoint)


def close_admin(admin: KafkaAdminClient) -> None:
    with contextlib.suppress(KafkaError, RuntimeError):
        admin.close()
