"""The agencies' connector at a broker with TLS: what it takes, and which sentence each fault gets."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connectors.broker.clients import Endpoint, close
from connectors.broker.settings import Kafka
from connectors.errors import ConnectorError, NotAllowed
from tests.bus.kafka_broker.tokens import Issuer
from tests.secure.secure_broker import SecureBroker

ENDS_WITHIN_S = 10.0


def endpoint(broker: SecureBroker, listener: str, **changes: Any) -> Endpoint:
    issuer = Issuer()
    issuer.publish(broker.node)
    options = {"tls": True, "ca_file": str(broker.ca_file)} | changes
    kafka = Kafka(bootstrap=broker.at(listener), **options)
    return Endpoint(kafka, "klien-a", lambda: issuer.token("klien-a"))


def test_the_hubs_token_opens_the_listener(broker: SecureBroker) -> None:
    admin = endpoint(broker, "AGENCY").admin()
    try:
        assert admin.list_topics() == [], "it may see none"
    finally:
        close(admin)


@pytest.mark.parametrize(
    ("listener", "changes", "words"),
    [
        ("STRANGER", {}, ("signed by an authority that is not in kafka.ca_file", "authority.pem")),
        ("AGENCY", {"ca_file": ""}, ("not trusted by this machine", "set kafka.ca_file")),
        ("MISNAMED", {}, ("not valid for 'localhost'", "kafka.bootstrap")),
        ("EXPIRED", {}, ("has expired", "the hub's operator")),
        ("PLAIN", {}, ("does it speak TLS?", "kafka.bootstrap")),
        ("AGENCY", {"tls": False}, ("speaks TLS", "leave kafka.tls out")),
        ("HUB", {}, ("takes no OAUTHBEARER sign-in",)),
    ],
)
def test_each_fault_has_its_sentence(
    broker: SecureBroker, listener: str, changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    """It does not mend itself, so it is not called an absent broker."""
    began_s = time.monotonic()
    with pytest.raises(ConnectorError) as refused:
        endpoint(broker, listener, **changes).admin()
    assert time.monotonic() - began_s < ENDS_WITHIN_S
    assert isinstance(refused.value, NotAllowed)
    said = str(refused.value)
    assert broker.at(listener) in said
    for word in words:
        assert word in said
