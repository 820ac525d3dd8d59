"""Kind `webhook`: the hub's own deliverer calls the receiver, the agency's system gets it, and answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from connectors.replies import Replies, Reply
from connectors.spool import open_spool
from tests.connectors.agency_system import AgencySystem
from tests.connectors.office import Office
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.caller import DIRECT
from tests.parts.local_server import free_port

TYPES = '["forwarding.sent", "complaint.closed"]'
TOKEN = {"Authorization": "Bearer def"}


class Receiving:
    """A connector of this kind with a subscription at the hub: its addresses and its secret."""

    def __init__(self, office: Office, connector: ConnectorProcess, system: AgencySystem) -> None:
        self.office, self.connector, self.system = office, connector, system
        self.hook_port, self.reply_port = free_port(), free_port()
        self.hook = f"http://127.0.0.1:{self.hook_port}/hooks/simpul"
        self.replies = f"http://127.0.0.1:{self.reply_port}/replies"
        body = {"url": self.hook, "event_types": ["*"]}
        status, made = office.ministry.call("PUT", "/v1/webhook", body)
        assert status == 200, made
        self.secret = made["secret"]

    def start(self, *secrets: str, types: str = TYPES) -> None:
        """With these webhook secrets in the environment; returns once it listens."""
        names = {f"HOOK_{number}": value for number, value in enumerate(secrets)}
        self.connector.configure(
            f"""
