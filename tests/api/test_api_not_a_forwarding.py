"""A case's id where a forwarding's belongs: the answer says where that one stands, and betrays nothing."""

from __future__ import annotations

import pytest

from tests.api.conftest import Caller, forwarded

UNKNOWN = "0190aaaa-0000-7000-8000-000000000000"
ROUTES = {
    "acceptance": {},
    "return": {"reason": "not_ours", "text": "Bukan kewenangan kami."},
    "progress": {"text": "Tim meninjau besok."},
    "answer": {"text": "Sudah ditambal."},
    "withdrawal": {"reason": "Cukup satu."},
    "reconsideration": {"reason": "Mohon ditinjau."},
}


@pytest.mark.parametrize("route", ROUTES)
async def test_a_forwarding_that_is_none_is_told_alike_whatever_the_id_is(
    app: Caller, ministry: Caller, stranger: Caller, route: str
) -> None:
    case_id, leg_id = await forwarded(app)
    told = []
    for caller, given in (
        (ministry, case_id), (ministry, UNKNOWN), (ministry, "bukan-uuid"),
        (stranger, leg_id), (stranger, case_id), (stranger, UNKNOWN),
    ):  # fmt: skip
        for body in (ROUTES[route], {"ngawur": 1}):
            reply = await caller.post(f"/v1/forwardings/{given}/{route}", body)
            assert (reply.status, reply.json["type"]) == (404, "urn:simpul:problem:not-found"), reply.text
            told.append((reply.json["title"], reply.json["detail"], sorted(reply.json)))
    assert len({str(each) for each in told}) == 1, told
    assert "no such forwarding" in told[0][1]
    assert "event forwarding.sent (data.forwarding.id) and in the case (forwardings[].id)" in told[0][1]
    assert "no such case" not in told[0][1]


async def test_a_forwarding_s_id_stands_where_the_answer_says(app: Caller, ministry: Caller) -> None:
    case_id, leg_id = await forwarded(app)
    items = (await ministry.get("/v1/mailbox")).json["items"]
    sent = [each["event"] for each in items if each["event"]["type"] == "id.simpul.forwarding.sent.v1"]
    assert [each["data"]["forwarding"]["id"] for each in sent] == [leg_id]
    case = (await ministry.get(f"/v1/cases/{case_id}")).json
    assert [each["id"] for each in case["forwardings"]] == [leg_id]


async def test_a_consultation_s_id_stands_where_the_answer_says(app: Caller, ministry: Caller) -> None:
    case = await app.submit()
    await app.post(f"/v1/cases/{case['id']}/verification", {"decision": "accept"})
    asked = {"agency": "kementerian-pupr", "question": "Jalan ini milik siapa?"}
    made = (await app.post(f"/v1/cases/{case['id']}/consultations", asked)).json["id"]
    items = (await ministry.get("/v1/mailbox")).json["items"]
    sent = [each["event"] for each in items if each["event"]["type"] == "id.simpul.consultation.requested.v1"]
    assert [each["data"]["consultation"]["id"] for each in sent] == [made]
    details = set()
    for given in (case["id"], UNKNOWN, "bukan-uuid"):
        reply = await ministry.post(f"/v1/consultations/{given}/answer", {"verdict": "ours"})
        assert (reply.status, reply.json["type"]) == (404, "urn:simpul:problem:not-found")
        details.add(reply.json["detail"])
    assert len(details) == 1
    assert "(data.consultation.id)" in details.pop()
