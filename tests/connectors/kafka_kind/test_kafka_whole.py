"""The whole way with the hub's own roles: an app submits by Kafka, a ministry on Kafka answers there."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, ForkedConnector, eventually
from tests.connectors.test_mailbox_kind import IN_TABLES, TABLES
from tests.parts import kafka
from tests.parts.hub import HubProcess


@pytest.fixture
def kafka_office(node: kafka.Node, prefix: str, tmp_path: Path) -> Iterator[Office]:
    """A hub with every role on the broker, a regency and a ministry that chose Kafka."""
    folder = tmp_path / "hub"
    folder.mkdir()
    env = {
        "SIMPUL_PUBLIC_URL": kafka.ISSUER,
        "SIMPUL_KAFKA_BOOTSTRAP": node.bootstrap,
        "SIMPUL_KAFKA_AGENCY_BOOTSTRAP": node.agency_bootstrap,
        "SIMPUL_KAFKA_TOPIC_PREFIX": prefix,
    }
    hub, mark = HubProcess(folder, env), uuid.uuid4().hex[:8]
    source = hub.agency(f"kab-{mark}", "regency", "--region", "62.02", "--kafka")
    ministry = hub.agency(f"kemen-{mark}", "ministry", "--kafka")
    hub.cli("topics", "apply")
    hub.start()
    _publish_keys(hub, node)
    yield Office(hub, source, ministry, hub.url)
    hub.kill()


def _publish_keys(hub: HubProcess, node: kafka.Node) -> None:
    """The broker of these tests has one file for many hubs: the hub's keys join it."""
    document = json.loads(node.jwks.read_text())
    document["keys"] += json.loads((hub.data / "jwks.json").read_text())["keys"]
    aside = node.jwks.with_suffix(".new")
    aside.write_text(json.dumps(document))
    aside.rename(node.jwks)


def _broker(node: kafka.Node, prefix: str) -> str:
    return f'[kafka]\nbootstrap = "{node.agency_bootstrap}"\ntls = false\ntopic_prefix = "{prefix}"\n'


def test_a_complaint_goes_by_kafka_to_a_ministry_and_its_answer_comes_back(
    sqlite: App,
    kafka_office: Office,
    node: kafka.Node,
    prefix: str,
    connector: ConnectorProcess,
    tmp_path: Path,
) -> None:
    office, broker = kafka_office, _broker(node, prefix)
    sqlite.reports(5)
    sql_config(sqlite, office, connector, write_back(office.ministry) + broker, hub='submit = "kafka"')
    folder = tmp_path / "ministry"
    folder.mkdir()
    ministry = ForkedConnector(folder)
    ministry.configure(
        f"""
kind = "kafka"
agency = "{office.ministry.agency}"
spool = "{ministry.spool}"
[hub]
url = "{office.url}"
submit = "kafka"
backoff_cap_s = 0.3
{broker}
{IN_TABLES}
""",
        office.ministry,
        MINISTRY_URL=f"sqlite:///{folder / 'ministry.db'}",
    )
    with closing(sqlite3.connect(folder / "ministry.db", isolation_level=None, timeout=10)) as database:
        database.executescript(TABLES)
        connector.start()
        ministry.start()
        try:
            arrived = "SELECT penerusan FROM masuk"
            eventually(lambda: len(database.execute(arrived).fetchall()) == 5, "forwardings", within_s=40)
            for number, (leg,) in enumerate(database.execute(arrived).fetchall(), 1):
                row = (number, "answer", leg, f"Selesai {number}.", None)
                database.execute("INSERT INTO balasan VALUES (?, ?, ?, ?, ?)", row)
            written = "SELECT id_pengaduan, count(*) FROM tanggapan GROUP BY 1"
            eventually(lambda: len(sqlite.run(written)) == 5, "the answers are in the app", within_s=40)
            checked = ministry.run("check")
            assert checked.returncode == 0, checked.stdout
        finally:
            ministry.kill()
    assert {count for _, count in map(tuple, sqlite.run(written))} == {1}
    assert len(office.accepted()) == 5
    for process in (connector, ministry):
        assert not any(
            word in event for word in ("away", "cannot go on", "over HTTP") for event in process.events()
        )