kind = "webhook"
agency = "{self.office.ministry.agency}"
spool = "{self.connector.spool}"
[hub]
url = "{self.office.url}"
backoff_cap_s = 0.3
[webhook]
listen = "127.0.0.1:{self.hook_port}"
secret_envs = {json.dumps(list(names))}
[deliver]
event_types = {types}
[deliver.http]
url = "{self.system.url}"
headers_env = {{ X-Token = "SYSTEM_TOKEN" }}
[answers.http]
listen = "127.0.0.1:{self.reply_port}"
token_env = "REPLY_TOKEN"
""",
            self.office.ministry,
            SYSTEM_TOKEN="abc",
            REPLY_TOKEN="def",
            **names,
        )
        self.connector.restart()
        eventually(lambda: post(self.hook, b"{}") == 401, "it listens, and refuses what is not signed")
        eventually(lambda: post(self.replies, b"[]", TOKEN) == 400, "the endpoint for replies listens")

    def reply(self, **body: Any) -> int:
        return post(self.replies, json.dumps(body).encode(), TOKEN)


@pytest.fixture
def receiving(office: Office, connector: ConnectorProcess, system: AgencySystem) -> Receiving:
    return Receiving(office, connector, system)


def post(url: str, body: bytes, headers: dict[str, str] | None = None) -> int:
    """The answer's status; 0 when nobody listens."""
    sent = {"Content-Type": "application/json"} | (headers or {})
    try:
        with DIRECT.open(urllib.request.Request(url, body, sent, method="POST"), timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return 0


def test_events_are_handed_on_in_order_and_replies_reach_the_hub(
    receiving: Receiving, office: Office, system: AgencySystem
) -> None:
    receiving.start(receiving.secret)
    system.answers = [503, 500]
    first, second = office.forward("1"), office.forward("2")
    eventually(lambda: len(system.got) == 2, "the agency's system gets both")
    case_id = first["case_id"]
    assert system.types(case_id) == system.types(second["case_id"]) == ["forwarding.sent"]
    (handed,) = [event for event in system.got if event["subject"] == case_id]
    assert handed["data"]["forwarding"]["id"] == first["id"]
    assert "reporter" not in handed["data"]["complaint"]
    assert receiving.reply(id="a", action="answer", case_id=case_id, text="Sudah diperbaiki.") == 202
    path = f"/v1/cases/{case_id}"
    eventually(lambda: office.source.call("GET", path)[1]["status"] == "answered", "the hub has the answer")
    assert office.source.call("POST", f"{path}/closure", {"reason": "resolved"})[0] == 200
    eventually(lambda: len(system.got) == 3, "the closure follows")
    assert system.types(case_id) == ["forwarding.sent", "complaint.closed"]
    assert set(system.tokens) == {"abc"}
    assert receiving.connector.stop() < 5


def test_nothing_is_lost_or_doubled_by_a_kill_a_rotation_or_a_redelivery(
    receiving: Receiving, office: Office, system: AgencySystem
) -> None:
    receiving.start(receiving.secret)
    office.forward("1")
    eventually(lambda: len(system.got) == 1, "the first event")
    receiving.connector.kill()
    following = office.ministry.call("POST", "/v1/webhook/secret", {})[1]["secret"]
    office.forward("2")
    tried = "the hub found nobody, and will try again"
    (waiting,) = eventually(
        lambda: [item for item in _deliveries(office, "pending") if item["attempts"]], tried
    )
    receiving.start(following)
    _redeliver(office, waiting)
    eventually(lambda: len(system.got) == 2, "with the new secret, asked for at once")
    eventually(lambda: not _deliveries(office, "pending"), "the hub knows that it came")
    receiving.start(receiving.secret, following)
    first = _deliveries(office, "done")[-1]
    _redeliver(office, first)
    office.forward("3")
    eventually(lambda: len(system.got) == 3 and not _deliveries(office, "pending"), "and the third")
    (again,) = [item for item in _deliveries(office, "done") if item["id"] == first["id"]]
    assert again["updated_at"] > first["updated_at"], "it was not sent again"
    assert len({event["id"] for event in system.got}) == 3


def test_what_is_forged_or_stale_is_refused(receiving: Receiving, system: AgencySystem) -> None:
    receiving.start(receiving.secret)
    event = {"id": str(uuid.uuid4()), "type": "id.simpul.complaint.closed.v1", "subject": "s", "data": {}}
    body = json.dumps(event | {"time": "2026-02-02T00:00:00+00:00"}).encode()
    now = datetime.now(UTC)
    signed = _signed(receiving.secret, body, now)
    assert post(receiving.hook, body + b" ", signed) == 401
    assert post(receiving.hook, body, _signed("whsec_" + "WFla" * 11, body, now)) == 401
    assert (
        post(receiving.hook, body, _signed(receiving.secret, body, datetime(2026, 1, 1, tzinfo=UTC))) == 401
    )
    assert post(receiving.hook, b"[]", _signed(receiving.secret, b"[]", now)) == 400
    assert system.got == []
    assert post(receiving.hook, body, signed) == 204
    eventually(lambda: len(system.got) == 1, "the genuine one is handed on")


def test_replies_reach_the_hub_once_and_a_wrong_one_harms_none(receiving: Receiving, office: Office) -> None:
    receiving.start(receiving.secret)
    leg = office.forward("1")
    assert post(receiving.replies, b"{}") == 401
    assert receiving.reply() == 422
    right = {"id": 2, "action": "answer", "case_id": leg["case_id"], "text": "Sudah diperbaiki."}
    assert receiving.reply(id=1, action="answer", forwarding_id=str(uuid.uuid4()), text="x") == 202
    assert [receiving.reply(**right) for _ in range(2)] == [202, 202]
    eventually(lambda: "complaint.answered" in _types(office), "it is answered")
    receiving.connector.kill()
    assert "http-1 (refused): 404" in receiving.connector.run("check").stdout
    answered = ["forwarding.accepted", "forwarding.answered", "complaint.answered"]
    assert _types(office)[-3:] == answered
    assert _types(office).count("forwarding.answered") == 1


def test_a_reply_of_any_id_reaches_the_hub_or_is_refused_at_once(
    receiving: Receiving, office: Office
) -> None:
    secrets = _secrets(office)
    receiving.start(receiving.secret)
    leg = office.forward("1")["id"]
    for wrong in (
        {"id": "a\nb", "forwarding_id": leg},
        {"id": "x" * 100_000, "forwarding_id": leg},
        {"id": True, "forwarding_id": leg},
        {"id": "rot", "forwarding_id": "../webhook/secret#"},
        {"id": "rot", "case_id": "../webhook/secret#"},
    ):
        assert receiving.reply(action="accept", **wrong) == 422, wrong
    ids = ["jawaban 12", "jawaban-é", "x" * 240]
    for number, name in enumerate(ids):
        body = {"action": "progress", "forwarding_id": leg, "text": f"Langkah {number}."}
        assert [receiving.reply(id=name, **body) for _ in range(2)] == [202, 202]
    eventually(lambda: _types(office).count("forwarding.progressed") == len(ids), "each took effect, once")
    assert _secrets(office) == secrets != []


def test_a_reply_that_an_older_connector_took_unseen_is_refused_and_stops_nobody(
    receiving: Receiving, office: Office
) -> None:
    secrets = _secrets(office)
    leg = office.forward("1")["id"]
    spool = open_spool(receiving.connector.spool)
    replies = Replies(spool)
    for number, (name, target) in enumerate([("http-rot", "../webhook/secret#"), ("http-a\nb", leg)]):
        replies.take(Reply(name, "accept", target), f"2026-03-11T00:00:0{number}")
    spool.close()
    receiving.start(receiving.secret)
    accepted = "forwarding.accepted"
    eventually(lambda: accepted in _types(office), "the one with the line break took effect")
    receiving.connector.kill()
    assert "http-rot (refused): forwarding_id: is no UUID" in receiving.connector.run("check").stdout
    assert _secrets(office) == secrets != []


def _secrets(office: Office) -> object:
    """What the hub signs with, sealed: other bytes after a rotation."""
    return office.query("SELECT sealed_secrets FROM webhooks WHERE agency = ?", office.ministry.agency)


def _signed(secret: str, body: bytes, moment: datetime) -> dict[str, str]:
    message = json.loads(body)
    name = message["id"] if isinstance(message, dict) else "x"
    signature = Webhook(secret).sign(name, moment, body.decode())
    stamp = str(int(moment.timestamp()))
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}


def _deliveries(office: Office, state: str) -> list[dict[str, Any]]:
    status, page = office.ministry.call("GET", f"/v1/deliveries?state={state}")
    assert status == 200, page
    return list(page["items"])


def _redeliver(office: Office, delivery: dict[str, Any]) -> None:
    path = f"/v1/deliveries/{delivery['id']}/redelivery"
    assert office.ministry.call("POST", path, {})[0] == 200


def _types(office: Office) -> list[str]:
    names = [item["event"]["type"] for item in office.source.events()]
    return [name.removeprefix("id.simpul.").removesuffix(".v1") for name in names]
