"""Kind `kafka`, to the hub: complaints and acts as records, done when their reply came, in effect once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

from tests.connectors.apps import App
from tests.connectors.kafka_kind.conftest import Join
from tests.connectors.kafka_kind.kafka_hub import KafkaHub
from tests.connectors.kafka_kind.test_kafka_down import configure
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.connectors.test_mailbox_kind import IN_TABLES, database  # noqa: F401 (a fixture)
from tests.parts import kafka

BY_KAFKA = 'submit = "kafka"'


def app_config(
    app: App, office: Office, member: KafkaHub, connector: ConnectorProcess, extra: str, broker: str = ""
) -> None:
    """An app of the widespread schema whose agency submits by Kafka."""
    office.url = member.url
    table = f"""[kafka]
bootstrap = "{member.node.agency_bootstrap}"
tls = false
topic_prefix = "{member.bench.prefix}"
{broker}
"""
    sql_config(app, office, connector, extra + table, hub=BY_KAFKA)


def pending(connector: ConnectorProcess) -> int:
    """Read from the spool itself: `check` would wait for a broker that hangs."""
    with closing(sqlite3.connect(f"file:{connector.spool}?mode=ro", uri=True)) as spool:
        (count,) = spool.execute("SELECT count(*) FROM complaints WHERE state = 'pending'").fetchone()
    return int(count)


def posts(member: KafkaHub) -> list[str]:
    """What the connector itself asked of the hub by HTTP, but for tokens."""
    return [call for call in member.calls if call.startswith("POST")]


def test_an_app_submits_verifies_forwards_and_gets_its_answers_by_kafka_alone(
    sqlite: App, office: Office, join: Join, node: kafka.Node, connector: ConnectorProcess
) -> None:
    member = join(node, office.source)
    member.apply()
    member.take_commands()
    member.keep_relaying()
    sqlite.reports(30)
    app_config(sqlite, office, member, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: len(office.accepted()) >= 10, "some complaints")
    connector.restart()
    eventually(lambda: len(office.legs()) == 30, "all are forwarded")
    assert len(office.accepted()) == len(set(office.accepted())) == 30
    assert office.answer_all() == 30
    written = "SELECT id_pengaduan, count(*) FROM tanggapan GROUP BY 1"
    eventually(lambda: len(sqlite.run(written)) == 30, "the answers are in the app")
    assert {count for _, count in map(tuple, sqlite.run(written))} == {1}
    assert set(posts(member)) <= {"POST /v1/submissions/missing"}
    kinds = Counter(name for _, name in set(member.commands))
    assert kinds == {"complaint": 30, "verification": 30, "forwarding": 30}


def test_replies_are_records_and_their_refusals_are_those_of_http(
    office: Office,
    member: KafkaHub,
    connector: ConnectorProcess,
    database: sqlite3.Connection,  # noqa: F811
) -> None:
    member.apply()
    member.take_commands()
    configure(member, connector, IN_TABLES, BY_KAFKA)
    connector.env["MINISTRY_URL"] = f"sqlite:///{connector.folder / 'ministry.db'}"
    legs = [office.forward(str(number)) for number in range(3)]
    member.keep_relaying()
    connector.start()
    arrived = "SELECT count(*) FROM masuk"
    eventually(lambda: database.execute(arrived).fetchone()[0] == 3, "forwardings become rows")
    rows: list[tuple[object, ...]] = [
        (1, "accept", legs[0]["id"], None, None),
        (2, "answer", legs[0]["id"], "Selesai.", None),
        (3, "answer", legs[0]["id"], "Sekali lagi.", None),
        (4, "return", legs[1]["id"], None, "bukan kami"),
        (5, "answer", legs[2]["id"], "Tanpa menerima dulu.", None),
    ]
    for row in rows:
        database.execute("INSERT INTO balasan VALUES (?, ?, ?, ?, ?)", row)
    ended = ["answered", "sent", "answered"]
    eventually(lambda: [leg["status"] for _, leg in office.legs()] == ended, f"the hub has {ended}")
    eventually(lambda: "reply refused by the hub; the others go on" in connector.events(), "row 4")
    acts = Counter(name for _, name in member.commands)
    assert acts == {"acceptance": 2, "answer": 4, "return": 1}, (
        "of the last, and of row 3, it looks at the state"
    )
    assert posts(member) == []
    said = connector.run("check").stdout
    assert "row-4 (refused): 422" in said


def test_a_record_without_a_reply_is_sent_again_under_the_same_id(
    sqlite: App, office: Office, join: Join, node: kafka.Node, connector: ConnectorProcess
) -> None:
    member = join(node, office.source)
    member.apply()
    member.mute = 3
    member.take_commands()
    sqlite.reports(3)
    app_config(sqlite, office, member, connector, "", "reply_within_s = 1")
    connector.start()
    waits = "the hub's inbound role is away; waiting for it, nothing is lost"
    eventually(lambda: waits in connector.events(), "it says what it waits for")
    eventually(lambda: "3 sent" in connector.run("check").stdout, "the replies came")
    sent = Counter(number for number, _ in member.commands)
    assert sorted(sent.values()) == [2, 2, 2]
    assert len(office.accepted()) == 3
    assert connector.events().count(waits) == 1
    assert "the hub's inbound role is back; catching up" in connector.events()


def test_a_refused_complaint_stands_in_no_others_way(
    sqlite: App, office: Office, join: Join, node: kafka.Node, connector: ConnectorProcess
) -> None:
    """The hub has the reference with other content."""
    member = join(node, office.source)
    member.apply()
    member.take_commands()
    office.submit("2")
    sqlite.reports(3)
    app_config(sqlite, office, member, connector, "")
    connector.start()
    eventually(lambda: "1 refused, 2 sent" in connector.run("check").stdout, "the others are sent")
    assert "409 the hub has this reference with other content" in connector.run("check").stdout


def test_a_broker_that_dies_while_complaints_flow_costs_none(
    sqlite: App, office: Office, mortal_node: kafka.Node, join: Join, connector: ConnectorProcess
) -> None:
    member = join(mortal_node, office.source)
    member.apply()
    member.take_commands()
    app_config(sqlite, office, member, connector, "", "reply_within_s = 2")
    connector.start()
    sqlite.reports(5)
    eventually(lambda: len(office.accepted()) == 5, "the first")
    mortal_node.kill()
    sqlite.reports(5)
    eventually(lambda: any("the broker is away" in event for event in connector.events()), "it is said")
    mortal_node.start()
    eventually(lambda: len(office.accepted()) == 10, "the others", within_s=60)
    eventually(lambda: "10 sent" in connector.run("check").stdout, "and every reply")
    assert len(set(office.accepted())) == 10
    mortal_node.pause()
    sqlite.reports(5)
    eventually(lambda: pending(connector) == 5, "complaints on their way", within_s=60)
    assert connector.stop() < 5, "also while the broker hangs"
    mortal_node.go_on()
