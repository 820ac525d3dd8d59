"""What stands between an agency and its topics is said in words, by `check` and while it runs."""

from __future__ import annotations

import pytest

from connectors.broker.settings import Kafka, check_kafka
from connectors.config import Hub
from connectors.errors import ConfigRefused
from tests.bus.kafka_broker.tokens import Issuer
from tests.connectors.agency_system import AgencySystem
from tests.connectors.kafka_kind.kafka_hub import KafkaHub
from tests.connectors.kafka_kind.test_kafka_down import configure, deliver
from tests.connectors.kafka_kind.test_kafka_up import BY_KAFKA
from tests.connectors.office import Office
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.local_server import free_port


def checked(connector: ConnectorProcess) -> str:
    return connector.run("check").stdout


def test_check_shows_that_everything_is_in_place_and_changes_nothing(
    office: Office, member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    member.apply()
    configure(member, connector, deliver(system), BY_KAFKA)
    office.forward("1")
    member.relay()
    ran = connector.run("check")
    assert ran.returncode == 0, ran.stdout
    for line in (
        "ok     reachable, and it takes the token that the hub gave this client",
        f"ok     {member.topic} can be read; partition 0: at 0 of ",
        f"ok     {member.inbound} can be written (nothing was written now)",
    ):
        assert line in ran.stdout
    assert member.bench.read(member.inbound) == []
    assert not connector.spool.exists()
    assert "/v1/mailbox/cursor" not in str(member.calls)


def test_an_agency_that_did_not_choose_kafka_is_told_so(
    member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    member.audience = []
    configure(member, connector, deliver(system))
    said = checked(connector)
    assert (
        f"WRONG  the hub's token is not for Kafka (its audience lacks simpul-kafka): choose Kafka with PATCH "
        f'/v1/agencies/{member.member.agency} {{"kafka": true}}' in said
    )
    assert "simpul topics apply" in said


def test_a_missing_topic_and_a_missing_right_are_told_and_mended_while_it_runs(
    office: Office, member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    configure(member, connector, deliver(system), BY_KAFKA)
    assert f"WRONG  the broker shows this client no topic {member.topic}" in checked(connector)
    connector.start()
    stuck = "reading the topic cannot go on; this does not mend itself: somebody must; nothing is lost"
    eventually(lambda: stuck in connector.events(), "it is said")
    (line,) = [line for line in connector.logged() if line["event"] == stuck]
    assert line["level"] == "error" and "simpul topics apply" in line["cause"]
    member.apply()
    eventually(lambda: "reading the topic goes on" in connector.events(), "mended")
    office.forward("1")
    member.relay()
    eventually(lambda: system.got, "the event")
    assert not any("away" in event for event in connector.events())


def test_a_right_that_is_withdrawn_later_is_noticed(
    office: Office, member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    """The library alone would stay silent for ever."""
    member.apply()
    configure(member, connector, deliver(system), BY_KAFKA)
    connector.start()
    office.forward("1")
    member.relay()
    eventually(lambda: system.got, "it reads")
    member.forbid()
    eventually(lambda: any("cannot go on" in event for event in connector.events()), "it is said", 40)
    assert "shows this client no topic" in checked(connector)
    member.allow()
    eventually(lambda: "reading the topic goes on" in connector.events(), "mended")


def test_a_token_that_the_broker_refuses_is_not_called_an_absent_broker(
    member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    """A signature of nobody that it knows; the library's error is the same for both."""
    member.apply()
    right, member.issuer = member.issuer, Issuer()
    configure(member, connector, deliver(system))
    said = checked(connector)
    assert f"WRONG  the broker at {member.node.agency_bootstrap} refuses the hub's token" in said
    connector.start()
    eventually(lambda: any("cannot go on" in event for event in connector.events()), "it is said", 40)
    assert not any("away" in event for event in connector.events())
    member.issuer = right
    eventually(lambda: "reading the topic goes on" in connector.events(), "the next token is taken")


def test_a_wrong_address_and_the_wrong_listener_are_told(
    member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    member.apply()
    agency = member.node.agency
    try:
        member.node.agency = free_port()
        configure(member, connector, deliver(system))
        assert f"the broker at {member.node.agency_bootstrap} does not answer (connection refused" in checked(
            connector
        )
        member.node.agency = member.node.internal
        configure(member, connector, deliver(system))
        assert f"WRONG  the listener at {member.node.bootstrap} takes no OAUTHBEARER" in checked(connector)
    finally:
        member.node.agency = agency


@pytest.mark.parametrize(
    ("kafka", "submit", "key"),
    [
        (None, "kafka", "hub.submit"),
        (Kafka(bootstrap="kafka.simpul.example.go.id"), "http", "kafka.bootstrap"),
        (Kafka(bootstrap="a:9094,b:x"), "http", "kafka.bootstrap"),
        (Kafka(bootstrap="a:9094", ca_file="/tidak/ada.pem"), "http", "kafka.ca_file"),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(kafka: Kafka | None, submit: str, key: str) -> None:
    with pytest.raises(ConfigRefused) as caught:
        check_kafka(kafka, Hub(url="https://simpul.example.go.id", submit=submit))
    assert caught.value.key == key
