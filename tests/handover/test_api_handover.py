"""Handover through the real API: who may, what the answer says, who reads what before and after it, and the
officer who leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.app_access import accounts
from hub.cli.database import fold
from hub.ports.accounts import OfficerRow
from hub.store.rebuilding import check_rebuild
from schemas.registry import Registry
from tests.accounts.conftest import PASSWORD, officer, problem_of
from tests.api.conftest import Caller, House, forwarded

APP, MINISTRY, RIVER = "kab-kotim", "kementerian-pupr", "bbws"
ACCEPTED = {"Idempotency-Key": "terima-1"}
HANDOVER = f"/v1/agencies/{MINISTRY}/handover"


async def admin(house: House) -> Caller:
    return await house.caller("hub", frozenset({"agencies:write", "mailbox:read"}))


async def begun(house: House) -> tuple[str, str, str]:
    """A case that the ministry has accepted, and a thread about it in which it promised something."""
    app, ministry = await house.caller(APP), await house.caller(MINISTRY)
    case_id, leg = await forwarded(app)
    assert (await ministry.post(f"/v1/forwardings/{leg}/acceptance", headers=ACCEPTED)).status == 200
    return case_id, leg, await thread_about(app, ministry, case_id, soon(house))


async def thread_about(app: Caller, ministry: Caller, case_id: str, due_on: str) -> str:
    """In which the ministry promised something."""
    body = {"subject": "Jembatan Sampit", "cases": [case_id], "participants": [MINISTRY]}
    thread: str = (await app.post("/v1/threads", body)).json["id"]
    said = {"text": "Kami periksa besok.", "scope": "agencies", "officer": "Budi Santoso"}
    assert (await ministry.post(f"/v1/threads/{thread}/messages", said)).status == 201
    owed = {
        "agency": MINISTRY,
        "officer": "Budi Santoso",
        "text": "Memeriksa jembatan",
        "due_on": due_on,
    }
    reply = await ministry.post(f"/v1/threads/{thread}/commitments", owed)
    assert reply.status == 201, reply.text
    return thread


def soon(house: House) -> str:
    return (house.core.clock.now() + timedelta(days=10)).date().isoformat()


def rebuilt(house: House) -> str | None:
    """The first difference between the tables and the log."""
    core = house.core
    return check_rebuild(core.store, fold(core.sealer))[1]


def made(house: House, name: str, email: str, agency: str = MINISTRY, role: str = "liaison") -> OfficerRow:
    return accounts(house.core).add(agency, email, name, role)[0]


async def test_an_office_moves_and_the_successor_goes_on(house: House) -> None:
    case_id, leg, thread = await begun(house)
    hub, river = await admin(house), await house.caller(RIVER)
    body = {"to": RIVER, "text": "Akun pindah. Hubungi 081298765432."}
    reply = await hub.post(HANDOVER, body, headers={"Idempotency-Key": "pindah-1"})
    assert reply.status == 200, reply.text
    assert reply.headers["Simpul-Masked"] == "phone"
    said = reply.json
    assert "081298765432" not in reply.text
    assert (said["agency"], said["from"], said["to"], said["complete"]) == ("hub", MINISTRY, RIVER, True)
    assert said["summary"]["cases"] == [case_id]
    assert said["summary"]["threads"] == [thread]
    assert [each["stage"] for each in said["summary"]["due"]] == ["follow_up"]
    (promise,) = said["summary"]["commitments"]
    assert promise["promised_to"] == [APP]
    again = await hub.post(HANDOVER, body, headers={"Idempotency-Key": "pindah-1"})
    assert again.json == said, "a repeated request gets the same answer"
    done = await river.post(f"/v1/forwardings/{leg}/progress", {"text": "Kami lanjutkan."})
    assert (done.status, done.json["to"]) == (200, RIVER)
    room = (await river.get(f"/v1/threads/{thread}")).json
    assert [each["agency"] for each in room["participants"] if "left_at" not in each] == [APP, RIVER]
    (owed,) = room["commitments"]
    assert (owed["agency"], owed["handed_over_from"]) == (RIVER, MINISTRY)
    assert "officer" not in owed, "nobody of the successor is named yet"
    (message,) = (await river.get(f"/v1/threads/{thread}/messages")).json["items"]
    assert message["author"] == {"agency": MINISTRY, "officer": "Budi Santoso"}
    assert rebuilt(house) is None


async def test_the_office_reads_what_stood_then_by_every_route(house: House) -> None:
    case_id, leg, thread = await begun(house)
    ministry, river, app = [await house.caller(name) for name in (MINISTRY, RIVER, APP)]
    progress = f"/v1/forwardings/{leg}/progress"
    assert (await ministry.post(progress, {"text": "Kami periksa."})).status == 200
    assert (await (await admin(house)).post(HANDOVER, {"to": RIVER})).status == 200
    assert (await river.post(f"/v1/forwardings/{leg}/answer", {"text": "Rahasia baru."})).status == 200
    said = {"text": "Rahasia baru.", "scope": "agencies"}
    assert (await app.post(f"/v1/threads/{thread}/messages", said)).status == 201
    routes = [f"/v1/cases/{case_id}", f"/v1/cases/{case_id}/history", f"/v1/cases/{case_id}/evidence",
              f"/v1/threads/{thread}", f"/v1/threads/{thread}/messages", "/v1/mailbox", "/v1/cases",
              "/v1/threads", "/v1/commitments"]  # fmt: skip
    for route in routes:
        reply = await ministry.get(route)
        assert reply.status == 200, (route, reply.text)
        assert "Rahasia baru" not in reply.text, route
    case = (await ministry.get(f"/v1/cases/{case_id}")).json
    assert [(each["to"], each["status"]) for each in case["forwardings"]] == [(MINISTRY, "in_progress")]
    assert (case["status"], case["actions"]) == ("in_progress", [])
    replay = await ministry.post(f"/v1/forwardings/{leg}/acceptance", headers=ACCEPTED)
    assert (replay.status, replay.json["to"], replay.json["status"]) == (200, MINISTRY, "in_progress")
    assert (await ministry.post(progress, {"text": "Masih kami."})).status == 403
    whole = (await river.get(f"/v1/cases/{case_id}")).json
    assert [(each["to"], each["status"]) for each in whole["forwardings"]] == [(RIVER, "answered")]


async def test_who_returned_it_after_the_handover_sees_its_own_leg(house: House) -> None:
    app, river = await house.caller(APP), await house.caller(RIVER)
    case_id, leg = await forwarded(app)
    assert (await (await admin(house)).post(HANDOVER, {"to": RIVER})).status == 200
    assert (await river.post(f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})).status == 200
    then = (await river.get(f"/v1/cases/{case_id}")).json
    assert [(each["to"], each["status"]) for each in then["forwardings"]] == [(RIVER, "returned")]
    before = (await (await house.caller(MINISTRY)).get(f"/v1/cases/{case_id}")).json
    assert [(each["to"], each["status"]) for each in before["forwardings"]] == [(MINISTRY, "sent")]


async def test_the_consulted_office_does_not_see_the_answer_of_its_successor(house: House) -> None:
    app, ministry, river = [await house.caller(name) for name in (APP, MINISTRY, RIVER)]
    case_id = (await app.submit())["id"]
    assert (await app.post(f"/v1/cases/{case_id}/verification", {"decision": "accept"})).status == 200
    asked = await app.post(
        f"/v1/cases/{case_id}/consultations", {"agency": MINISTRY, "question": "Milik siapa?"}
    )
    consultation = asked.json["id"]
    assert (await (await admin(house)).post(HANDOVER, {"to": RIVER})).status == 200
    answer = f"/v1/consultations/{consultation}/answer"
    assert (await ministry.post(answer, {"verdict": "ours"})).status == 403
    done = await river.post(answer, {"verdict": "ours", "text": "Rahasia baru."})
    assert (done.status, done.json["agency"]) == (200, RIVER)
    for route in (f"/v1/cases/{case_id}", f"/v1/cases/{case_id}/history", "/v1/mailbox"):
        assert "Rahasia baru" not in (await ministry.get(route)).text, route
    assert "Rahasia baru" in (await river.get(f"/v1/cases/{case_id}/history")).text


async def test_an_officer_departs_and_another_takes_over(house: House) -> None:
    _, _, thread = await begun(house)
    email = "budi@pupr.go.id"
    leaving = await officer(house, email, "administrator", agency=MINISTRY, name="Budi Santoso")
    (found,) = accounts(house.core).store.officers()
    taking = made(house, "Rina Kusuma", "rina@pupr.go.id")
    assert (await leaving.get("/v1/cases")).status == 200
    body = {"from_officer": found.id, "to_officer": taking.id, "departed": True, "text": "Pensiun."}
    reply = await (await admin(house)).post(HANDOVER, body)
    assert reply.status == 200, reply.text
    said = reply.json
    assert (said["from_officer"], said["to_officer"], said["departed"]) == (found.id, taking.id, True)
    assert said["summary"]["counts"]["commitments"] == 1
    assert said["summary"]["counts"]["cases"] == 0, "what the agency holds stays the agency's"
    assert (await leaving.get("/v1/cases")).status == 401, "at once"
    assert (await leaving.sign_in(email, PASSWORD)).status == 401
    room = (await (await house.caller(APP)).get(f"/v1/threads/{thread}")).json
    assert room["commitments"][0]["officer"] == "Rina Kusuma"
    (message,) = (await (await house.caller(APP)).get(f"/v1/threads/{thread}/messages")).json["items"]
    assert message["author"]["officer"] == "Budi Santoso", "what was written keeps its name"
    again = await (await admin(house)).post(HANDOVER, {**body, "departed": False})
    assert again.json["summary"]["counts"]["commitments"] == 0
    assert rebuilt(house) is None


async def test_the_place_among_the_officers_passes_on(house: House) -> None:
    app = await house.caller(APP)
    case_id, _ = await forwarded(app)
    thread = (await app.post("/v1/threads", {"subject": "Jembatan", "cases": [case_id]})).json["id"]
    body = {"agency": MINISTRY, "officers": ["Budi Santoso", "Sari"], "history": "from_now"}
    assert (await app.post(f"/v1/threads/{thread}/participants", body)).status == 200
    leaving, taking = (
        made(house, name, f"{name[:4]}@pupr.go.id") for name in ("Budi Santoso", "Rina Kusuma")
    )
    said = await (await admin(house)).post(HANDOVER, {"from_officer": leaving.id, "to_officer": taking.id})
    assert said.json["summary"]["threads"] == [thread]
    room = (await app.get(f"/v1/threads/{thread}")).json
    (place,) = [each for each in room["participants"] if each["agency"] == MINISTRY]
    assert (place["officers"], place["history"]) == (["Rina Kusuma", "Sari"], "from_now")
    assert rebuilt(house) is None


async def test_a_departed_officer_with_nothing_to_hand_over(house: House) -> None:
    leaving = await officer(house, "budi@pupr.go.id", "liaison", agency=MINISTRY, name="Budi")
    (found,) = accounts(house.core).store.officers()
    taking = made(house, "Rina", "rina@pupr.go.id")
    body = {"from_officer": found.id, "to_officer": taking.id, "departed": True}
    reply = await (await admin(house)).post(HANDOVER, body)
    assert (reply.status, reply.json["complete"]) == (200, True)
    assert (await leaving.get("/v1/cases")).status == 401


async def test_who_may(house: House) -> None:
    own = await officer(house, "adm@pupr.go.id", "administrator", agency=MINISTRY, name="Adm")
    other = await officer(house, "adm@kotim.go.id", "administrator", agency=APP, name="Adm lain")
    clerk = await officer(house, "koor@pupr.go.id", "coordinator", agency=MINISTRY, name="Koor")
    assert (await own.post(HANDOVER, {"to": RIVER})).status == 200
    for refused in (other, clerk, await house.caller(MINISTRY)):
        assert (await refused.post(HANDOVER, {"to": RIVER})).status == 403
        assert (await refused.post(HANDOVER, {"to": 7})).status == 403, "before the body is judged"
    assert problem_of(await other.post(HANDOVER, {"to": RIVER})) == "wrong-role"
    named = {"id": "dinas-baru", "name": "Dinas Baru", "kind": "unit"}
    assert (await own.post("/v1/agencies", named)).status == 403, "registering stays the hub's"
    changed = await own.send("PATCH", f"/v1/agencies/{MINISTRY}", {"name": "Lain"})
    assert changed.status == 403


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/to"]),
        ({"to": MINISTRY}, ["/to"]),
        ({"to": "tidak-ada"}, ["/to"]),
        ({"to": "ombudsman"}, ["/to"]),
        ({"to": "hub"}, ["/to"]),
        ({"departed": True}, ["/from_officer", "/to_officer"]),
        ({"from_officer": "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"}, ["/to_officer"]),
        (
            {"from_officer": "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11",
             "to_officer": "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a12"},
            ["/from_officer", "/to_officer"],
        ),
        (
            {"to": RIVER, "from_officer": "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11",
             "to_officer": "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"},
            ["/to", "/to_officer"],
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_named(house: House, body: dict[str, Any], pointers: list[str]) -> None:
    reply = await (await admin(house)).post(HANDOVER, body)
    assert reply.status == 422, reply.text
    assert [error["pointer"] for error in reply.json["errors"]] == pointers


async def test_officers_of_another_agency_are_not_there(house: House) -> None:
    mine, theirs = made(house, "Budi", "budi@pupr.go.id"), made(house, "Dewi", "dewi@kotim.go.id", APP)
    hub = await admin(house)
    reply = await hub.post(HANDOVER, {"from_officer": mine.id, "to_officer": theirs.id, "departed": True})
    assert [error["pointer"] for error in reply.json["errors"]] == ["/to_officer"]
    reply = await hub.post(HANDOVER, {"from_officer": theirs.id, "to_officer": mine.id, "departed": True})
    assert [error["pointer"] for error in reply.json["errors"]] == ["/from_officer"]
    assert not [each for each in accounts(house.core).store.officers() if each.disabled_at]
    accounts(house.core).disable("budi@pupr.go.id")
    other = made(house, "Rina", "rina@pupr.go.id")
    reply = await hub.post(HANDOVER, {"from_officer": other.id, "to_officer": mine.id})
    assert [error["pointer"] for error in reply.json["errors"]] == ["/to_officer"]
    assert (await hub.post(HANDOVER, {"from_officer": mine.id, "to_officer": other.id})).status == 200


async def test_no_such_agency_and_nothing_to_hand_over(house: House) -> None:
    hub = await admin(house)
    assert (await hub.post("/v1/agencies/tidak-ada/handover", {"to": RIVER})).status == 404
    reply = await hub.post(HANDOVER, {"to": RIVER})
    assert reply.status == 200
    assert set(reply.json["summary"]["counts"].values()) == {0}


async def test_more_than_one_transaction_takes_is_handed_over_in_several(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.service.handovers.MOST", 2)
    case_id, _, thread = await begun(house)
    cases = {case_id, *[(await forwarded(await house.caller(APP)))[0] for _ in range(2)]}
    hub, key = await admin(house), {"Idempotency-Key": "bagian-1"}
    parts = [(await hub.post(HANDOVER, {"to": RIVER}, headers=key)).json]
    while not parts[-1]["complete"]:
        parts.append((await hub.post(HANDOVER, {"to": RIVER})).json)
    assert [len(part["summary"]["cases"]) for part in parts] == [2, 1, 0]
    assert {name for part in parts for name in part["summary"]["cases"]} == cases
    assert [part["summary"]["threads"] for part in parts] == [[], [], [thread]]
    assert rebuilt(house) is None


async def test_two_officers_of_one_name(house: House) -> None:
    await begun(house)
    one, two = (made(house, "Budi Santoso", f"budi{n}@pupr.go.id") for n in range(2))
    reply = await (await admin(house)).post(HANDOVER, {"from_officer": one.id, "to_officer": two.id})
    assert (reply.status, reply.json["complete"]) == (200, True)


async def test_the_events_fit_their_schema_for_every_reader(house: House) -> None:
    await begun(house)
    hub, schemas = await admin(house), Registry.load()
    assert (await hub.post(HANDOVER, {"to": RIVER, "text": "Akun pindah."})).status == 200
    found = {}
    for caller in (hub, *[await house.caller(name) for name in (APP, MINISTRY, RIVER)]):
        items = (await caller.get("/v1/mailbox")).json["items"]
        events = [
            item["event"] for item in items if item["event"]["type"] == "id.simpul.agency.handed_over.v1"
        ]
        found[caller.agency] = sorted("case_id" in event["data"] for event in events)
        for event in events:
            assert event["subject"] == MINISTRY
            assert schemas.validate("agency.handed_over", event["data"]) == []
    assert found == {"hub": [False], APP: [True], MINISTRY: [False, True], RIVER: [False, True]}


@pytest.mark.parametrize("between", ["offices", "officers"])
async def test_the_note_names_no_reporter_of_what_is_handed_over(house: House, between: str) -> None:
    """It is the agency's own, and outlives the erasure of the cases: it says nothing of them."""
    reporter = {"name": "Zulkarnaen Wirabuana", "phone": "0812 9999 8765", "anonymous": True}
    app, ministry = await house.caller(APP), await house.caller(MINISTRY)
    case_id, leg = await forwarded(app, reporter=reporter)
    assert (await ministry.post(f"/v1/forwardings/{leg}/acceptance", headers=ACCEPTED)).status == 200
    await thread_about(app, ministry, case_id, soon(house))
    body: dict[str, Any] = {"text": "Dijanjikan kepada Zulkarnaen Wirabuana (Pak Wirabuana) selesai Senin."}
    if between == "offices":
        body |= {"to": RIVER}
    else:
        budi, sari = made(house, "Budi Santoso", "budi@pu.go.id"), made(house, "Sari Dewi", "sari@pu.go.id")
        body |= {"from_officer": budi.id, "to_officer": sari.id}
    reply = await (await admin(house)).post(HANDOVER, body)
    assert reply.status == 200, reply.text
    assert reply.json["summary"]["counts"]["threads"] == 1
    assert reply.headers["Simpul-Masked"] == "reporter"
    assert "Wirabuana" not in reply.text and "Zulkarnaen" not in reply.text and "Senin" in reply.text
    told = await (await admin(house)).get("/v1/mailbox?limit=1000")
    assert "Wirabuana" not in told.text
