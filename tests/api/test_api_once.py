"""Idempotency-Key: the same answer, the same object, no second effect."""

from __future__ import annotations

from tests.api.conftest import Caller, House, complaint, forwarded

KEY = {"Idempotency-Key": "kunci-1"}


async def test_a_complaint_is_made_once(app: Caller) -> None:
    document = complaint()
    first = await app.post("/v1/complaints", document, headers=KEY)
    again = await app.post("/v1/complaints", document, headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert again.headers["Location"] == first.headers["Location"]
    other = await app.post("/v1/complaints", complaint(), headers=KEY)
    assert (other.status, other.json["type"]) == (422, "urn:simpul:problem:idempotency-key-reused")


async def test_after_a_refusal_the_key_may_be_used_again(app: Caller) -> None:
    assert (await app.post("/v1/complaints", complaint(title=""), headers=KEY)).status == 422
    assert (await app.post("/v1/complaints", complaint("bbws"), headers=KEY)).status == 403
    assert (await app.post("/v1/complaints", complaint(), headers=KEY)).status == 201


async def test_a_key_is_a_clients_own_and_one_routes_own(house: House, app: Caller) -> None:
    document = complaint()
    assert (await app.post("/v1/complaints", document, headers=KEY)).status == 201
    other = await house.caller("bbws")
    assert (await other.post("/v1/complaints", complaint("bbws"), headers=KEY)).status == 201


async def test_a_bad_key_is_a_422(app: Caller) -> None:
    for key in ("", " ", "x" * 256, "kunci kedua"):
        reply = await app.post("/v1/complaints", complaint(), headers={"Idempotency-Key": key})
        assert (reply.status, reply.pointers) == (422, ["Idempotency-Key"])


async def test_commands_on_a_case_and_its_legs(app: Caller, ministry: Caller) -> None:
    case = await app.submit()
    path, body = f"/v1/cases/{case['id']}/verification", {"decision": "accept"}
    first = await app.post(path, body, headers=KEY)
    again = await app.post(path, body, headers=KEY)
    assert (first.status, again.status, again.json["version"]) == (200, 200, 2)
    to = {"to": [{"agency": "kementerian-pupr", "role": "lead"}]}
    first = await app.post(f"/v1/cases/{case['id']}/forwardings", to, headers=KEY)
    again = await app.post(f"/v1/cases/{case['id']}/forwardings", to, headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    leg = first.json["items"][0]["id"]
    assert (await ministry.post(f"/v1/forwardings/{leg}/acceptance", {}, headers=KEY)).status == 200
    again = await ministry.post(f"/v1/forwardings/{leg}/acceptance", {}, headers=KEY)
    assert (again.status, again.json["status"]) == (200, "accepted")


async def test_a_replay_shows_the_object_as_it_stands_now(app: Caller, ministry: Caller) -> None:
    _, leg = await forwarded(app)
    assert (await ministry.post(f"/v1/forwardings/{leg}/acceptance", {}, headers=KEY)).status == 200
    assert (await ministry.post(f"/v1/forwardings/{leg}/progress", {"text": "Jalan."})).status == 200
    again = await ministry.post(f"/v1/forwardings/{leg}/acceptance", {}, headers=KEY)
    assert (again.status, again.json["status"]) == (200, "in_progress")


async def test_an_agency_is_registered_once(house: House) -> None:
    boss = await house.caller("hub", frozenset({"agencies:write"}))
    body = {"id": "dinkes-kotim", "name": "Dinas Kesehatan", "kind": "unit", "parent": "kab-kotim"}
    first = await boss.post("/v1/agencies", body, headers=KEY)
    again = await boss.post("/v1/agencies", body, headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert (await boss.post("/v1/agencies", body)).status == 409


async def test_a_secret_is_never_shown_twice(app: Caller) -> None:
    body = {"url": "https://93.184.216.34/simpul", "event_types": ["*"]}
    first = await app.put("/v1/webhook", body, headers=KEY)
    assert first.status == 200, first.text
    assert first.json["secret"].startswith("whsec_")
    again = await app.put("/v1/webhook", body, headers=KEY)
    assert (again.status, "secret" in again.json) == (200, False)
    rotated = await app.post("/v1/webhook/secret", headers=KEY)
    assert rotated.json["secret"] != first.json["secret"]
    assert "secret" not in (await app.post("/v1/webhook/secret", headers=KEY)).json
    assert "secret" not in (await app.get("/v1/webhook")).json
    other = await app.put("/v1/webhook", body | {"event_types": ["complaint.answered"]}, headers=KEY)
    assert other.status == 422
