"""An agency's client for tests: a token, plain HTTP, and the pages of its mailbox and its cases."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Past any proxy of the machine."""


@dataclass(frozen=True)
class Member:
    """An agency that takes part, with its client's credentials."""

    agency: str
    client_id: str
    client_secret: str


@dataclass
class Caller:
    """One agency's client, speaking HTTP."""

    url: str
    member: Member
    token: str = ""

    @property
    def agency(self) -> str:
        return self.member.agency

    @property
    def client_id(self) -> str:
        return self.member.client_id

    @property
    def secret(self) -> str:
        return self.member.client_secret

    def sign_in(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.secret,
        }
        request = urllib.request.Request(f"{self.url}/oauth/token", urllib.parse.urlencode(form).encode())
        with DIRECT.open(request, timeout=10) as response:
            self.token = json.load(response)["access_token"]
        return self.token

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """(status, JSON document)."""
        if not self.token:
            self.sign_in()
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | (headers or {})
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        try:
            with DIRECT.open(request, timeout=40) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def events(self, after: int = 0, wait_s: int = 0) -> list[dict[str, Any]]:
        """The mailbox from `after` on, all pages."""
        found: list[dict[str, Any]] = []
        while True:
            _, page = self.call("GET", f"/v1/mailbox?after={after}&limit=200&wait={wait_s}")
            found += page["items"]
            if not page["items"]:
                return found
            after, wait_s = page["next"], 0

    def cases(self) -> list[dict[str, Any]]:
        """Every case that the agency takes or took part in, newest first, all pages."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            more = f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""
            _, page = self.call("GET", f"/v1/cases?limit=200{more}")
            found += page["items"]
            cursor = page["next"]
        return found


def complaint(agency: str, reference: str, **changes: Any) -> dict[str, Any]:
    """A complete complaint of a made-up citizen."""
    return {
        "source": {"agency": agency, "reference": reference},
        "classification": "complaint",
        "title": "Lampu jalan di Jalan Pelita mati",
        "description": "Sudah seminggu gelap, kemarin ada anak jatuh dari sepeda.",
        "category": "road",
        "submitted_at": "2026-11-01T08:15:00+07:00",
        "channel": "web",
        "location": {"region": "62.02"},
        "reporter": {"name": "Siti Rahmawati", "anonymous": False},
        "confidential": False,
    } | changes
