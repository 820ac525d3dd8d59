"""`GET /v1/cases/{id}/evidence` over HTTP, held to the OpenAPI document like every answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from auth.evidence_signing import key_set
from hub.cli.verify import trust
from hub.domain.evidence_check import verified
from hub.ports.clock import rfc3339
from tests.api.conftest import Caller, House, forwarded
from tests.evidence.evidencework import broken, words


async def test_the_answer_verifies_byte_by_byte_with_the_published_keys(
    house: House, app: Caller, ministry: Caller
) -> None:
    case_id, leg = await forwarded(app)
    await ministry.post(f"/v1/forwardings/{leg}/acceptance", {})
    published = await house.nobody.get("/.well-known/jwks.json")
    by = trust(key_set(published.text))
    for caller in (app, ministry):
        reply = await caller.get(f"/v1/cases/{case_id}/evidence")
        assert reply.status == 200, reply.text
        assert reply.headers["Content-Disposition"] == f'attachment; filename="evidence-{case_id}.json"'
        found = verified(reply.body, by)
        assert (found.case, found.exported_for, found.hub) == (case_id, caller.agency, "http://hub.test")
        assert found.events == found.shown == 4
        assert "Jalan berlubang di depan pasar" in words(reply.body, by)
        assert b"Siti" not in reply.body
        assert broken(reply.body.replace(b'"sequence":2', b'"sequence":4', 1), by)


async def test_who_returned_its_leg_sees_no_more_than_then(
    house: House, app: Caller, ministry: Caller
) -> None:
    case_id, leg = await forwarded(app)
    await ministry.post(f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})
    again = {"to": [{"agency": "bbws", "role": "lead"}], "note": "Sungai, bukan jalan."}
    assert (await app.post(f"/v1/cases/{case_id}/forwardings", again)).status == 201
    reply = await ministry.get(f"/v1/cases/{case_id}/evidence")
    found = verified(reply.body, trust(key_set((house.core.settings.data_dir / "jwks.json").read_text())))
    assert found.withheld == 1
    assert b"bbws" not in reply.body


async def test_refusals(house: House, app: Caller, stranger: Caller) -> None:
    case = await app.submit()
    path = f"/v1/cases/{case['id']}/evidence"
    assert (await stranger.get(path)).status == 404
    assert (await app.get("/v1/cases/0195a1b2-0000-7000-8000-000000000000/evidence")).status == 404
    assert (await app.get("/v1/cases/bukan-id/evidence")).status == 404
    assert (await house.nobody.get(path)).status == 401
    reader = await house.caller("kab-kotim", frozenset({"cases:read"}))
    assert (await reader.get(path)).status == 403
    assert (await app.get(path, params={"limit": "5"})).status == 422


async def test_a_hub_without_a_key_to_sign_with_says_so(house: House, app: Caller) -> None:
    case = await app.submit()
    rows = house.core.rows
    known = rows.changes_since(0).signing_keys
    soon = rfc3339(house.core.clock.now() + timedelta(minutes=1))  # tokens outlive it, so it signs no more
    assert rows.put_signing_keys([replace(row, retires_at=soon) for row in known], known)
    reply = await app.get(f"/v1/cases/{case['id']}/evidence")
    assert reply.status == 503
    assert int(reply.headers["Retry-After"]) > 0
