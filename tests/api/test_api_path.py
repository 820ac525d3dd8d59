"""The path of one complaint over HTTP, there and back."""

from __future__ import annotations

from tests.api.conftest import Caller, complaint, forwarded


async def test_a_complaint_travels_to_a_ministry_and_back(app: Caller, ministry: Caller) -> None:
    reply = await app.post("/v1/complaints", complaint())
    assert reply.status == 201
    case = reply.json
    assert reply.headers["Location"] == f"http://hub.test/v1/cases/{case['id']}"
    assert reply.headers["ETag"] == '"1"'
    assert case["complaint"]["reporter"] == {"anonymous": False, "name": "Siti Rahmawati"}
    assert case["actions"] == ["close", "link", "reply", "verify"]

    reply = await app.post(f"/v1/cases/{case['id']}/verification", {"decision": "accept"})
    assert (reply.status, reply.json["status"]) == (200, "verified")
    to = [{"agency": "kementerian-pupr", "role": "lead"}, {"agency": "bbws", "role": "support"}]
    reply = await app.post(f"/v1/cases/{case['id']}/forwardings", {"to": to, "note": "Mohon segera."})
    assert reply.status == 201
    lead, support = reply.json["items"]
    assert (lead["to"], lead["note"], support["role"]) == ("kementerian-pupr", "Mohon segera.", "support")

    page = (await ministry.get("/v1/mailbox")).json
    assert page["items"][-1]["event"]["type"] == "id.simpul.forwarding.sent.v1"
    reply = await ministry.post(f"/v1/forwardings/{lead['id']}/acceptance", {})
    assert (reply.status, reply.json["status"]) == (200, "accepted")
    reply = await ministry.post(f"/v1/forwardings/{lead['id']}/progress", {"text": "Tim meninjau besok."})
    assert reply.json["status"] == "in_progress"
    reply = await app.post(f"/v1/forwardings/{support['id']}/withdrawal", {"reason": "Cukup satu."})
    assert reply.json["status"] == "withdrawn"
    reply = await ministry.post(f"/v1/forwardings/{lead['id']}/answer", {"text": "Sudah ditambal."})
    assert (reply.status, reply.json["status"]) == (200, "answered")

    reply = await app.get(f"/v1/cases/{case['id']}")
    assert (reply.status, reply.json["status"]) == (200, "answered")
    reply = await app.post(f"/v1/cases/{case['id']}/closure", {"reason": "resolved"})
    assert reply.json["status"] == "closed"
    reply = await app.post(f"/v1/cases/{case['id']}/reopening", {"reason": "Rusak lagi."})
    assert reply.json["status"] == "in_progress"
    history = (await app.get(f"/v1/cases/{case['id']}/history")).json["items"]
    assert [event["sequence"] for event in history] == sorted(event["sequence"] for event in history)
    assert len(history) == reply.json["version"]


async def test_a_return_goes_back_with_a_reason(app: Caller, ministry: Caller) -> None:
    case_id, leg_id = await forwarded(app)
    body = {"reason": "not_ours", "suggested_agency": "bbws", "text": "Sungai, bukan jalan."}
    reply = await ministry.post(f"/v1/forwardings/{leg_id}/return", body)
    assert (reply.status, reply.json["status"], reply.json["reason"]) == (200, "returned", "not_ours")
    assert reply.json["suggested_agency"] == "bbws"
    seen = (await ministry.get(f"/v1/cases/{case_id}")).json
    assert [leg["id"] for leg in seen["forwardings"]] == [leg_id]
    assert seen["actions"] == []


async def test_what_an_officer_wrote_is_masked_and_said_so(app: Caller, ministry: Caller) -> None:
    _, leg_id = await forwarded(app)
    await ministry.post(f"/v1/forwardings/{leg_id}/acceptance")
    body = {"text": "Hubungi NIK 6202015507890001 atau 0813-9876-5432."}
    reply = await ministry.post(f"/v1/forwardings/{leg_id}/progress", body)
    assert reply.status == 200
    assert reply.headers["Simpul-Masked"] == "nik, phone"
