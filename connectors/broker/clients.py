"""kafka-python's objects as a connector uses them: every wait bounded, nothing automatic."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, errors  # type: ignore[import-untyped]
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
from kafka.net.sasl.oauth import AbstractTokenProvider  # type: ignore[import-untyped]

from connectors.broker import troubles
from connectors.broker.settings import Kafka
from connectors.broker.sign_in import SignIn, ask, speaks_tls
from connectors.errors import BrokerAway, ConnectorError
from connectors.words import why_unreachable

REQUEST_MS: Final = 5_000
BOOTSTRAP_MS: Final = 5_000
DELIVERY_MS: Final = 15_000
REACH_S: Final = 2.0
CLOSE_S: Final = 1.0
PAUSE_MS: Final = 50
"""Until a producer looks for an absent broker again; answers of the others are taken meanwhile."""
MAX_RECORD_BYTES: Final = 4 * 1024 * 1024
COMMON: Final[Mapping[str, Any]] = {
    "bootstrap_timeout_ms": BOOTSTRAP_MS,
    "request_timeout_ms": REQUEST_MS,
    "reconnect_backoff_max_ms": 1_000,
}


_LOST: Final = ("socket disconnected", "Connection lost", "Connection failed", "Abort (")


class _Ear(logging.Handler):
    """The library tells some things in its log alone: why a sign-in failed, whose error is that of an absent
    broker, and that a connection was lost, of which a reader hears nothing."""

    refused_at = float("-inf")
    lost_at = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if "SaslAuthenticationFailed" in said:
            self.refused_at = time.monotonic()
        elif any(words in said for words in _LOST):
            self.lost_at = time.monotonic()


EAR: Final = _Ear(logging.WARNING)


def _listen() -> None:
    """Takes the library's log, which repeats itself for every attempt; what matters is said in our words."""
    logger = logging.getLogger("kafka")
    if EAR not in logger.handlers:
        logger.addHandler(EAR)
        logger.setLevel(logging.WARNING)
        logger.propagate = False


class _SendersClient(KafkaNetClient):  # type: ignore[misc]  # the library is untyped
    """The library's client as its sender (3.0) reads it: else that one takes a whole processor while a broker
    is away. The hub's twin, which a connector may not import, is in hub/bus/kafka/sending.py: change both."""

    def connection_delay(self, node_id: Any) -> float:
        """In milliseconds, and never none; the parent's are seconds."""
        return max(float(super().connection_delay(node_id)) * 1000, PAUSE_MS)


class _Provider(AbstractTokenProvider):  # type: ignore[misc]  # the library is untyped
    """Called on the library's own thread: gives what is there."""

    def __init__(self, present: Callable[[], str]) -> None:
        super().__init__()
        self._present = present

    def token(self) -> str:
        return self._present()


