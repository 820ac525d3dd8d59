"""Consultation, the note for who declined, the case that came back too often, onward forwarding: by HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.checking import Reply
from tests.api.conftest import Caller, House, forwarded

MINISTRY, RIVER, UNIT = "kementerian-pupr", "bbws", "dinas-pupr-kotim"


async def verified(app: Caller) -> str:
    case = await app.submit()
    assert (await app.post(f"/v1/cases/{case['id']}/verification", {"decision": "accept"})).status == 200
    return str(case["id"])


async def consult(app: Caller, case_id: str, agency: str = MINISTRY, **given: Any) -> Reply:
    body = {"agency": agency, "question": "Apakah ruas ini jalan nasional?"}
    return await app.post(f"/v1/cases/{case_id}/consultations", body, **given)


async def forward(by: Caller, case_id: str, to: str, role: str = "lead", note: str | None = None) -> Reply:
    body: dict[str, Any] = {"to": [{"agency": to, "role": role}]} | ({"note": note} if note else {})
    return await by.post(f"/v1/cases/{case_id}/forwardings", body)


async def events(caller: Caller) -> list[tuple[str, dict[str, Any]]]:
    items = (await caller.get("/v1/mailbox", params={"limit": "200"})).json["items"]
    return [(item["event"]["type"].removeprefix("id.simpul."), item["event"]["data"]) for item in items]


async def bounced(app: Caller, case_id: str, *by: Caller) -> None:
    for number, agency in enumerate(by):
        reply = await forward(app, case_id, agency.agency, note="Mohon dicek." if number else None)
        leg = reply.json["items"][0]["id"]
        reply = await agency.post(f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})
        assert (reply.status, reply.json["status"]) == (200, "returned")


async def test_a_consultation_from_question_to_verdict(app: Caller, ministry: Caller) -> None:
    case_id = await verified(app)
    key = {"Idempotency-Key": "tanya-1"}
    asked = await consult(app, case_id, headers=key)
    assert (asked.status, asked.json["status"], asked.json["from"]) == (201, "open", "kab-kotim")
    assert (await consult(app, case_id, headers=key)).json == asked.json, "the same key: the same object"
    path = f"/v1/consultations/{asked.json['id']}/answer"
    seen = await ministry.get(f"/v1/cases/{case_id}")
    assert (seen.status, seen.json["actions"]) == (200, []), "it sees the case, whole"
    body = {"verdict": "not_ours", "suggested_agency": RIVER, "text": "Hubungi Siti Rahmawati, 081234567890."}
    reply = await ministry.post(path, body)
    assert (reply.status, reply.json["verdict"], reply.json["suggested_agency"]) == (200, "not_ours", RIVER)
    assert "081234567890" not in reply.text
    assert reply.headers["Simpul-Masked"] == "reporter"
    again = await ministry.post(path, body)
    assert (again.status, again.json["state"], again.json["possible"]) == (409, "answered", [])
    for caller in (app, ministry):
        told = dict(await events(caller))
        assert told["consultation.requested.v1"]["consultation"]["question"] == asked.json["question"]
        assert told["consultation.requested.v1"]["complaint"]["title"]
        assert told["consultation.answered.v1"]["consultation"]["verdict"] == "not_ours"
    history = (await app.get(f"/v1/cases/{case_id}/history")).json["items"]
    assert [item["type"].split(".")[2] for item in history[-2:]] == ["consultation", "consultation"]
    listed = await ministry.get("/v1/cases", params={"role": "participant", "agency": "kab-kotim"})
    assert [item["id"] for item in listed.json["items"]] == [case_id]


async def test_who_said_not_ours_is_sent_the_case_only_with_a_note(app: Caller, ministry: Caller) -> None:
    case_id = await verified(app)
    asked = (await consult(app, case_id)).json["id"]
    await ministry.post(f"/v1/consultations/{asked}/answer", {"verdict": "not_ours"})
    reply = await forward(app, case_id, MINISTRY)
    assert (reply.status, reply.json["state"], "note" in reply.json["detail"]) == (409, "verified", True)
    assert "forward" in reply.json["possible"]
    reply = await forward(app, case_id, MINISTRY, note="SK 2024 menetapkannya jalan nasional.")
    assert (reply.status, reply.json["items"][0]["note"]) == (201, "SK 2024 menetapkannya jalan nasional.")


@pytest.mark.parametrize("agency", ["kab-kotim", "tidak-ada", "ombudsman", "hub"])
async def test_who_cannot_be_asked(app: Caller, agency: str) -> None:
    reply = await consult(app, await verified(app), agency)
    assert (reply.status, reply.pointers) == (422, ["/agency"])


async def test_bad_questions_and_verdicts(app: Caller, ministry: Caller, stranger: Caller) -> None:
    case_id = await verified(app)
    path = f"/v1/cases/{case_id}/consultations"
    for body, pointer in (
        ({"agency": MINISTRY, "question": ""}, "/question"),
        ({"agency": MINISTRY}, "/question"),
        ({"question": "?"}, "/agency"),
        ({"agency": MINISTRY, "question": "?", "surprise": 1}, "/surprise"),
    ):
        reply = await app.post(path, body)
        assert (reply.status, reply.pointers) == (422, [pointer])
    assert (await stranger.post(path, {"surprise": 1})).status == 404
    asked = (await consult(app, case_id)).json["id"]
    assert (await consult(app, case_id)).status == 409, "it has not answered yet"
    assert (await ministry.post(path, {"agency": RIVER, "question": "?"})).status == 403
    answer = f"/v1/consultations/{asked}/answer"
    for body, pointer in (
        ({"verdict": "mungkin"}, "/verdict"),
        ({"verdict": "ours", "text": ""}, "/text"),
        ({"verdict": "not_ours", "suggested_agency": "tidak-ada"}, "/suggested_agency"),
    ):
        reply = await ministry.post(answer, body)
        assert (reply.status, reply.pointers) == (422, [pointer])
    assert (await app.post(answer, {"verdict": "ours"})).status == 403
    assert (await stranger.post(answer, {"verdict": "ours"})).status == 404


async def test_a_part_of_another_kind_is_not_there(app: Caller, ministry: Caller) -> None:
    case_id, leg = await forwarded(app)
    asked = (await consult(app, case_id)).json["id"]
    assert (await ministry.post(f"/v1/forwardings/{asked}/acceptance", {})).status == 404
    assert (await app.post(f"/v1/forwardings/{asked}/withdrawal", {"reason": "Salah."})).status == 404
    assert (await ministry.post(f"/v1/consultations/{leg}/answer", {"verdict": "ours"})).status == 404


async def test_the_third_return_passes_the_case_to_hub(house: House, app: Caller, ministry: Caller) -> None:
    river, hub = await house.caller(RIVER), await house.caller("hub")
    case_id = await verified(app)
    await bounced(app, case_id, ministry, river, ministry)
    kind, data = (await events(hub))[-1]
    assert (kind, data["from"], data["to"], data["cause"]) == (
        "complaint.escalated.v1",
        "kab-kotim",
        "hub",
        "returns",
    )
    assert [step["agency"] for step in data["path"]] == [MINISTRY, RIVER, MINISTRY]
    reply = await forward(app, case_id, UNIT)
    assert (reply.status, reply.json["state"], "hub" in reply.json["detail"]) == (409, "verified", True)
    seen = (await app.get(f"/v1/cases/{case_id}")).json
    assert (seen["owner"], seen["actions"]) == ("hub", ["reply"]), "the source still passes on a reply"
    assert (await hub.get(f"/v1/cases/{case_id}")).json["actions"] == ["close", "consult", "forward", "link"]
    leg = (await forward(hub, case_id, MINISTRY, note="Ditetapkan dalam rapat.")).json["items"][0]["id"]
    path = f"/v1/forwardings/{leg}"
    reply = await ministry.post(f"{path}/return", {"reason": "not_ours"})
    assert (reply.status, reply.json["possible"]) == (409, ["accept", "reconsider"])
    assert (await ministry.post(f"{path}/reconsideration", {})).pointers == ["/reason"]
    reply = await ministry.post(f"{path}/reconsideration", {"reason": "Ruas ini milik balai."})
    assert (reply.status, reply.json["status"]) == (200, "sent")
    assert (await ministry.post(f"{path}/reconsideration", {"reason": "Lagi."})).status == 409
    assert (await events(hub))[-1][0] == "forwarding.reconsideration_requested.v1"
    assert (await ministry.post(f"{path}/acceptance", {})).status == 200
    assert (await ministry.post(f"{path}/answer", {"text": "Sudah ditambal."})).status == 200
    reply = await hub.post(f"/v1/cases/{case_id}/closure", {"reason": "resolved"})
    assert (reply.status, reply.json["status"]) == (200, "closed")


async def test_onward_to_others_as_support(house: House, app: Caller, ministry: Caller) -> None:
    river = await house.caller(RIVER)
    case_id, lead = await forwarded(app)
    reply = await forward(ministry, case_id, RIVER, "support")
    assert (reply.status, reply.json["possible"]) == (409, ["accept", "return"])
    await ministry.post(f"/v1/forwardings/{lead}/acceptance", {})
    assert "forward" in (await ministry.get(f"/v1/cases/{case_id}")).json["actions"]
    reply = await forward(ministry, case_id, RIVER, "lead")
    assert (reply.status, reply.pointers) == (422, ["/to/0/role"])
    for to in ("kab-kotim", MINISTRY, "tidak-ada"):
        reply = await forward(ministry, case_id, to, "support")
        assert (reply.status, reply.pointers) == (422, ["/to/0/agency"])
    leg = (await forward(ministry, case_id, RIVER, "support")).json["items"][0]
    assert (leg["from"], leg["to"]) == (MINISTRY, RIVER)
    assert (await river.post(f"/v1/forwardings/{leg['id']}/acceptance", {})).status == 200
    reply = await ministry.post(f"/v1/forwardings/{lead}/answer", {"text": "Sudah."})
    assert (await app.get(f"/v1/cases/{case_id}")).json["status"] == "in_progress", "one is open still"
    assert (await river.post(f"/v1/forwardings/{leg['id']}/withdrawal", {"reason": "x"})).status == 403
    reply = await ministry.post(f"/v1/forwardings/{leg['id']}/withdrawal", {"reason": "Tidak perlu."})
    assert (reply.status, reply.json["status"]) == (200, "withdrawn")
    assert (await app.get(f"/v1/cases/{case_id}")).json["status"] == "answered"


async def test_who_left_withdraws_nothing_more(house: House, app: Caller, ministry: Caller) -> None:
    case_id, lead = await forwarded(app)
    await ministry.post(f"/v1/forwardings/{lead}/acceptance", {})
    leg = (await forward(ministry, case_id, RIVER, "support")).json["items"][0]["id"]
    await ministry.post(f"/v1/forwardings/{lead}/return", {"reason": "not_ours"})
    reply = await ministry.post(f"/v1/forwardings/{leg}/withdrawal", {"reason": "Salah."})
    assert (reply.status, reply.json["state"], reply.json["possible"]) == (409, "ended", [])
    reply = await app.post(f"/v1/forwardings/{leg}/withdrawal", {"reason": "Salah."})
    assert reply.status == 200, "the owner can: no dead end"
