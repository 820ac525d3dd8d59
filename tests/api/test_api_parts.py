"""The API's parts by themselves."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from ipaddress import ip_network
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from hub.api.attachments import digest_of
from hub.api.cursors import Cursors
from hub.api.endpoint import trace_of
from hub.api.limits import RateLimit
from hub.api.lines import numbered_lines
from hub.api.proxies import Peer, peer_of
from hub.errors import Invalid, NotJson, TooMany
from hub.service.strict_json import parse
from schemas.media_types import disagree

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(':"\\u{}x\n', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(':ab"', max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def pairs(value: Any, ascii_only: bool, twice: bool) -> str:
    """JSON written by hand, so that a member can stand there twice."""
    if isinstance(value, dict):
        members = [f"{json.dumps(k)}: {pairs(v, ascii_only, twice)}" for k, v in value.items()]
        return "{" + ", ".join(members + members[:1] if twice else members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(pairs(item, ascii_only, twice) for item in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


@given(JSON, st.booleans())
def test_members_are_counted_right(value: Any, escaped: bool) -> None:
    text = pairs(value, escaped, False)
    if escaped:
        text = text.replace(":", "\\u003a") if "{" not in text else text
    assert parse(text.encode()) == value


@given(JSON.filter(lambda value: "{" in json.dumps(value).replace('"{', "")))
def test_a_member_twice_is_always_seen(value: Any) -> None:
    has_member = any(isinstance(v, dict) and v for v in _all(value))
    data = pairs(value, True, True).encode()
    if has_member:
        with pytest.raises(NotJson):
            parse(data)
    else:
        assert parse(data) == value


def _all(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value] + [found for item in inner for found in _all(item)]


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_a_400(data: bytes) -> None:
    try:
        assert parse(data) == orjson.loads(data)
    except NotJson as refused:
        assert refused.detail


def test_a_big_integer_that_is_written_out_is_no_crash() -> None:
    with pytest.raises(NotJson, match="twice"):
        parse(b'{"a": 1, "a": ' + b"9" * 5_000 + b".0e-5000" + b"}")


def digest(purpose: str, data: bytes) -> bytes:
    return hmac.digest(b"k", purpose.encode() + data, hashlib.sha256)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4), st.text(max_size=10), st.text(max_size=10))
def test_cursors_come_back_for_their_scope_alone(keyset: list[str], scope: str, other: str) -> None:
    cursors = Cursors(digest)
    cursor = cursors.write(scope, tuple(keyset))
    assert cursors.read(scope, cursor) == tuple(keyset)
    if scope != other:
        with pytest.raises(Invalid):
            cursors.read(other, cursor)


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        Cursors(digest).read("cases", text)
    assert refused.value.parameters[0][0] == "cursor"


@given(st.lists(st.binary(max_size=30), max_size=12), st.integers(1, 40))
def test_lines_are_the_same_however_they_arrive(parts: list[bytes], cut: int) -> None:
    body = b"\n".join(part.replace(b"\n", b"") for part in parts)

    async def read() -> list[tuple[int, bytes | None]]:
        loop = asyncio.get_running_loop()
        protocol = aiohttp.base_protocol.BaseProtocol(loop)
        stream = aiohttp.StreamReader(protocol, 2**16, loop=loop)
        for start in range(0, len(body), cut):
            stream.feed_data(body[start : start + cut])
        stream.feed_eof()
        return [found async for found in numbered_lines(stream, 20)]

    expected = [
        (number, line.strip() if len(line) <= 20 else None)
        for number, line in enumerate(body.split(b"\n"), 1)
        if line.strip() or len(line) > 20
    ]
    assert asyncio.run(read()) == expected


def test_only_trusted_proxies_are_believed() -> None:
    def peer(remote: str, **headers: str) -> Peer:
        request = make_mocked_request(
            "GET", "/", headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        return peer_of(request.clone(remote=remote), [ip_network("10.0.0.0/8")], False)

    forged = {"X_Forwarded_For": "1.2.3.4", "X_Forwarded_Proto": "https"}
    assert peer("203.0.113.9", **forged) == Peer("203.0.113.9", False)
    assert peer("10.0.0.1", **forged) == Peer("1.2.3.4", True)
    chain = {"X_Forwarded_For": "6.6.6.6, 1.2.3.4, 10.0.0.7"}
    assert peer("10.0.0.1", **chain) == Peer("1.2.3.4", False)
    assert peer("10.0.0.1", X_Forwarded_For="nonsense") == Peer("10.0.0.1", False)


def test_the_rate_limit_refills() -> None:
    now = [0.0]
    limit = RateLimit(2.0, lambda: now[0])
    for _ in range(4):
        limit.take("a")
    with pytest.raises(TooMany) as refused:
        limit.take("a")
    assert refused.value.retry_after_s == 1
    limit.take("b")
    now[0] = 0.5
    limit.take("a")


@pytest.mark.parametrize(
    "header", [None, "", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "ff-" + "a" * 32 + "-00f067aa0ba902b7-01",
               "00-" + "A" * 32 + "-00f067aa0ba902b7-01", "x" * 500]
)  # fmt: skip
def test_a_bad_traceparent_gets_a_new_trace(header: str | None) -> None:
    assert len(trace_of(header)) == 32
    assert trace_of(header) != trace_of(header)


@pytest.mark.parametrize(
    ("declared", "shown", "wrong"),
    [
        ("image/png", "image/png", False), ("image/jpg", "image/jpeg", False),
        ("image/png", "image/jpeg", True), ("image/png", None, True), ("image/png", "text/plain", True),
        ("application/octet-stream", "image/png", False), ("text/csv", "text/plain", False),
        ("text/plain", "image/png", True), ("audio/amr", None, False), ("video/mp4", "video/3gpp", False),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip", False),
        ("application/pdf", "application/zip", True), ("text/html", "application/pdf", True),
    ],
)  # fmt: skip
def test_media_types(declared: str, shown: str | None, wrong: bool) -> None:
    assert disagree(declared, shown) is wrong


def test_a_digest_in_another_form_is_refused() -> None:
    assert digest_of(None) is None
    assert digest_of("sha-512=:abc:") is None
    for header in ("sha-256=abc", "sha-256=:abc:", "sha-256=:" + "!" * 43 + "=:"):
        with pytest.raises(Invalid):
            digest_of(header)
