"""A whole hub on a broker with TLS, with the settings that deploy/RUNBOOK.md shows: from an agency's record
to the ministry's connector; and hubs that are set up wrongly."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from connectors.broker.events import Command
from tests.bus.kafka_broker.tokens import Provider
from tests.connectors.agency_system import AgencySystem
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts import kafka
from tests.parts.caller import DIRECT, Caller, complaint
from tests.parts.hub import ROOT, HubProcess
from tests.secure.secure_broker import PASSWORD, SecureBroker

WITHIN_S = 90.0
WRONG = "kata-sandi-yang-salah-77"


def settings(broker: SecureBroker, prefix: str, **changes: str) -> dict[str, str]:
    return {
        "SIMPUL_PUBLIC_URL": kafka.ISSUER,
        "SIMPUL_KAFKA_BOOTSTRAP": broker.at("HUB"),
        "SIMPUL_KAFKA_TLS": "true",
        "SIMPUL_KAFKA_USERNAME": "hub",
        "SIMPUL_KAFKA_PASSWORD": PASSWORD,
        "SIMPUL_KAFKA_AGENCY_BOOTSTRAP": broker.at("AGENCY"),
        "SIMPUL_KAFKA_AGENCY_TLS": "true",
        "SIMPUL_KAFKA_CA_FILE": str(broker.ca_file),
        "SIMPUL_KAFKA_TOPIC_PREFIX": prefix,
    } | changes


@pytest.fixture
def shared_keys(broker: SecureBroker, tmp_path: Path) -> Iterator[Path]:
    """The broker reads the keys that the hub of this folder publishes, and afterwards its own again."""
    before = broker.node.jwks.read_bytes()
    _replace(broker.node.jwks, lambda aside: aside.symlink_to(tmp_path / "var" / "jwks.json"))
    yield broker.node.jwks
    _replace(broker.node.jwks, lambda aside: aside.write_bytes(before))


def _replace(file: Path, make: Any) -> None:
    aside = file.with_name("aside")
    make(aside)
    aside.rename(file)


@pytest.fixture
def system() -> Iterator[AgencySystem]:
    made = AgencySystem()
    yield made
    made.close()


@pytest.fixture
def connector(tmp_path: Path) -> Iterator[ConnectorProcess]:
    process = ConnectorProcess(tmp_path)
    yield process
    process.kill()


def readiness(hub: HubProcess) -> dict[str, Any]:
    with DIRECT.open(f"{hub.url}/readyz", timeout=10) as response:
        return dict(json.load(response))


def submit(broker: SecureBroker, prefix: str, app: Caller, reference: str) -> None:
    """As an agency's own program would, with the client library alone."""
    body = json.dumps(complaint(app.agency, reference)).encode()
    command = Command(reference, "complaint", "", reference, body, reference)
    producer = KafkaProducer(
        bootstrap_servers=broker.at("AGENCY"),
        security_protocol="SASL_SSL",
        ssl_cafile=str(broker.ca_file),
        sasl_mechanism="OAUTHBEARER",
        sasl_oauth_token_provider=Provider(app.sign_in()),
        allow_auto_create_topics=False,
    )
    try:
        headers = command.headers(app.agency, datetime.now(UTC))
        producer.send(f"{prefix}inbound.{app.agency}", body, b"1", headers).get(timeout=20)
    finally:
        producer.close(timeout=2)


def forward(app: Caller, ministry: Caller) -> None:
    (case,) = eventually(app.cases, "the complaint is taken", WITHIN_S)
    path = f"/v1/cases/{case['id']}"
    assert app.call("POST", f"{path}/verification", {"decision": "accept"})[0] == 200
    body = {"to": [{"agency": ministry.agency, "role": "lead"}]}
    assert app.call("POST", f"{path}/forwardings", body)[0] == 201


