"""Broken requests over a plain socket. Each must be answered as HTTP, below 500, and on /v1 as a problem;
only one whose framing is broken may be cut off."""

from __future__ import annotations

import http.client
import shlex
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.chaos.calls import Api
from tests.fuzz.mutations import Raw, broken_requests
from tests.fuzz.target import Target

TIMEOUT_S: Final = 12.0
BATCH: Final = 100


@dataclass
class Answered:
    requests: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class _Over(Exception):
    """The time is over; not a finding."""


class Wrong(AssertionError):
    """An answer that must not be."""


def fuzz_by_bytes(found: Target, seconds: float, most: int, seed_: int, keep: Path) -> Answered:
    """Until the time or `most` requests are used up, or something is wrong; what was sent is kept then."""
    answered, deadline = Answered(), time.monotonic() + seconds
    strategy = broken_requests(found)
    api = found.clients[seed_ % 2]
    while time.monotonic() < deadline and answered.requests.total() < most and not answered.failures:
        seed_ += 1

        @settings(
            max_examples=BATCH,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @seed(seed_)
        @given(raw=strategy)
        def check(raw: Raw) -> None:
            if time.monotonic() > deadline:
                raise _Over
            _check(found, api, raw, answered)

        try:
            check()
        except _Over:
            break
        except Wrong as wrong:
            answered.failures.append(str(wrong))
    if not found.alive():
        answered.failures.append("the hub does not answer /readyz with 200 any more")
    if answered.failures:
        answered.failures[0] += f"\n(the request's body is kept in {keep}/body.bin)"
        keep.mkdir(parents=True, exist_ok=True)
        (keep / "body.bin").write_bytes(_Last.body)
    return answered


class _Last:
    body = b""


def _check(found: Target, api: Api, raw: Raw, answered: Answered) -> None:
    if not any(name == "Authorization" for name, _ in raw.headers):
        raw = raw.with_header("Authorization", f"Bearer {api.token()}")
    _Last.body = raw.body
    status, media_type, body = _exchange(found.hub.port, raw)
    answered.requests[status] += 1
    flaw = _flaw(raw, status, media_type, body)
    if flaw:
        raise Wrong(f"{flaw}\n{curl(found.hub.url, raw)}\nanswer: {status} {media_type} {body[:500]!r}")


def _flaw(raw: Raw, status: int, media_type: str, body: bytes) -> str | None:
    if status == 0:
        return None if not raw.framed else "no answer"
    if status >= 500:
        return f"status {status}"
    if status < 400 or not raw.framed or raw.method == "HEAD" or not raw.path.startswith("/v1/"):
        return None
    if status == 400 and media_type.startswith("text/plain"):
        return None  # not HTTP at all: refused before there is a route
    if media_type != "application/problem+json":
        return f"{status} as {media_type!r} instead of application/problem+json"
    problem = orjson.loads(body)
    if problem.get("status") != status or not all(problem.get(name) for name in ("type", "title", "detail")):
        return f"an incomplete problem for {status}"
    return None


def _exchange(port: int, raw: Raw) -> tuple[int, str, bytes]:
    """Status, media type and body; status 0 when the connection was cut without an answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        try:
            connection.sendall(raw.head() + raw.body)
            if not raw.framed:
                connection.shutdown(socket.SHUT_WR)  # the hub shall not wait for bytes that never come
            response = http.client.HTTPResponse(connection, method=raw.method)
            response.begin()
            media_type = response.headers.get("Content-Type", "").partition(";")[0]
            return response.status, media_type, response.read()
        except (OSError, http.client.HTTPException):
            return 0, "", b""


def curl(url: str, raw: Raw) -> str:
    """The command that sends it again, with the body in body.bin."""
    parts = ["curl", "-i", "--path-as-is", "-X", raw.method, url + raw.path]
    for name, value in raw.headers:
        parts += ["-H", f"{name}: {value}"]
    return shlex.join(parts) + (" --data-binary @body.bin" if raw.body else "")
