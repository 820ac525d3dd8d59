"""Kind `kafka`, from the hub: every event once, in its order, whatever the topic holds, through kills."""

from __future__ import annotations

from typing import Any

from connectors.delivering import DeliverHttp
from tests.connectors.agency_system import AgencySystem
from tests.connectors.kafka_kind.conftest import Join
from tests.connectors.kafka_kind.kafka_hub import KafkaHub
from tests.connectors.office import Office
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts import kafka
from tests.parts.hub import HubProcess

AT_ONCE = DeliverHttp(url="http://127.0.0.1").at_once
"""So many calls a kill may interrupt."""


def configure(
    member: KafkaHub, connector: ConnectorProcess, rest: str, hub: str = "", broker: str = ""
) -> None:
    connector.configure(
        f"""
kind = "kafka"
agency = "{member.member.agency}"
spool = "{connector.spool}"
[hub]
url = "{member.url}"
backoff_cap_s = 0.3
{hub}
[kafka]
bootstrap = "{member.node.agency_bootstrap}"
tls = false
topic_prefix = "{member.bench.prefix}"
{broker}
{rest}
""",
        member.member,
    )


def deliver(system: AgencySystem) -> str:
    return f'[deliver]\nevent_types = ["*"]\n[deliver.http]\nurl = "{system.url}"'


def ids(member: KafkaHub) -> list[str]:
    """What the hub's mailbox holds."""
    return [item["event"]["id"] for item in member.member.events()]


def got(system: AgencySystem) -> list[str]:
    return [event["id"] for event in system.got]


