"""Every documented error, and the order in which they come."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from hub.errors import StoreUnavailable
from tests.api.conftest import Caller, House, complaint, forwarded, running

MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"{", "not JSON"),
        (b'{"title": 1, "title": 2}', "twice"),
        (b'{"a": {"b": ":", "c": 1, "\\u0063": 2}}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": \x00}', "NUL"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"[" * 10_000 + b"]" * 10_000, "nested"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested"),
        (b"[" * 300 + b"]" * 300, "nested"),
    ],
)
async def test_what_is_no_json_is_a_400_with_a_reason(app: Caller, body: bytes, words: str) -> None:
    reply = await app.post("/v1/complaints", body)
    assert reply.status == 400
    assert words in reply.json["detail"]


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "", "application/*",
                                   "application/json; charset=latin-1"])  # fmt: skip
async def test_another_media_type_is_a_415(app: Caller, media: str) -> None:
    reply = await app.post("/v1/complaints", b"{}", headers={"Content-Type": media})
    assert reply.status == 415


async def test_charset_utf8_is_taken_and_compression_is_not(app: Caller) -> None:
    media = {"Content-Type": "application/json; charset=UTF-8"}
    assert (await app.post("/v1/complaints", complaint(), headers=media)).status == 201
    reply = await app.post("/v1/complaints", b"\x1f\x8b", headers=JSON | {"Content-Encoding": "gzip"})
    assert reply.status == 415


async def test_too_large_is_refused_with_a_length_and_without(app: Caller) -> None:
    reply = await app.post("/v1/complaints", b" " * (MIB + 1))
    assert reply.status == 413

    async def pieces() -> Any:
        for _ in range(20):
            yield b" " * 64 * 1024

    reply = await app.send("POST", "/v1/complaints", data=pieces(), headers=JSON)
    assert reply.status == 413
    assert (await app.post("/v1/complaints", complaint())).status == 201


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"surprise": 1}, "/surprise"),
        ({"title": 7}, "/title"),
        ({"title": "x\u0000y"}, "/title"),
        ({"submitted_at": "2025-02-30T00:00:00Z"}, "/submitted_at"),
        ({"submitted_at": "2099-01-01T00:00:00Z"}, "/submitted_at"),
        ({"category": "sihir"}, "/category"),
        ({"location": {"region": "99.99"}}, "/location/region"),
        (
            {"location": {"point": {"type": "Point", "coordinates": [200, 0]}}},
            "/location/point/coordinates/0",
        ),
        ({"addressed_to": ["tidak-ada"]}, "/addressed_to/0"),
        ({"addressed_to": ["ombudsman"]}, "/addressed_to/0"),
        (
            {"attachments": [{"sha256": "a" * 64, "media_type": "image/png", "name": "x", "size": 1}]},
            "/attachments/0/sha256",
        ),
    ],
)
async def test_a_complaint_that_breaks_the_schema_names_its_field(
    app: Caller, changes: dict[str, Any], pointer: str
) -> None:
    reply = await app.post("/v1/complaints", complaint(**changes))
    assert reply.status == 422
    assert reply.pointers == [pointer]


async def test_another_agencys_name_is_a_403_and_comes_after_422(app: Caller) -> None:
    assert (await app.post("/v1/complaints", complaint("bbws"))).status == 403
    assert (await app.post("/v1/complaints", complaint("bbws", title=""))).status == 422


async def test_a_repeated_reference(app: Caller) -> None:
    document = complaint()
    first = await app.post("/v1/complaints", document)
    again = await app.post("/v1/complaints", document)
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    other = await app.post("/v1/complaints", document | {"title": "Lain"})
    assert other.status == 409
    assert other.json["type"] == "urn:simpul:problem:complaint-conflict"
    assert other.json["case_id"] == first.json["id"]


async def test_tokens(house: House, app: Caller) -> None:
    reply = await house.nobody.get("/v1/cases")
    assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, 'Bearer realm="simpul"')
    for token in ("x", "a.b.c", (app.token or "")[:-4] + "AAAA"):
        reply = await house.nobody.get("/v1/cases", headers={"Authorization": f"Bearer {token}"})
        assert reply.status == 401
        assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]
    assert (await house.nobody.post("/v1/complaints", b"\xff")).status == 401


async def test_a_revoked_client_is_out_at_once(house: House) -> None:
    caller = await house.caller("bbws", frozenset({"cases:read"}))
    assert (await caller.get("/v1/cases")).status == 200
    (revoked,) = [c for c in house.core.registry.clients.values() if c.agency == "bbws"]
    house.core.rows.revoke_client(revoked.id, "2025-01-01T00:00:00.000Z")
    assert (await caller.get("/v1/cases")).status == 401


async def test_a_client_that_is_revoked_while_it_waits_hears_nothing_more(house: House) -> None:
    """A long poll began with a good token; what comes after the revocation is not for it."""
    waits = await house.caller("kab-kotim", frozenset({"mailbox:read"}))
    before = set(house.core.registry.clients)
    poll = asyncio.create_task(waits.get("/v1/mailbox?after=1&wait=20"))
    strong = await house.caller("kab-kotim")
    (revoked,) = [
        client
        for client in house.core.registry.clients.values()
        if client.agency == "kab-kotim" and client.id in before and client.scopes == {"mailbox:read"}
    ]
    house.core.rows.revoke_client(revoked.id, "2025-01-01T00:00:00.000Z")
    await strong.submit()
    assert (await asyncio.wait_for(poll, 10)).status == 401


async def test_without_the_scope_everything_is_a_403(house: House) -> None:
    weak = await house.caller("kab-kotim", frozenset({"cases:consult"}))
    strong = await house.caller("kab-kotim")
    case = await strong.submit()
    path = f"/v1/cases/{case['id']}"
    for method, where in (
        ("GET", "/v1/cases"), ("GET", path), ("GET", f"{path}/history"), ("POST", "/v1/complaints"),
        ("POST", "/v1/complaints/batch"), ("POST", f"{path}/verification"), ("POST", f"{path}/forwardings"),
        ("POST", f"{path}/closure"), ("POST", f"{path}/reopening"), ("GET", "/v1/mailbox"),
        ("PUT", "/v1/mailbox/cursor"), ("GET", "/v1/mailbox/digest"), ("GET", "/v1/submissions/digest"),
        ("POST", "/v1/submissions/missing"), ("GET", "/v1/webhook"), ("PUT", "/v1/webhook"),
        ("DELETE", "/v1/webhook"), ("POST", "/v1/webhook/secret"), ("GET", "/v1/deliveries"),
        ("POST", f"/v1/deliveries/{uuid4()}/redelivery"), ("POST", "/v1/agencies"),
        ("PATCH", "/v1/agencies/bbws"), ("POST", "/v1/attachments"),
        ("GET", f"/v1/attachments/{'a' * 64}"),
    ):  # fmt: skip
        # A body that is no JSON: rights come first.
        reply = await weak.send(method, where, b"{" if method != "GET" else None)
        assert reply.status == 403, f"{method} {where}: {reply.status}"


async def test_who_takes_no_part_gets_a_404_whatever_it_sends(
    app: Caller, ministry: Caller, stranger: Caller
) -> None:
    case_id, leg_id = await forwarded(app)
    for path in (f"/v1/cases/{case_id}", f"/v1/cases/{case_id}/history"):
        assert (await stranger.get(path)).status == 404
    for path in ("verification", "consultations", "forwardings", "closure", "reopening"):
        assert (await stranger.post(f"/v1/cases/{case_id}/{path}", b"{")).status == 404
        assert (await stranger.post(f"/v1/cases/{case_id}/{path}", {"surprise": 1})).status == 404
        handler = 400 if path == "forwardings" else 403  # a handler may forward onward
        assert (await ministry.post(f"/v1/cases/{case_id}/{path}", b"{")).status == handler
        assert (await app.post(f"/v1/cases/{case_id}/{path}", b"{")).status == 400
        assert (await app.post(f"/v1/cases/{case_id}/{path}", {"surprise": 1})).status == 422
    for path in ("acceptance", "return", "progress", "answer"):
        assert (await stranger.post(f"/v1/forwardings/{leg_id}/{path}", b"{")).status == 404
        assert (await app.post(f"/v1/forwardings/{leg_id}/{path}", b"{")).status == 403
        assert (await ministry.post(f"/v1/forwardings/{leg_id}/{path}", b"{")).status == 400
        assert (await ministry.post(f"/v1/forwardings/{leg_id}/{path}", {"surprise": 1})).status == 422
    reason = {"reason": "Salah alamat."}
    assert (await ministry.post(f"/v1/forwardings/{leg_id}/withdrawal", reason)).status == 403


@pytest.mark.parametrize("unknown", ["x", "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11", "%00", "..%2f..", "%F0%9F"])
async def test_an_unknown_id_is_a_404(app: Caller, unknown: str) -> None:
    assert (await app.get(f"/v1/cases/{unknown}")).status == 404
    assert (await app.post(f"/v1/forwardings/{unknown}/acceptance", {})).status == 404
    assert (await app.get(f"/v1/agencies/{unknown}")).status == 404
    assert (await app.get(f"/v1/attachments/{unknown}")).status == 404


async def test_unknown_addresses_and_methods(house: House) -> None:
    assert (await house.nobody.get("/v1/nothing")).status == 404
    reply = await house.nobody.send("DELETE", "/v1/complaints")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    reply = await house.nobody.send("POST", f"/v1/cases/{uuid4()}")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


async def test_conflicts_name_the_state_and_what_is_possible(app: Caller, ministry: Caller) -> None:
    case_id, leg_id = await forwarded(app)
    reply = await app.post(f"/v1/cases/{case_id}/verification", {"decision": "accept"})
    assert (reply.status, reply.json["state"], reply.json["possible"]) == (
        409, "forwarded", ["consult", "forward", "reply", "withdraw"]
    )  # fmt: skip
    reply = await app.post(f"/v1/cases/{case_id}/closure", {"reason": "resolved"})
    assert reply.status == 409
    reply = await ministry.post(f"/v1/forwardings/{leg_id}/answer", {"text": "Sudah."})
    assert (reply.status, reply.json["possible"]) == (409, ["accept", "return"])


async def test_versions(app: Caller) -> None:
    case = await app.submit()
    path, body = f"/v1/cases/{case['id']}/verification", {"decision": "accept"}
    reply = await app.post(path, body, headers={"If-Match": '"9"'})
    assert (reply.status, reply.json["version"]) == (412, 1)
    reply = await app.post(path, body, headers={"If-Match": "nine"})
    assert (reply.status, reply.pointers) == (422, ["If-Match"])
    reply = await app.post(path, body, headers={"If-Match": 'W/"1"'})
    assert (reply.status, reply.headers["ETag"]) == (200, '"2"')
    assert (await app.get(f"/v1/cases/{case['id']}")).headers["ETag"] == '"2"'


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=-1", "limit"), ("limit=x", "limit"),
        ("limit=1e1", "limit"), ("limit=1&limit=2", "limit"), ("cursor=abc", "cursor"),
        ("cursor=%00", "cursor"), ("status=open", "status"), ("role=boss", "role"), ("overdue=1", "overdue"),
        ("q=x", "q"), ("q=a%00b", "q"), ("updated_since=yesterday", "updated_since"),
        ("updated_since=2025-01-01T00:00:00", "updated_since"), ("region=xx", "region"),
        ("updated_since=0001-01-01T00:00:00%2B14:00", "updated_since"),
        ("category=sihir", "category"), ("agency=A!", "agency"), ("surprise=1", "surprise"),
    ],
)  # fmt: skip
async def test_a_bad_query_names_its_parameter(app: Caller, query: str, parameter: str) -> None:
    reply = await app.get(f"/v1/cases?{query}")
    assert (reply.status, reply.pointers) == (422, [parameter])


async def test_the_database_away_is_a_503_with_a_time(house: House, app: Caller) -> None:
    def refuse() -> int:
        raise StoreUnavailable("disk full")

    house.core.registry._current_generation = refuse
    assert (await app.get("/v1/cases")).status == 503


async def test_a_defect_is_a_500_that_names_the_trace(
    house: House, app: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.server.hub.reading, "readers", None)  # any defect will do
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    given = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    reply = await app.get("/v1/cases", headers=given)
    assert (reply.status, reply.json["correlation_id"]) == (500, trace)
    assert reply.headers["X-Correlation-Id"] == trace


async def test_a_rate_limit_says_when_to_come_back(folder: Path) -> None:
    async with running(folder, rate_limit_per_client_per_s=1.0) as house:
        app = await house.caller("kab-kotim")
        statuses = [(await app.get("/v1/categories")).status for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
