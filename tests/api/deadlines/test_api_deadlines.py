"""Deadlines by HTTP: in a case, in events, in lists; and an agency's days off."""

from __future__ import annotations

from tests.api.conftest import Caller, House, forwarded
from tests.api.deadlines.conftest import MINISTRY, RIVER, Turned, act, events, kinds, listed, stages


async def test_a_case_shows_its_deadlines(app: Caller, ministry: Caller) -> None:
    case = await app.submit()
    assert stages(case) == [("verification", "running")]
    (deadline,) = case["deadlines"]
    assert (deadline["policy"], deadline["paused_for_s"]) == ("verification-3wd", 0)
    assert deadline["started_at"] == case["created_at"] < deadline["due_at"]
    case_id, leg = await forwarded(app)
    asked = {"agency": RIVER, "question": "Aset Anda?"}
    consulted = (await act(app, f"/v1/cases/{case_id}/consultations", asked, 201)).json
    seen = (await ministry.get(f"/v1/cases/{case_id}")).json
    assert stages(seen) == [
        ("verification", "met"),
        ("acceptance", "running"),
        ("follow_up", "running"),
        ("follow_up", "running"),
        ("consultation", "running"),
    ]
    policies = [each["policy"] for each in seen["deadlines"][2:4]]
    assert policies == ["follow-up-5wd", "statute-complaint-14wd"], "the statutory limit beside it"
    assert seen["forwardings"][0]["id"] == leg
    assert seen["forwardings"][0]["due_at"] == seen["deadlines"][2]["due_at"]
    assert consulted["due_at"] == seen["deadlines"][4]["due_at"]
    told = {event["type"]: event["data"] for event in await events(ministry)}
    sent = told["id.simpul.forwarding.sent.v1"]["forwarding"]
    assert sent["due_at"] == seen["forwardings"][0]["due_at"]
    assert "clocks" not in str(told)


async def test_overdue_cases_are_found(turned: Turned) -> None:
    app = await turned.caller("kab-kotim")
    late, _ = await forwarded(app)
    assert await listed(app, overdue="true") == []
    await turned.turn(30)
    app, ministry = await turned.caller("kab-kotim"), await turned.caller(MINISTRY)
    fresh = (await app.submit())["id"]
    assert await listed(app, overdue="true") == [late]
    assert await listed(app, overdue="false") == [fresh]
    assert await listed(app) == [fresh, late]
    assert await listed(ministry, overdue="true", role="handler") == [late]
    told = await events(ministry)
    assert kinds(told).count("deadline.missed") == 2, "acceptance and follow-up"
    missed = told[kinds(told).index("deadline.missed")]["data"]
    assert (missed["responsible_agency"], missed["agency"]) == (MINISTRY, "hub")
    assert missed["deadline"]["state"] == "missed"
    assert missed["forwarding_id"]


async def test_who_left_sees_its_own_deadlines_as_they_stood(turned: Turned) -> None:
    app, ministry = await turned.caller("kab-kotim"), await turned.caller(MINISTRY)
    case_id, leg = await forwarded(app)
    await act(ministry, f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})
    to = {"to": [{"agency": RIVER, "role": "lead"}]}
    await act(app, f"/v1/cases/{case_id}/forwardings", to, 201)
    await turned.turn(40)
    ministry = await turned.caller(MINISTRY)
    seen = (await ministry.get(f"/v1/cases/{case_id}")).json
    assert stages(seen) == [("acceptance", "met"), ("follow_up", "met"), ("follow_up", "met")]
    assert await listed(ministry, overdue="true") == []
    assert "deadline.missed" not in kinds(await events(ministry))
    history = (await ministry.get(f"/v1/cases/{case_id}/history")).json["items"]
    assert kinds(history)[-1] == "forwarding.returned"


async def test_an_agencys_days_off(house: House, app: Caller) -> None:
    admin = await house.caller("hub", frozenset({"agencies:write", "mailbox:read"}))
    made = {"id": "dinkes-kotim", "name": "Dinas Kesehatan", "kind": "unit", "parent": "kab-kotim",
            "days_off": {"2026-01-07": "Hari Jadi Kotim"}}  # fmt: skip
    reply = await act(admin, "/v1/agencies", made, 201)
    assert reply.json["days_off"] == made["days_off"]
    assert (await app.get("/v1/agencies/dinkes-kotim")).json["days_off"] == made["days_off"]
    assert kinds(await events(admin))[-2:] == ["agency.registered", "calendar.changed"]
    for days, pointer in (
        ({"2026-02-30": "Tak ada"}, "/days_off/2026-02-30"),
        ({"2026-01-07": ""}, "/days_off/2026-01-07"),
        ([], "/days_off"),
    ):
        reply = await admin.send("PATCH", "/v1/agencies/kab-kotim", {"days_off": days})
        assert (reply.status, reply.pointers) == (422, [pointer])
    path = "/v1/agencies/dinkes-kotim"
    reply = await admin.send("PATCH", path, {"name": "Dinkes"})
    assert reply.json["days_off"] == made["days_off"], "what is left out stays"
    reply = await admin.send("PATCH", path, {"days_off": {}})
    assert reply.json["days_off"] == {}
