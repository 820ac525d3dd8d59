"""Ministries: signed webhooks and the mailbox, into HTTP calls or rows, and replies from there, each once."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.connectors.processes import _DIRECT, MINISTRY, ConnectorProcess, HubProcess, eventually
from tests.parts.local_server import free_port

SECRETS = ["whsec_" + "QUJD" * 11, "whsec_" + "REVG" * 11]
COMMON = """
agency = "kemen-pu"
spool = "{spool}"
[hub]
url = "{hub}"
wait_s = 1
backoff_cap_s = 0.3
"""


class AgencySystem:
    """The ministry's own system: remembers what it is called with, and may answer anything."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.answers: list[int] = []
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = system.answers.pop(0) if system.answers else 200
                if status == 200:
                    system.got.append(event)
                    system.tokens.append(self.headers.get("X-Token"))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/in"
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def system() -> Iterator[AgencySystem]:
    made = AgencySystem()
    yield made
    made.server.shutdown()
    made.server.server_close()


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(
        url, body, {"Content-Type": "application/json", **headers}, method="POST"
    )
    try:
        with _DIRECT.open(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return 0


def forwarded_case(hub: HubProcess, reference: str = "7") -> dict[str, Any]:
    document = {
        "source": {"agency": "kab-kotim", "reference": reference}, "classification": "complaint",
        "title": "Jalan rusak", "description": "Jalan rusak di KM 7.", "category": "road", "channel": "web",
        "confidential": False, "submitted_at": "2026-02-02T00:00:00+07:00", "reporter": {"anonymous": False},
    }  # fmt: skip
    case = hub.as_agency("kab-kotim", "POST", "/v1/complaints", document)
    hub.as_agency("kab-kotim", "POST", f"/v1/cases/{case['id']}/verification", {"decision": "accept"})
    body = {"to": [{"agency": MINISTRY, "role": "lead"}]}
    return hub.as_agency("kab-kotim", "POST", f"/v1/cases/{case['id']}/forwardings", body)["items"][0]


def webhook_config(connector: ConnectorProcess, hub: HubProcess, system: AgencySystem) -> tuple[str, str]:
    hook, replies = free_port(), free_port()
    connector.configure(
        f'kind = "webhook"\n{COMMON.format(spool=connector.spool, hub=hub.url)}'
        f"""
[webhook]
listen = "127.0.0.1:{hook}"
secret_envs = ["HOOK_NEW", "HOOK_OLD"]
[deliver]
event_types = ["forwarding.sent", "complaint.closed"]
[deliver.http]
url = "{system.url}"
headers_env = {{ X-Token = "SYSTEM_TOKEN" }}
[answers.http]
listen = "127.0.0.1:{replies}"
token_env = "REPLY_TOKEN"
""",
        client=MINISTRY, HOOK_NEW=SECRETS[0], HOOK_OLD=SECRETS[1], SYSTEM_TOKEN="abc", REPLY_TOKEN="def",
    )  # fmt: skip
    return f"http://127.0.0.1:{hook}/hooks/simpul", f"http://127.0.0.1:{replies}/replies"


def signed(secret: str, event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    body, now = json.dumps(event), datetime.now(UTC)
    signature = Webhook(secret).sign(event["id"], now, body)
    headers = {
        "webhook-id": event["id"],
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    return body.encode(), headers


def an_event(kind: str = "forwarding.sent", subject: str = "s") -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": str(uuid.uuid4()), "type": f"id.simpul.{kind}.v1", "subject": subject,
        "source": "http://hub", "time": "2026-02-02T00:00:00+00:00", "data": {"case_id": subject},
    }  # fmt: skip


def test_webhooks_are_verified_kept_once_and_handed_on_in_order(
    hub: HubProcess, connector: ConnectorProcess, system: AgencySystem
) -> None:
    hook, _ = webhook_config(connector, hub, system)
    connector.start()
    eventually(lambda: post(hook, b"{}", {}) == 401, "the receiver listens and refuses what is not signed")
    first, second, other = an_event(), an_event(), an_event(subject="t")
    system.answers = [503, 500]
    for secret, event in (
        (SECRETS[0], first),
        (SECRETS[1], second),
        (SECRETS[0], other),
        (SECRETS[0], first),
    ):
        assert post(hook, *signed(secret, event)) == 204
    body, headers = signed(SECRETS[0], first)
    assert post(hook, body + b" ", headers) == 401
    assert post(hook, *signed("whsec_" + "WFla" * 11, first)) == 401
    assert post(hook, *signed(SECRETS[0], an_event("forwarding.accepted"))) == 204
    eventually(lambda: len(system.got) >= 3, "the agency's system gets them")
    connector.kill()
    connector.start()
    eventually(lambda: post(hook, *signed(SECRETS[0], first)) == 204, "it listens again")
    ids = [event["id"] for event in system.got]
    assert sorted(ids) == sorted(event["id"] for event in (first, second, other))
    assert ids.index(first["id"]) < ids.index(second["id"])
    assert set(system.tokens) == {"abc"}
    assert connector.stop() < 5


def test_replies_by_http_reach_the_hub_once_and_a_wrong_one_harms_none(
    hub: HubProcess, connector: ConnectorProcess, system: AgencySystem
) -> None:
    _, replies = webhook_config(connector, hub, system)
    connector.start()
    leg = forwarded_case(hub)
    token = {"Authorization": "Bearer def"}
    eventually(lambda: post(replies, b"[]", token) == 400, "the endpoint listens")
    assert post(replies, b"{}", {}) == 401
    assert post(replies, b"{}", token) == 422
    wrong = {"id": 1, "action": "answer", "forwarding_id": str(uuid.uuid4()), "text": "x"}
    right = {"id": 2, "action": "answer", "case_id": leg["case_id"], "text": "Sudah diperbaiki."}
    for body in (wrong, right, right):
        assert post(replies, json.dumps(body).encode(), token) == 202
    eventually(
        lambda: hub.count("SELECT count(*) FROM mailbox WHERE agency = 'kab-kotim'") == 5, "it is answered"
    )
    connector.kill()
    shown = connector.run("check").stdout
    assert "http-1 (refused): 404" in shown
    assert hub.count("SELECT count(*) FROM mailbox WHERE agency = 'kab-kotim'") == 5


def test_a_mailbox_becomes_rows_and_rows_become_replies(hub: HubProcess, connector: ConnectorProcess) -> None:
    path = Path(connector.folder) / "ministry.db"
    database = sqlite3.connect(path, isolation_level=None, timeout=10)
    database.executescript(
        "CREATE TABLE masuk (peristiwa TEXT, penerusan TEXT, judul TEXT, isi TEXT);"
        "CREATE TABLE balasan (id INTEGER PRIMARY KEY, aksi TEXT, penerusan TEXT, isi TEXT, alasan TEXT);"
    )
    connector.configure(
        f'kind = "mailbox"\n{COMMON.format(spool=connector.spool, hub=hub.url)}'
        """
[database]
url_env = "MINISTRY_URL"
[deliver.table]
statements = ["INSERT INTO masuk VALUES (:event_id, :forwarding_id, :title, :description)"]
already_written = "SELECT 1 FROM masuk WHERE peristiwa = :event_id"
[answers.table]
every_s = 0.1
query = "SELECT id, aksi AS action, penerusan AS forwarding_id, isi AS text, alasan AS reason FROM balasan
WHERE id > :cursor ORDER BY id LIMIT :limit"
""".replace('LIMIT :limit"', 'LIMIT :limit"""').replace('query = "SELECT', 'query = """SELECT'),
        client=MINISTRY, MINISTRY_URL=f"sqlite:///{path}",
    )  # fmt: skip
    legs = [forwarded_case(hub, str(number)) for number in range(4)]
    connector.start()
    eventually(
        lambda: database.execute("SELECT count(*) FROM masuk").fetchone()[0] == 4, "forwardings become rows"
    )
    assert set(database.execute("SELECT judul, isi FROM masuk")) == {("Jalan rusak", "Jalan rusak di KM 7.")}
    rows = [(1, "accept", legs[0]["id"], None, None), (2, "progress", legs[0]["id"], "Sedang dicek.", None)]
    rows += [(3, "jawab", legs[0]["id"], "?", None), (4, "return", legs[1]["id"], None, "not_ours")]
    rows += [(9, "answer", legs[2]["id"], "Selesai.", None), (7, "answer", legs[0]["id"], "Selesai.", None)]
    for row in rows:
        database.execute("INSERT INTO balasan VALUES (?, ?, ?, ?, ?)", row)
        if row[0] == 9:
            connector.kill()
            connector.start()
    wanted = {"answered", "returned", "sent"}
    eventually(lambda: statuses(hub) == ["answered", "returned", "answered", "sent"], f"the hub has {wanted}")
    assert database.execute("SELECT count(*) FROM masuk").fetchone()[0] == 4
    assert "row-3 (refused): action: must be one of" in connector.run("check").stdout
    settled = hub.count("SELECT max(position) FROM mailbox WHERE agency = 'kemen-pu'")
    eventually(lambda: hub.rows("SELECT position FROM cursors") == [[settled]], "the cursor is acknowledged")
    database.close()


def test_after_a_restore_of_the_hub_nothing_is_handed_over_twice(
    hub: HubProcess, connector: ConnectorProcess, system: AgencySystem
) -> None:
    connector.configure(
        f'kind = "mailbox"\n{COMMON.format(spool=connector.spool, hub=hub.url)}'
        f'[deliver.http]\nurl = "{system.url}"\n',
        client=MINISTRY,
    )
    forwarded_case(hub, "1")
    connector.start()
    eventually(lambda: len(system.got) == 1, "the first event")
    hub.control("restore")
    forwarded_case(hub, "2")
    eventually(lambda: len(system.got) == 2, "the second event")
    assert any("restored from a backup" in line["event"] for line in connector.logged())


def statuses(hub: HubProcess) -> list[str]:
    cases = [json.loads(body) for (body,) in hub.rows("SELECT body FROM cases ORDER BY rowid")]
    return [leg["status"] for case in cases for leg in case["forwardings"]]