def test_a_complaint_goes_by_tls_from_an_agency_to_a_ministry(
    broker: SecureBroker,
    prefix: str,
    shared_keys: Path,
    tmp_path: Path,
    system: AgencySystem,
    connector: ConnectorProcess,
) -> None:
    hub, mark = HubProcess(tmp_path, settings(broker, prefix)), uuid.uuid4().hex[:6]
    app = hub.agency(f"kab-{mark}", "regency", "--region", "62.02", "--kafka")
    ministry = hub.agency(f"kemen-{mark}", "ministry", "--kafka")
    hub.start()
    connector.configure(
        f"""
kind = "kafka"
agency = "{ministry.agency}"
spool = "{connector.spool}"
[hub]
url = "{hub.url}"
[kafka]
bootstrap = "{broker.at("AGENCY")}"
ca_file = "{broker.ca_file}"
topic_prefix = "{prefix}"
[deliver]
event_types = ["id.simpul.forwarding.sent.v1"]
[deliver.http]
url = "{system.url}"
""",
        ministry,
    )
    try:
        submit(broker, prefix, app, "LAPOR-1")
        forward(app, ministry)
        connector.start()
        eventually(lambda: system.got, "the forwarding is with the ministry", WITHIN_S)
        eventually(lambda: readiness(hub)["status"] == "ready", "the broker is there", WITHIN_S)
        eventually(lambda: _has_read(connector.run("check").stdout), "it came by the topic", WITHIN_S)
    finally:
        hub.kill()
    assert PASSWORD not in hub.log.read_text() + connector.log.read_text()


def _has_read(checked: str) -> bool:
    """By the places in the topic that the connector keeps."""
    return re.search(r": at [1-9]\d* of ", checked) is not None


def test_a_wrong_password_degrades_the_hub_and_ends_a_command(
    broker: SecureBroker, prefix: str, shared_keys: Path, tmp_path: Path
) -> None:
    hub = HubProcess(tmp_path, settings(broker, prefix, SIMPUL_KAFKA_PASSWORD=WRONG))
    hub.start()
    try:
        bus = eventually(lambda: _told(hub), "the cause is told")
        assert bus.startswith(f"away: SIMPUL_KAFKA_BOOTSTRAP: {broker.at('HUB')}: ")
        assert "does not take the user 'hub' with this password" in bus
        assert readiness(hub)["status"] == "degraded"
        assert hub.agency("kemen-uji", "ministry").cases() == [], "it goes on"
    finally:
        hub.kill()
    ended = hub.cli("topics", "apply", status=1)
    assert "SIMPUL_KAFKA_PASSWORD" in ended.stderr
    assert WRONG not in hub.log.read_text() + ended.stdout + ended.stderr


def _told(hub: HubProcess) -> str:
    bus = str(readiness(hub)["parts"]["bus"])
    return bus if "SIMPUL_KAFKA_PASSWORD" in bus else ""


def test_a_listener_that_verifies_no_token_refuses_the_start(
    broker: SecureBroker, prefix: str, shared_keys: Path, tmp_path: Path
) -> None:
    wrong = settings(broker, prefix, SIMPUL_KAFKA_AGENCY_BOOTSTRAP=broker.at("LOOSE"))
    hub = HubProcess(tmp_path, wrong).start(wait=False)
    assert hub.process is not None
    assert hub.process.wait(30) == 1
    said = hub.log.read_text()
    assert f"SIMPUL_KAFKA_AGENCY_BOOTSTRAP: the broker at {broker.at('LOOSE')} lets in" in said
    assert "Traceback" not in said


def test_an_agencies_listener_of_a_stranger_is_told_at_the_start(
    broker: SecureBroker, prefix: str, shared_keys: Path, tmp_path: Path
) -> None:
    wrong = settings(broker, prefix, SIMPUL_KAFKA_AGENCY_BOOTSTRAP=broker.at("STRANGER"))
    hub = HubProcess(tmp_path, wrong).start()
    try:
        line = eventually(lambda: _logged(hub, "agency_listener_not_tried"), "it is told")
    finally:
        hub.kill()
    assert f"{broker.at('STRANGER')}: its certificate is signed by an authority that is not in" in line
    assert "SIMPUL_KAFKA_CA_FILE" in line


def _logged(hub: HubProcess, event: str) -> str:
    return next((line for line in hub.log.read_text().splitlines() if event in line), "")


def test_the_runbook_shows_the_settings_that_are_tested_here(broker: SecureBroker) -> None:
    section = (ROOT / "deploy" / "RUNBOOK.md").read_text().split("### TLS and passwords")[1].split("\n## ")[0]
    shown = set(re.findall(r"^(SIMPUL_KAFKA_\w+)=", section, re.MULTILINE))
    assert shown == set(settings(broker, "")) - {"SIMPUL_PUBLIC_URL", "SIMPUL_KAFKA_TOPIC_PREFIX"}