def by_subject(events: list[dict[str, Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for event in events:
        found.setdefault(event["subject"], []).append(int(event["sequence"]))
    return found


def mailbox_pages(member: KafkaHub) -> int:
    return member.calls.count("GET /v1/mailbox")


def test_events_come_by_the_topic_alone_once_and_in_order_through_kills(
    office: Office, member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    member.apply()
    configure(member, connector, deliver(system))
    legs = [office.forward(str(number)) for number in range(6)]
    for leg in legs:
        office.answer(leg, "Sudah.")
    member.relay(structured=True)
    connector.start()
    eventually(lambda: len(system.got) >= 3, "some were handed over")
    connector.restart()
    more = [office.forward(str(number)) for number in range(6, 9)]
    member.relay()
    eventually(lambda: len(set(got(system))) == len(ids(member)), "all of them")
    assert set(got(system)) == set(ids(member))
    again = len(got(system)) - len(ids(member))
    assert again <= AT_ONCE, "at most those that the kill interrupted came again"
    assert all(leg["id"] in str(system.got) for leg in more)
    in_order = by_subject(list({event["id"]: event for event in system.got}.values()))
    assert all(numbers == sorted(numbers) for numbers in in_order.values())
    eventually(lambda: office.settled(member.member), "what took effect is acknowledged")
    troubles = [
        line for line in connector.logged() if "away" in line["event"] or "cannot go on" in line["event"]
    ]
    assert troubles == []
    assert connector.stop() < 5
    spool = connector.run("check").stdout
    assert f"events: {len(ids(member))} done" in spool


def test_what_the_topic_lost_and_never_held_comes_from_the_mailbox(
    office: Office, member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    """As after a week off: the front has expired, and in between something is missing."""
    member.apply()
    configure(member, connector, deliver(system))
    for number in range(5):
        office.answer(office.forward(str(number)), "Sudah.")
    total = len(ids(member))
    member.relay(skip=[*range(1, 7), 9, 10])
    connector.start()
    eventually(lambda: len(set(got(system))) == total, "all of them")
    assert got(system) == list(dict.fromkeys(got(system)))
    assert all(numbers == sorted(numbers) for numbers in by_subject(system.got).values())
    assert any("fetched over HTTP" in event for event in connector.events())


def test_an_empty_topic_withholds_nothing(
    office: Office, member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    """Everything expired, and nothing new happens: a silence is compared with the mailbox."""
    member.apply()
    configure(member, connector, deliver(system))
    office.forward("1")
    connector.start()
    eventually(lambda: len(system.got) == len(ids(member)), "by HTTP")
    member.relay()
    leg = office.forward("2")
    pages = mailbox_pages(member)
    member.relay()
    eventually(lambda: leg["id"] in str(system.got), "by the topic")
    assert mailbox_pages(member) == pages
    assert len(got(system)) == len(set(got(system))) == len(ids(member))


def test_records_that_are_no_events_and_those_of_another_incarnation_harm_nothing(
    office: Office, member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    member.apply()
    configure(member, connector, deliver(system))
    office.forward("1")
    (first, *_) = member.member.events()
    stale = first["event"] | {"id": "0197-lama", "data": {"text": "dari sebelum pemulihan"}}
    member.publish(stale, 1, "inkarnasi-lama")
    member.producer.send(member.topic, b"bukan peristiwa", b"x")
    member.producer.send(member.topic, b"{", b"x", [("content-type", b"application/cloudevents+json")])
    member.relay()
    connector.start()
    eventually(lambda: len(system.got) == len(ids(member)), "the hub's own")
    assert set(got(system)) == set(ids(member))
    eventually(lambda: connector.log.read_text().count("record passed over") == 2, "both are named")


def test_a_restored_hub_is_followed_and_nothing_is_handed_over_twice(
    own_hub: HubProcess, node: kafka.Node, connector: ConnectorProcess, system: AgencySystem, prefix: str
) -> None:
    from tests.bus.kafka_broker.brokerwork import Bench
    from tests.bus.kafka_broker.tokens import Issuer

    office, issuer = Office.open(own_hub), Issuer()
    issuer.publish(node)
    with (
        Bench(node.bootstrap, prefix) as bench,
        KafkaHub(own_hub, office.ministry, node, bench, issuer) as member,
    ):
        member.apply()
        configure(member, connector, f'[deliver.http]\nurl = "{system.url}"')
        office.forward("1")
        member.relay()
        connector.start()
        eventually(lambda: len(system.got) == 1, "the first event")
        backup, published = str(connector.folder / "backup.tar.gz"), member.published
        own_hub.desk("backup", backup)
        office.forward("2")
        member.relay()
        eventually(lambda: len(system.got) == 2, "the second, which the backup does not hold")
        own_hub.stop()
        own_hub.desk("restore", backup)
        own_hub.start()
        member.published = published
        office.forward("3")
        member.relay()
        eventually(lambda: len(system.got) == 3, "the third, at the position that the second had")
        references = [event["data"]["complaint"]["source"]["reference"] for event in system.got]
        assert references == ["1", "2", "3"]
        assert any("restored from a backup" in event for event in connector.events())


def test_a_broker_that_is_away_is_said_once_and_caught_up_with(
    office: Office, mortal_node: kafka.Node, join: Join, connector: ConnectorProcess, system: AgencySystem
) -> None:
    member = join(mortal_node)
    member.apply()
    configure(member, connector, deliver(system))
    connector.start()
    office.forward("1")
    member.relay()
    eventually(lambda: len(system.got) == len(ids(member)), "the first")
    mortal_node.stop()
    away = "the broker is away; waiting for it, nothing is lost"
    eventually(lambda: connector.events().count(away) == 1, "it is said soon", within_s=20)
    (line,) = [line for line in connector.logged() if line["event"] == away]
    assert mortal_node.agency_bootstrap in line["cause"]
    mortal_node.start()
    eventually(lambda: "the broker is back; catching up" in connector.events(), "and that it is back")
    office.forward("2")
    member.relay()
    eventually(lambda: len(system.got) == len(ids(member)), "the second")
    assert connector.events().count(away) == 1
    mortal_node.pause()
    assert connector.stop() < 5, "also while the broker hangs"
    mortal_node.go_on()


def test_a_session_goes_on_beyond_its_token(
    office: Office, member: KafkaHub, connector: ConnectorProcess, system: AgencySystem
) -> None:
    """The broker cuts a session at its token's end; the client signs in again before that."""
    member.apply()
    member.life_s = 5
    configure(member, connector, deliver(system))
    connector.start()
    for number in range(3):
        tokens = member.tokens
        office.forward(str(number))
        member.relay()
        eventually(lambda: len(system.got) == len(ids(member)), f"event {number}")
        eventually(lambda tokens=tokens: member.tokens > tokens, "the next token")  # type: ignore[misc]
    troubles = [
        line for line in connector.logged() if "away" in line["event"] or "cannot go on" in line["event"]
    ]
    assert troubles == []
