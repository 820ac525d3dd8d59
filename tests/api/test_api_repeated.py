"""What a client sends again after a silence: the same key at the same moment, a complaint whose addressee is
gone, a file, an answer to a case that went on without it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.domain.agency import Agency
from hub.service.requests import ChangeAgency, RegisterAgency
from tests.api.conftest import Caller, House, complaint, forwarded

KEY = {"Idempotency-Key": "kunci-1"}
WEBHOOK = {"url": "https://93.184.216.34/simpul", "event_types": ["*"]}


async def test_a_complaint_whose_addressee_is_gone_is_still_the_same(house: House, app: Caller) -> None:
    document = complaint(addressed_to=["bbws"])
    first = await app.post("/v1/complaints", document, headers=KEY)
    assert first.status == 201, first.text
    house.core.operate(ChangeAgency("bbws", {"active": False}))
    by_key = await app.post("/v1/complaints", document, headers=KEY)
    by_reference = await app.post("/v1/complaints", document)
    assert (by_key.status, by_reference.status) == (201, 200)
    assert by_key.json["id"] == by_reference.json["id"] == first.json["id"]
    fresh = await app.post("/v1/complaints", complaint(addressed_to=["kementerian-pupr", "bbws"]))
    assert (fresh.status, fresh.pointers) == (422, ["/addressed_to/1"])


@pytest.mark.parametrize(
    ("addressed", "pointers"),
    [
        (["bbws", "bbws"], ["/addressed_to/1"]),
        (["kab-kotim"], ["/addressed_to/0"]),
        (["bbws", "kab-kotim", "tidak-ada", "bbws"], [f"/addressed_to/{i}" for i in (1, 2, 3)]),
    ],
)
async def test_addressees_are_others_and_named_once(
    app: Caller, addressed: list[str], pointers: list[str]
) -> None:
    reply = await app.post("/v1/complaints", complaint(addressed_to=addressed))
    assert (reply.status, reply.pointers) == (422, pointers)


async def test_an_impossible_addressee_comes_before_a_foreign_source(app: Caller) -> None:
    reply = await app.post("/v1/complaints", complaint("bbws", addressed_to=["tidak-ada"]))
    assert (reply.status, reply.pointers) == (422, ["/addressed_to/0"])
    assert (await app.post("/v1/complaints", complaint("bbws"))).status == 403


async def test_the_same_key_at_the_same_moment_takes_effect_once(house: House, app: Caller) -> None:
    made = await asyncio.gather(*(app.put("/v1/webhook", WEBHOOK, headers=KEY) for _ in range(6)))
    assert [reply.status for reply in made] == [200] * 6
    assert sum("secret" in reply.json for reply in made) == 1
    rotated = await asyncio.gather(*(app.post("/v1/webhook/secret", headers=KEY) for _ in range(6)))
    assert [reply.status for reply in rotated] == [200] * 6
    assert sum("secret" in reply.json for reply in rotated) == 1
    gone = await asyncio.gather(*(app.send("DELETE", "/v1/webhook", headers=KEY) for _ in range(6)))
    assert [reply.status for reply in gone] == [200] * 6


async def test_a_removal_sent_again_gives_what_was_removed(app: Caller) -> None:
    assert (await app.put("/v1/webhook", WEBHOOK)).status == 200
    first = await app.send("DELETE", "/v1/webhook", headers=KEY)
    again = await app.send("DELETE", "/v1/webhook", headers=KEY)
    assert (first.status, again.status) == (200, 200)
    assert again.json == first.json
    assert "secret" not in again.json
    assert (await app.send("DELETE", "/v1/webhook")).status == 404


async def test_who_left_a_case_does_not_learn_how_it_went_on(app: Caller, ministry: Caller) -> None:
    case_id, leg = await forwarded(app)
    path = f"/v1/forwardings/{leg}"
    assert (await ministry.post(f"{path}/return", {"reason": "not_ours"})).status == 200
    to = {"to": [{"agency": "bbws", "role": "lead"}]}
    assert (await app.post(f"/v1/cases/{case_id}/forwardings", to)).status == 201
    for version in ('"1"', '"5"', "*"):
        for action, body in (("acceptance", {}), ("progress", {"text": "Jalan."})):
            reply = await ministry.post(f"{path}/{action}", body, headers={"If-Match": version})
            assert (reply.status, reply.json["state"], reply.json["possible"]) == (409, "returned", [])
            assert "version" not in reply.json
    # The owner sees the case whole: its version, and 412 before 409.
    reply = await app.post(f"{path}/withdrawal", {"reason": "Salah."}, headers={"If-Match": '"1"'})
    assert (reply.status, reply.json["version"]) == (412, 5)
    reply = await app.post(f"{path}/withdrawal", {"reason": "Salah."})
    assert (reply.status, reply.json["version"]) == (409, 5)


async def test_who_left_and_was_asked_again_sees_the_case_whole(app: Caller, ministry: Caller) -> None:
    case_id, leg = await forwarded(app)
    assert (await ministry.post(f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})).status == 200
    to = {"to": [{"agency": "kementerian-pupr", "role": "lead"}], "note": "Ruas ini memang jalan nasional."}
    assert (await app.post(f"/v1/cases/{case_id}/forwardings", to)).status == 201
    reply = await ministry.post(f"/v1/forwardings/{leg}/acceptance", {}, headers={"If-Match": '"1"'})
    assert (reply.status, reply.json["version"]) == (412, 5)


async def test_a_closed_case_is_not_told_to_who_left_it(app: Caller, ministry: Caller) -> None:
    case_id, leg = await forwarded(app)
    assert (await ministry.post(f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})).status == 200
    assert (await app.post(f"/v1/cases/{case_id}/closure", {"reason": "resolved"})).status == 200
    reply = await ministry.post(f"/v1/forwardings/{leg}/acceptance", {})
    assert (reply.status, reply.json["state"]) == (409, "returned")
    assert "closed" not in reply.text


async def test_looking_for_missing_references_takes_no_key(app: Caller) -> None:
    for references in (["A"], ["B"]):
        reply = await app.post("/v1/submissions/missing", {"references": references}, headers=KEY)
        assert (reply.status, reply.json["references"]) == (200, references)


async def test_blanks_are_no_text(app: Caller) -> None:
    reply = await app.post("/v1/complaints", complaint(title=" \u00a0 "))
    assert (reply.status, reply.pointers) == (422, ["/title"])
    blank: dict[str, Any] = {"source": {"agency": "kab-kotim", "reference": "  "}}
    reply = await app.post("/v1/complaints", complaint() | blank)
    assert (reply.status, reply.pointers) == (422, ["/source/reference"])
    reply = await app.post("/v1/complaints", complaint(occurred_on="2199-01-01"))
    assert (reply.status, reply.pointers) == (422, ["/occurred_on"])


async def test_an_agency_registered_later_can_be_addressed(house: House, app: Caller) -> None:
    document = complaint(addressed_to=["dinkes-kotim"])
    assert (await app.post("/v1/complaints", document)).status == 422
    house.core.operate(RegisterAgency(Agency("dinkes-kotim", "Dinas Kesehatan Kotim", "unit")))
    assert (await app.post("/v1/complaints", document)).status == 201
