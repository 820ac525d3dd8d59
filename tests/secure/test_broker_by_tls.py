"""The hub at a broker with TLS: who may sign in, and which sentence each fault gets. On a real broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.probe import KafkaListenerProbe
from hub.bus.kafka.topics import KafkaTopics
from hub.ports.broker import BrokerAway, ListenerUnsafe
from tests.bus.kafka_broker.tokens import Issuer
from tests.secure.authority import Authority, written
from tests.secure.secure_broker import PASSWORD, SecureBroker

WRONG = "kata-sandi-yang-salah-77"
ENDS_WITHIN_S = 20.0
"""Far more than the five seconds that an attempt takes; a hang is longer."""


def hub_at(broker: SecureBroker, listener: str, **changes: Any) -> BrokerListener:
    """The endpoint of a hub that is set up rightly, but for the changes."""
    options = {"tls": True, "ca_file": broker.ca_file, "username": "hub", "password": PASSWORD} | changes
    return BrokerListener(broker.at(listener), **options)


async def said_of(endpoint: BrokerListener) -> str | None:
    """What /readyz would say of the broker; None when it can be used."""
    topics = KafkaTopics(endpoint, "rapi.")
    began_s = time.monotonic()
    await topics.start()
    try:
        await topics.ping()
    except BrokerAway as away:
        assert topics.away == str(away)
    finally:
        await topics.stop()
    assert time.monotonic() - began_s < ENDS_WITHIN_S
    return topics.away


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
async def test_the_hub_signs_in_by_each_mechanism_of_its_settings(
    broker: SecureBroker, mechanism: str
) -> None:
    assert await said_of(hub_at(broker, "HUB", mechanism=mechanism)) is None


NO_USER = {"username": None, "password": None}
FAULTS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "another authority": (
        "STRANGER",
        {},
        ("its certificate is signed by an authority that is not in", "SIMPUL_KAFKA_CA_FILE", "authority.pem"),
    ),
    "no authority": ("HUB", {"ca_file": None}, ("not trusted by this machine", "Set SIMPUL_KAFKA_CA_FILE")),
    "another name": ("MISNAMED", {}, ("not valid for 'localhost'", "Set SIMPUL_KAFKA_BOOTSTRAP to a name")),
    "expired": ("EXPIRED", {}, ("its certificate has expired", "Renew it")),
    "wrong password": (
        "HUB",
        {"password": WRONG},
        ("does not take the user 'hub' with this password", "SCRAM-SHA-512", "SIMPUL_KAFKA_PASSWORD"),
    ),
    "wrong password, PLAIN": ("HUB", {"password": WRONG, "mechanism": "PLAIN"}, ("SIMPUL_KAFKA_PASSWORD",)),
    "other mechanism": ("AGENCY", {}, ("does not offer SCRAM-SHA-512", "SIMPUL_KAFKA_SASL_MECHANISM")),
    "no user": ("HUB", NO_USER, ("it asks for a sign-in", "Set SIMPUL_KAFKA_USERNAME")),
    "nobody signs in there": ("OPEN", {}, ("asks nobody to sign in", "SIMPUL_KAFKA_USERNAME unset")),
    "TLS at a plain listener": ("PLAIN", {}, ("does it speak TLS?", "leave SIMPUL_KAFKA_TLS unset")),
    "plain at a TLS listener": ("HUB", {"tls": False}, ("speaks TLS", "Set SIMPUL_KAFKA_TLS")),
    "plain, no user": ("HUB", {"tls": False} | NO_USER, ("speaks TLS", "Set SIMPUL_KAFKA_TLS")),
    "clients need certificates": (
        "MUTUAL",
        NO_USER,
        ("asks its clients for a certificate", "SIMPUL_KAFKA_USERNAME"),
    ),
}


async def test_each_fault_has_its_sentence_and_none_a_password(broker: SecureBroker) -> None:
    """All at once, for each takes its five seconds."""
    with capture_logs() as logged:
        told = await asyncio.gather(
            *(said_of(hub_at(broker, listener, **changes)) for listener, changes, _ in FAULTS.values())
        )
    for (fault, (listener, _, words)), said in zip(FAULTS.items(), told, strict=True):
        assert said is not None, fault
        assert said.startswith(f"SIMPUL_KAFKA_BOOTSTRAP: {broker.at(listener)}: "), (fault, said)
        for word in words:
            assert word in said, (fault, said)
    for secret in (PASSWORD, WRONG):
        assert secret not in str(told) + str(logged)
    assert {entry["event"] for entry in logged} == {"kafka_away"}


async def test_an_authority_that_is_added_while_the_hub_waits_is_enough(
    broker: SecureBroker, tmp_path: Path
) -> None:
    """An operator mends the file; nobody starts the hub anew."""
    trusted = written(tmp_path, "trusted.pem", Authority("Otoritas yang keliru").root())
    topics = KafkaTopics(hub_at(broker, "HUB", ca_file=trusted), "rapi.")
    await topics.start()
    try:
        with pytest.raises(BrokerAway, match="SIMPUL_KAFKA_CA_FILE"):
            await topics.ping()
        trusted.write_bytes(broker.ca_file.read_bytes())
        deadline = time.monotonic() + 30
        while topics.away is not None:
            assert time.monotonic() < deadline, topics.away
            await asyncio.sleep(0.05)
    finally:
        await topics.stop()


# --- the agencies' listener ---------------------------------------------------------------------------------


@pytest.fixture
def probe(broker: SecureBroker) -> Callable[..., KafkaListenerProbe]:
    def at(*listeners: str, tls: bool = True) -> KafkaListenerProbe:
        bootstrap = ",".join(broker.at(listener) for listener in listeners)
        return KafkaListenerProbe(BrokerListener(bootstrap, tls, broker.ca_file, names="SIMPUL_KAFKA_AGENCY"))

    return at


async def test_a_listener_that_verifies_is_sound(
    probe: Callable[..., KafkaListenerProbe], issuer: Issuer
) -> None:
    assert await probe("AGENCY").check(issuer.token("hub-probe")) is None


@pytest.mark.parametrize(
    ("listener", "what"), [("LOOSE", "no signature (alg none)"), ("OPEN", "everybody, without any token")]
)
async def test_tls_alone_proves_nobody(
    broker: SecureBroker,
    probe: Callable[..., KafkaListenerProbe],
    issuer: Issuer,
    listener: str,
    what: str,
) -> None:
    """A listener that verifies no token is found out through TLS, also beside one that does."""
    with pytest.raises(ListenerUnsafe) as unsafe:
        await probe("AGENCY", listener).check(issuer.token("hub-probe"))
    assert f"SIMPUL_KAFKA_AGENCY_BOOTSTRAP: the broker at {broker.at(listener)} lets in" in str(unsafe.value)
    assert what in str(unsafe.value)


@pytest.mark.parametrize(
    ("listener", "tls", "words"),
    [
        ("STRANGER", True, ("signed by an authority that is not in", "SIMPUL_KAFKA_CA_FILE")),
        ("MISNAMED", True, ("not valid for 'localhost'", "Set SIMPUL_KAFKA_AGENCY_BOOTSTRAP to a name")),
        ("EXPIRED", True, ("has expired", "Renew it")),
        ("PLAIN", True, ("does it speak TLS?", "leave SIMPUL_KAFKA_AGENCY_TLS unset")),
        ("AGENCY", False, ("speaks TLS", "Set SIMPUL_KAFKA_AGENCY_TLS")),
        ("MUTUAL", True, ("asks its clients for a certificate", "ssl.client.auth=none")),
    ],
)
async def test_a_listener_that_cannot_be_tried_says_why(
    broker: SecureBroker,
    probe: Callable[..., KafkaListenerProbe],
    issuer: Issuer,
    listener: str,
    tls: bool,
    words: tuple[str, ...],
) -> None:
    with pytest.raises(BrokerAway) as away:
        await probe(listener, tls=tls).check(issuer.token("hub-probe"))
    said = str(away.value)
    assert said.startswith(f"SIMPUL_KAFKA_AGENCY_BOOTSTRAP: no broker can be used: {broker.at(listener)}: ")
    for word in words:
        assert word in said


async def test_one_bad_certificate_among_several_is_told(
    broker: SecureBroker, probe: Callable[..., KafkaListenerProbe], issuer: Issuer
) -> None:
    said = await probe("AGENCY", "EXPIRED").check(issuer.token("hub-probe"))
    assert said is not None
    assert said.startswith(f"{broker.at('EXPIRED')}: its certificate has expired")
