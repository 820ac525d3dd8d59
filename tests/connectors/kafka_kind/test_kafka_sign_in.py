"""What a broker says to a token is asked of it directly, without the library's timing."""

from __future__ import annotations

import logging
import socket
import time

import pytest

from connectors.broker.clients import EAR, Endpoint, Lookout
from connectors.broker.settings import Kafka
from connectors.broker.sign_in import SignIn, ask
from connectors.broker.troubles import TokenNotTaken
from connectors.errors import BrokerAway, NotAllowed
from tests.bus.kafka_broker.tokens import Issuer
from tests.parts import kafka
from tests.parts.local_server import free_port


def at(port: int) -> tuple[str, int]:
    return "127.0.0.1", port


def test_each_answer_is_told_from_the_others(node: kafka.Node) -> None:
    issuer = Issuer()
    issuer.publish(node)
    assert ask(at(node.agency), None, issuer.token("klien"), 5) is SignIn.TAKEN
    assert ask(at(node.agency), None, Issuer().token("klien"), 5) is SignIn.REFUSED
    assert ask(at(node.agency), None, "bukan token", 5) is SignIn.REFUSED
    assert ask(at(node.internal), None, issuer.token("klien"), 5) is SignIn.OTHER_LISTENER
    assert ask(at(free_port()), None, "x", 5) is SignIn.UNKNOWN


def test_something_that_is_no_kafka_is_no_answer() -> None:
    with socket.create_server(at(0)) as silent:
        began_s = time.monotonic()
        assert ask(at(silent.getsockname()[1]), None, "x", 0.1) is SignIn.UNKNOWN
        assert time.monotonic() - began_s < 2


def test_a_lost_connection_is_looked_into_at_once() -> None:
    """The library tells its log, and the reader nothing."""
    with socket.create_server(at(0)) as there:
        endpoints = [
            Endpoint(Kafka(bootstrap=f"127.0.0.1:{port}", tls=False), "k", lambda: "x")
            for port in (there.getsockname()[1], free_port())
        ]
        present, gone = [Lookout(endpoint) for endpoint in endpoints]
        gone.look()
        lost = logging.LogRecord("kafka", logging.ERROR, "", 0, "%s: socket disconnected", ("x",), None)
        EAR.emit(lost)
        present.look()
        with pytest.raises(BrokerAway, match="nothing listens there"):
            gone.look()
        gone.look()  # said once; the next loss is looked into again


def test_a_refused_token_is_told_where_the_library_has_not_said_why(node: kafka.Node) -> None:
    """As under load: the error is that of an absent broker, and the log is silent yet."""
    issuer = Issuer()
    issuer.publish(node)
    error, after_s = TimeoutError(), time.monotonic()

    def told(port: int, token: str) -> Exception:
        return Endpoint(Kafka(bootstrap=f"127.0.0.1:{port}", tls=False), "k", lambda: token).told(
            error, after_s
        )

    assert EAR.refused_at < after_s
    assert isinstance(told(node.agency, Issuer().token("klien")), TokenNotTaken)
    assert isinstance(told(node.internal, issuer.token("klien")), NotAllowed)
    assert isinstance(told(node.agency, issuer.token("klien")), BrokerAway)
    assert isinstance(told(free_port(), issuer.token("klien")), BrokerAway)
