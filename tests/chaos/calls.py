"""A client of the hub as an agency would write it: one connection, a token, plain answers."""

from __future__ import annotations

import base64
import contextlib
import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from tests.parts.caller import Member

REST_S: Final = 2.0
"""A process that did not answer is left alone for so long, while there is another."""


class NoAnswer(Exception):
    """The request was sent, or may have been, and no whole answer came: its fate is unknown."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return orjson.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [orjson.loads(line) for line in self.body.splitlines()]

    def said(self) -> str:
        return f"{self.status} {self.body[:500].decode(errors='replace')}"


class Api:
    """Calls in one agency's name, each to the next of the hub's processes. Not for several threads."""

    def __init__(self, port: int, member: Member, timeout_s: float = 20.0, more: Sequence[int] = ()) -> None:
        self.member = member
        self._timeout_s = timeout_s
        self._rests = dict.fromkeys((port, *more), 0.0)
        self._connections: dict[int, http.client.HTTPConnection] = {}
        self._token, self._until = "", 0.0

    def call(
        self, method: str, path: str, document: Any = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """The answer, whatever its status; NoAnswer when there was none."""
        body = None if document is None else orjson.dumps(document)
        given = {"Content-Type": "application/json"} if body is not None else {}
        return self.send(method, path, body, given | (headers or {}))

    def lines(self, path: str, documents: list[Any]) -> Reply:
        """A POST of NDJSON."""
        body = b"\n".join(orjson.dumps(document) for document in documents)
        return self.send("POST", path, body, {"Content-Type": "application/x-ndjson"})

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        """A token that is no longer taken (a clock was set) is replaced once, as RFC 6750 expects."""
        reply = self._signed(method, path, body, headers)
        if reply.status != 401:
            return reply
        self.forget_token()
        return self._signed(method, path, body, headers)

    def _signed(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        return self._exchange(method, path, body, {"Authorization": f"Bearer {self.token()}"} | headers)

    def forget_token(self) -> None:
        self._until = 0.0

    def token(self) -> str:
        """The token, a new one when the last nears its end."""
        if time.monotonic() > self._until:
            pair = f"{self.member.client_id}:{self.member.client_secret}".encode()
            reply = self._exchange(
                "POST",
                "/oauth/token",
                urlencode({"grant_type": "client_credentials"}).encode(),
                {
                    "Authorization": f"Basic {base64.b64encode(pair).decode()}",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
            )
            if reply.status != 200:
                raise NoAnswer(f"no token: {reply.said()}")
            self._token = reply.document["access_token"]
            self._until = time.monotonic() + reply.document["expires_in"] - 60
        return self._token

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        port = self._next()
        if port not in self._connections:
            self._connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=self._timeout_s)
        connection = self._connections[port]
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.headers.items()), answer.read())
        except (OSError, http.client.HTTPException) as error:
            self._rests[port] = time.monotonic() + REST_S
            self._close(port)
            raise NoAnswer(f"{type(error).__name__}: {error}") from error

    def _next(self) -> int:
        """In turn; of those that rest the one that rested longest."""
        now = time.monotonic()
        port = min(self._rests, key=lambda port: max(0.0, self._rests[port] - now))
        self._rests[port] = self._rests.pop(port)
        return port

    def close(self) -> None:
        for port in list(self._connections):
            self._close(port)

    def _close(self, port: int) -> None:
        with contextlib.suppress(OSError):
            self._connections.pop(port).close()
