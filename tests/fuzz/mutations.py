"""Valid requests, and ways to break them byte by byte."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

import orjson
from hypothesis import strategies as st

from tests.chaos.complaints import complaint
from tests.fuzz import junk
from tests.fuzz.target import MINISTRY, SOURCE, Target

JSON: Final = "application/json"


@dataclass(frozen=True)
class Raw:
    """A request as bytes will say it. `framed`: its head and length are still HTTP as it should be."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    framed: bool = True

    def head(self) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: hub", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if not any(name == "Content-Length" for name, _ in self.headers):
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def with_header(self, name: str, value: str) -> Raw:
        kept = tuple(pair for pair in self.headers if pair[0] != name)
        return replace(self, headers=(*kept, (name, value)))


def bases(found: Target) -> list[Raw]:
    """One valid request of each kind."""
    case, leg = found.ids["cases"][-1], found.ids["forwardings"][-1]
    one = complaint(SOURCE, "acak", 3)
    many = b"\n".join(orjson.dumps(complaint(SOURCE, f"acak-{n}", n)) for n in range(3))
    forward = {"to": [{"agency": MINISTRY, "role": "lead"}], "note": "Mohon ditindaklanjuti."}
    hook = {"url": "https://contoh.example/masuk", "event_types": ["*"]}
    posts: list[tuple[str, str, object]] = [
        ("POST", "/v1/complaints", one),
        ("POST", f"/v1/cases/{case}/verification", {"decision": "reject", "reason": "Di luar wilayah."}),
        ("POST", f"/v1/cases/{case}/forwardings", forward),
        ("POST", f"/v1/forwardings/{leg}/return", {"reason": "other", "text": "Bukan kewenangan kami."}),
        ("POST", f"/v1/forwardings/{leg}/progress", {"text": "Sedang dikerjakan."}),
        ("POST", "/v1/submissions/missing", {"references": ["a", "b"]}),
        ("PUT", "/v1/mailbox/cursor", {"position": 1}),
        ("PUT", "/v1/webhook", hook),
    ]
    found_ = [
        Raw(method, path, (("Content-Type", JSON),), orjson.dumps(body)) for method, path, body in posts
    ]
    found_.append(Raw("POST", "/v1/complaints/batch", (("Content-Type", "application/x-ndjson"),), many))
    found_ += [
        Raw("GET", path, (), b"")
        for path in (
            f"/v1/cases/{case}",
            f"/v1/cases/{case}/history?limit=5",
            "/v1/cases?limit=10&status=submitted",
            "/v1/mailbox?after=0&limit=10",
            "/v1/mailbox/digest?from=1&to=5",
            "/v1/submissions/digest?from=2025-01-01T00:00:00Z&to=2030-01-01T00:00:00Z",
            "/v1/deliveries?state=done",
            "/v1/regions?parent=62",
            "/v1/agencies",
            "/schemas/complaint/1.json",
        )
    ]
    return found_


def _truncate(raw: Raw, chance: random.Random) -> Raw:
    return replace(raw, body=raw.body[: chance.randrange(len(raw.body) + 1)])


def _flip(raw: Raw, chance: random.Random) -> Raw:
    body = bytearray(raw.body or b"x")
    for _ in range(chance.randint(1, 8)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return replace(raw, body=bytes(body))


def _insert(raw: Raw, chance: random.Random) -> Raw:
    at = chance.randrange(len(raw.body) + 1)
    return replace(raw, body=raw.body[:at] + chance.choice(junk.PIECES) + raw.body[at:])


def _replace_value(raw: Raw, chance: random.Random) -> Raw:
    """A scalar of the body becomes something else."""
    parts = raw.body.split(b'"')
    index = chance.randrange(len(parts))
    parts[index] = chance.choice(junk.VALUES)
    return replace(raw, body=b'"'.join(parts))


def _duplicate_key(raw: Raw, chance: random.Random) -> Raw:
    return replace(raw, body=raw.body.replace(b"{", b'{"a":1,"a":2,', chance.randint(1, 2)))


def _header(raw: Raw, chance: random.Random) -> Raw:
    return raw.with_header(*chance.choice(junk.HEADERS))


def _path(raw: Raw, chance: random.Random) -> Raw:
    place, _, query = raw.path.partition("?")
    odd = (
        f"{place}/",
        f"//{place}",
        place.upper(),
        f"{place}/../../etc/passwd",
        f"{place}%00",
        f"{place}%2e%2e%2f",
        place.replace("-", "%2d"),
        f"{place}{quote('é')}",
        f"{place}%ff%fe",
        f"{place}?{query}&{query}",
        f"{place}?" + "a=" + "b" * 6000,
        place.rsplit("/", 1)[0] + "/" + "0" * 36,
    )
    return replace(raw, path=chance.choice(odd))


def _query(raw: Raw, chance: random.Random) -> Raw:
    name, value = chance.choice(junk.PARAMETERS), chance.choice(junk.ARGUMENTS)
    place, _, query = raw.path.partition("?")
    kept = [pair for pair in query.split("&") if pair and not pair.startswith(f"{name}=")]
    return replace(raw, path=f"{place}?{'&'.join([*kept, f'{name}={value}'])}")


def _method(raw: Raw, chance: random.Random) -> Raw:
    return replace(raw, method=chance.choice(junk.METHODS))


def _framing(raw: Raw, chance: random.Random) -> Raw:
    broken = (
        ("Content-Length", str(len(raw.body) + chance.randint(1, 5))),
        ("Content-Length", "-1"),
        ("Content-Length", "99999999999"),
        ("Transfer-Encoding", "chunked"),
        ("Bad Header", "x"),
        ("X", "a\x00b"),
        ("X", "y" * 20_000),
    )
    return replace(raw.with_header(*chance.choice(broken)), framed=False)


Mutation = Callable[[Raw, random.Random], Raw]
MUTATIONS: Final[tuple[Mutation, ...]] = (
    _truncate, _flip, _insert, _insert, _replace_value, _replace_value, _duplicate_key, _header, _header,
    _path, _query, _query, _method, _framing,
)  # fmt: skip


def broken_requests(found: Target) -> st.SearchStrategy[Raw]:
    """A valid request with one to three mutations."""

    def broken(base: Raw, mutations: list[Mutation], seed: int) -> Raw:
        chance = random.Random(seed)
        for mutate in mutations:
            base = mutate(base, chance)
        return base

    some = st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=3)
    return st.builds(broken, st.sampled_from(bases(found)), some, st.integers(0, 2**32))