@dataclass(frozen=True)
class Endpoint:
    """The agencies' listener and how this client signs in there. `token` gives the present one at once."""

    kafka: Kafka
    client_id: str
    token: Callable[[], str]

    def consumer(self) -> KafkaConsumer:
        """A reader of committed records. It joins no group: its places are kept in the spool, every partition
        is its own, and no second reader can take one from it."""
        return self._make(
            KafkaConsumer,
            metrics_enabled=False,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=250,
            max_poll_records=1000,
            max_partition_fetch_bytes=MAX_RECORD_BYTES,
            fetch_max_bytes=2 * MAX_RECORD_BYTES,
            allow_auto_create_topics=False,
        )

    def producer(self) -> KafkaProducer:
        """Acknowledged by all replicas, in order, none twice. What is not acknowledged when the program ends
        is in the spool: the library shall not try to flush it then."""
        made = self._make(
            KafkaProducer,
            metrics_enabled=False,
            acks="all",
            enable_idempotence=True,
            delivery_timeout_ms=DELIVERY_MS,
            max_block_ms=REQUEST_MS,
            max_request_size=MAX_RECORD_BYTES,
            linger_ms=5,
            batch_size=128 * 1024,
            allow_auto_create_topics=False,
        )
        made._unregister_cleanup()
        return made

    def admin(self) -> KafkaAdminClient:
        return self._make(KafkaAdminClient)

    def told(self, error: BaseException, since_s: float) -> ConnectorError:
        """The library's error in our words. `since_s`: when the attempt began, on the monotonic clock."""
        where = self.kafka.bootstrap
        if isinstance(error, errors.SaslAuthenticationFailedError) or EAR.refused_at >= since_s:
            return troubles.token_refused(where)
        if isinstance(error, (errors.UnsupportedSaslMechanismError, errors.IllegalSaslStateError)):
            return troubles.no_sign_in(where)
        return self._refusal() or BrokerAway(
            f"the broker at {where} does not answer ({type(error).__name__})"
        )

    def reach(self) -> None:
        """BrokerAway when none of the addresses takes a connection."""
        why = ""
        for address in self.kafka.addresses():
            try:
                socket.create_connection(address, REACH_S).close()
            except OSError as error:
                why = why_unreachable(error)
            else:
                return
        raise BrokerAway(f"the broker at {self.kafka.bootstrap} does not answer ({why})")

    def _refusal(self) -> ConnectorError | None:
        """Whether it refuses TLS or the token, or takes none, by its own words; the library may learn it
        later, or never."""
        where, tls = self.kafka.bootstrap, self.kafka.tls_context()
        for address in self.kafka.addresses():
            try:
                said = ask(address, tls, self.token(), REACH_S)
            except ssl.SSLError as error:
                return troubles.no_trust(where, self.kafka.ca_file, error)
            if said is SignIn.REFUSED:
                return troubles.token_refused(where)
            if said is SignIn.OTHER_LISTENER:
                return troubles.no_sign_in(where)
            if said is SignIn.TAKEN:
                return None
            if tls is None and speaks_tls(address, REACH_S):
                return troubles.speaks_tls(where)
        return None

    def _make(self, kind: Any, **more: Any) -> Any:
        """A connected object; raises ConnectorError. A constructor of the library that fails leaves its
        thread behind, so its inner client is remembered and closed; and where nobody listens none is made."""
        _listen()
        self.reach()
        if (refusal := self._refusal()) is not None:
            raise refusal  # the library would try for BOOTSTRAP_MS
        began_s, inside = time.monotonic(), []
        client = _SendersClient if kind is KafkaProducer else KafkaNetClient

        def remember(**config: Any) -> Any:
            inside.append(client(**config))
            return inside[0]

        try:
            return kind(**self._options(), **COMMON, **more, kafka_client=remember)
        except errors.KafkaConfigurationError:
            raise  # a defect of ours; waiting helps nothing
        except errors.KafkaError as error:
            for client in inside:
                client.close()
            raise self.told(error, began_s) from error

    def _options(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": [address.strip() for address in self.kafka.bootstrap.split(",")],
            "client_id": f"{self.client_id}.simpul-connector",
            "security_protocol": "SASL_SSL" if self.kafka.tls else "SASL_PLAINTEXT",
            "ssl_context": self.kafka.tls_context(),
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauth_token_provider": _Provider(self.token),
        }


class Lookout:
    """Notices a broker that is gone: the library goes on in silence until its own time is over."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint, self._heard_s = endpoint, time.monotonic()

    def look(self) -> None:
        """BrokerAway when a connection was lost since the last look, and nobody takes another."""
        if EAR.lost_at > self._heard_s:
            self._heard_s = time.monotonic()
            self._endpoint.reach()


def close(*things: Any) -> None:
    """Ends them within CLOSE_S each; what is broken already, or unanswered, is left."""
    for thing in things:
        with contextlib.suppress(errors.KafkaError, RuntimeError, OSError):
            if isinstance(thing, KafkaConsumer):
                thing.close(autocommit=False, timeout_ms=int(CLOSE_S * 1000))
            elif isinstance(thing, KafkaProducer):
                thing._sender.force_close()  # else close() waits for what was not sent, gives up, and stays
                thing.close(timeout=CLOSE_S)
            else:
                thing.close()
