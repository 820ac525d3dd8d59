"""The reporter's side by HTTP: replies, reopening and the Ombudsman."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.ports.clock import rfc3339
from tests.api.conftest import Caller, House, forwarded
from tests.api.deadlines.conftest import (
    MINISTRY,
    NAMED,
    OMBUDSMAN,
    RIVER,
    Turned,
    act,
    answered,
    events,
    kinds,
    listed,
    stages,
)


async def test_incomplete_reply_verified_again(app: Caller, ministry: Caller, stranger: Caller) -> None:
    case_id = (await app.submit())["id"]
    path = f"/v1/cases/{case_id}/replies"
    body = {"decision": "incomplete", "reason": "Nomor tiang belum disebut."}
    case = (await act(app, f"/v1/cases/{case_id}/verification", body)).json
    assert stages(case) == [("verification", "paused"), ("reply", "running")]
    assert case["actions"] == ["close", "link", "reply", "verify"]
    assert (await stranger.post(path, {"text": "Halo."})).status == 404
    for bad, pointer in (({}, "/text"), ({"text": ""}, "/text"), ({"text": "a", "b": 1}, "/b")):
        assert (await app.post(path, bad)).pointers == [pointer]
    key = {"Idempotency-Key": "balas-1"}
    reply = await act(app, path, {"text": NAMED}, headers=key)
    assert (reply.json["status"], reply.headers["Simpul-Masked"]) == ("submitted", "reporter")
    assert stages(reply.json) == [("verification", "running"), ("reply", "met")]
    again = await act(app, path, {"text": NAMED}, headers=key)
    assert again.json["version"] == reply.json["version"] == 3
    (told,) = [event for event in await events(app) if "replied" in event["type"]]
    assert told["data"]["text"]
    assert "Siti" not in str(told)
    assert "081234567890" not in str(told)
    await act(app, f"/v1/cases/{case_id}/verification", {"decision": "accept"})


async def test_the_reply_is_sealed_in_the_log(house: House, app: Caller) -> None:
    case_id = (await app.submit())["id"]
    await act(app, f"/v1/cases/{case_id}/replies", {"text": "Tiang nomor empat belas itu."})
    with house.core.store.read() as session:
        event = session.stream(case_id, 1, 9)[0]
    assert event.fact().type == "complaint.replied"
    assert b"empat belas" not in event.header
    assert event.sealed is not None
    assert b"empat belas" not in event.sealed


async def test_who_replies_and_when(app: Caller, ministry: Caller) -> None:
    case_id, _ = await answered(app, ministry)
    path = f"/v1/cases/{case_id}/replies"
    assert (await ministry.post(path, {"text": "Kami."})).status == 403, "the source alone"
    case = (await act(app, path, {"text": "Belum selesai."})).json
    assert (case["status"], stages(case)[-2:]) == (
        "answered",
        [("closure", "met"), ("verification", "running")],
    )
    await act(app, f"/v1/cases/{case_id}/closure", {"reason": "resolved"})
    reply = await app.post(path, {"text": "Terlambat."})
    assert (reply.status, reply.json["state"], reply.json["possible"]) == (409, "closed", ["reopen"])
    assert reply.json["version"] == (await app.get(f"/v1/cases/{case_id}")).json["version"]
    assert not [each for each in (await app.get(f"/v1/cases/{case_id}")).json["deadlines"]
                if each["state"] in ("running", "paused")]  # fmt: skip


async def test_reopening_is_limited_in_number(app: Caller, ministry: Caller) -> None:
    case_id, leg = await answered(app, ministry)
    path = f"/v1/cases/{case_id}/reopening"
    for _ in range(3):
        case = (await act(app, path, {"reason": "Dijawab, belum selesai."})).json
        assert (case["status"], case["forwardings"][0]["status"]) == ("in_progress", "in_progress")
        await act(ministry, f"/v1/forwardings/{leg}/answer", {"text": "Sudah ditambal."})
    reply = await app.post(path, {"reason": "Lagi."})
    assert (reply.status, reply.json["state"]) == (409, "answered")
    assert "3 times" in reply.json["detail"]
    case = (await app.get(f"/v1/cases/{case_id}")).json
    assert [state for stage, state in stages(case) if stage == "follow_up"] == ["met"] * 8, (
        "a clock each time"
    )


async def test_reopening_is_limited_in_time(turned: Turned) -> None:
    app, ministry = await turned.caller("kab-kotim"), await turned.caller(MINISTRY)
    case_id, _ = await answered(app, ministry)
    await act(app, f"/v1/cases/{case_id}/closure", {"reason": "resolved"})
    path, body = f"/v1/cases/{case_id}/reopening", {"reason": "Rusak lagi."}
    await turned.turn(29)
    app = await turned.caller("kab-kotim")
    await act(app, path, body)
    await act(app, f"/v1/cases/{case_id}/closure", {"reason": "resolved"}, 409)
    leg = (await app.get(f"/v1/cases/{case_id}")).json["forwardings"][0]["id"]
    await act(await turned.caller(MINISTRY), f"/v1/forwardings/{leg}/answer", {"text": "Sudah."})
    await act(app, f"/v1/cases/{case_id}/closure", {"reason": "resolved"})
    await turned.turn(31)
    reply = await (await turned.caller("kab-kotim")).post(path, body)
    assert (reply.status, reply.json["state"]) == (409, "closed")
    assert "30 days" in reply.json["detail"]


async def test_to_the_ombudsman_when_the_law_allows_it(turned: Turned) -> None:
    app, ministry = await turned.caller("kab-kotim"), await turned.caller(MINISTRY)
    case_id, leg = await forwarded(app)
    path = f"/v1/cases/{case_id}/escalation"
    body = {"reason": NAMED, "reporter_agrees": True}
    for bad in ({"reason": "Lama."}, {"reason": "Lama.", "reporter_agrees": False}):
        assert (await app.post(path, bad)).pointers == ["/reporter_agrees"]
    assert (await ministry.post(path, body)).status == 403
    created = datetime.fromisoformat((await app.get(f"/v1/cases/{case_id}")).json["created_at"])
    reply = await app.post(path, body)
    assert (reply.status, "escalate" in reply.json["possible"]) == (409, False)
    assert rfc3339(created + timedelta(days=60)) in reply.json["detail"]
    ombudsman = await turned.caller(OMBUDSMAN)
    assert (await ombudsman.get(f"/v1/cases/{case_id}")).status == 404
    await turned.turn(61)
    app = await turned.caller("kab-kotim")
    before = (await app.get(f"/v1/cases/{case_id}")).json
    assert "escalate" in before["actions"]
    reply = await act(app, path, body)
    assert (reply.json["owner"], "escalate" in reply.json["actions"]) == (before["owner"], False)
    assert reply.headers["Simpul-Masked"] == "reporter"
    assert (await app.post(path, body)).status == 409, "once"
    await sees_and_owns_nothing(await turned.caller(OMBUDSMAN), case_id, leg)


async def sees_and_owns_nothing(ombudsman: Caller, case_id: str, leg: str) -> None:
    seen = await ombudsman.get(f"/v1/cases/{case_id}")
    assert (seen.status, seen.json["actions"], len(seen.json["forwardings"])) == (200, [], 1)
    history = (await ombudsman.get(f"/v1/cases/{case_id}/history")).json["items"]
    told = history[-1]["data"]
    assert (kinds(history)[-1], told["to"], told["cause"]) == (
        "complaint.escalated", OMBUDSMAN, "ombudsman",
    )  # fmt: skip
    assert told["owner"] != OMBUDSMAN
    assert "Siti" not in told["reason"]
    assert (await events(ombudsman))[-1]["id"] == history[-1]["id"]
    assert await listed(ombudsman) == [case_id]
    for path, body in (
        (f"/v1/cases/{case_id}/closure", {"reason": "resolved"}),
        (f"/v1/cases/{case_id}/forwardings", {"to": [{"agency": RIVER, "role": "lead"}]}),
        (f"/v1/cases/{case_id}/replies", {"text": "Halo."}),
        (f"/v1/forwardings/{leg}/withdrawal", {"reason": "x"}),
    ):
        assert (await ombudsman.post(path, body)).status == 403


async def test_without_an_oversight_agency_there_is_nobody_to_escalate_to(turned: Turned) -> None:
    app = await turned.caller("kab-kotim")
    case_id = (await app.submit())["id"]
    admin = await turned.house.caller("hub", frozenset({"agencies:write"}))
    assert (await admin.send("PATCH", f"/v1/agencies/{OMBUDSMAN}", {"active": False})).status == 200
    await turned.turn(61)
    app = await turned.caller("kab-kotim")
    reply = await app.post(f"/v1/cases/{case_id}/escalation", {"reason": "Lama.", "reporter_agrees": True})
    assert (reply.status, "oversight" in reply.json["detail"]) == (409, True)
