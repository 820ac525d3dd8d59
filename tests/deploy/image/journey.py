"""One complaint through a running hub, by HTTP alone: submitted to one process, verified and forwarded, and
found in the ministry's mailbox at another."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from tests.deploy.image.cluster import Cluster
from tests.deploy.image.engine import ImageTestFailed

WAIT_S = 20
COMPLAINT = {
    "source": {"agency": "pemda-banjarbaru", "reference": "2026-0117"},
    "classification": "complaint",
    "title": "Lampu jalan di Jalan Trikora padam",
    "description": "Sudah tiga malam gelap dari simpang empat sampai jembatan; kemarin ada yang jatuh.",
    "category": "road",
    "submitted_at": "2026-11-20T19:40:00+08:00",
    "channel": "mobile",
    "location": {"region": "63.72"},
    "reporter": {"anonymous": True},
    "confidential": False,
}


class Agency:
    """An agency's system: its client, its token, its requests."""

    def __init__(self, cluster: Cluster, name: str, *options: str) -> None:
        cluster.command("agency", "add", name, *options)
        client = cluster.command("client", "add", name)
        pair = f"{client['client_id']}:{client['client_secret']}".encode()
        self._basic = "Basic " + base64.b64encode(pair).decode()
        self.token = self._sign_in(cluster.apis[0])

    def post(self, address: str, body: Mapping[str, Any]) -> Any:
        return _call(address, self._bearer(), json.dumps(body).encode(), "application/json")

    def get(self, address: str) -> Any:
        return _call(address, self._bearer())

    def _sign_in(self, api: str) -> str:
        form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
        media_type = "application/x-www-form-urlencoded"
        token: str = _call(f"{api}/oauth/token", self._basic, form, media_type)["access_token"]
        return token

    def _bearer(self) -> str:
        return f"Bearer {self.token}"


def _call(address: str, authorization: str, body: bytes | None = None, media_type: str | None = None) -> Any:
    headers = {"Authorization": authorization} | ({"Content-Type": media_type} if media_type else {})
    request = urllib.request.Request(address, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S + 10) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        said = error.read().decode("utf-8", "replace")
        raise ImageTestFailed(f"{address} answered {error.code}: {said}") from error


def carry(cluster: Cluster, *options_of_ministry: str) -> str:
    """The id of the case that the ministry found in its mailbox."""
    here, there = cluster.apis[0], cluster.apis[-1]
    pemda = Agency(
        cluster, "pemda-banjarbaru", "--name", "Pemerintah Kota Banjarbaru", "--kind", "city",
        "--region", "63.72",
    )  # fmt: skip
    ministry = Agency(
        cluster, "kemen-pu", "--name", "Kementerian Pekerjaan Umum", "--kind", "ministry",
        *options_of_ministry,
    )  # fmt: skip
    case = pemda.post(f"{here}/v1/complaints", COMPLAINT)["id"]
    pemda.post(f"{there}/v1/cases/{case}/verification", {"decision": "accept"})
    pemda.post(f"{here}/v1/cases/{case}/forwardings", {"to": [{"agency": "kemen-pu", "role": "lead"}]})
    items = ministry.get(f"{there}/v1/mailbox?after=0&wait={WAIT_S}")["items"]
    found = [(item["event"]["type"], item["event"]["subject"]) for item in items]
    if ("id.simpul.forwarding.sent.v1", case) not in found:
        raise ImageTestFailed(f"The ministry's mailbox does not hold the forwarding, but {found}")
    return str(case)
