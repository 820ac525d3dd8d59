"""Lists, pages, mailbox, digests, registry, webhook: what can be read and compared."""

from __future__ import annotations

import asyncio
import hashlib

from tests.api.conftest import Caller, House, complaint, forwarded


async def test_pages_of_cases_are_complete_and_signed(app: Caller, stranger: Caller) -> None:
    made = [(await app.submit())["id"] for _ in range(5)]
    seen, cursor = [], ""
    while True:
        page = (await app.get(f"/v1/cases?limit=2{cursor}")).json
        seen += [case["id"] for case in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == made[::-1]
    assert (await stranger.get("/v1/cases")).json == {"items": [], "next": None}
    first = (await app.get("/v1/cases?limit=2")).json["next"]
    assert (await stranger.get(f"/v1/cases?cursor={first}")).status == 422
    assert (await app.get(f"/v1/cases?status=submitted&cursor={first}")).status == 422


async def test_filters(app: Caller, ministry: Caller) -> None:
    await app.submit(title="Lampu jalan mati", category="street_lighting")
    case_id, _ = await forwarded(app)

    async def ids(query: str, caller: Caller = app) -> list[str]:
        reply = await caller.get(f"/v1/cases?{query}")
        assert reply.status == 200, reply.text
        return [case["id"] for case in reply.json["items"]]

    assert await ids("status=forwarded") == [case_id]
    assert await ids("agency=kementerian-pupr") == [case_id]
    assert await ids("role=handler", ministry) == [case_id]
    assert await ids("role=owner", ministry) == []
    assert len(await ids("role=owner&region=62")) == 2
    assert len(await ids("q=lampu")) == 1
    assert await ids("overdue=true") == []
    assert len(await ids("overdue=false")) == 2
    assert len(await ids("updated_since=2025-01-01T00:00:00%2B07:00")) == 2
    assert await ids("updated_since=2199-01-01T00:00:00Z") == []


async def test_history_in_pages(app: Caller, ministry: Caller) -> None:
    case_id, _ = await forwarded(app)
    first = (await app.get(f"/v1/cases/{case_id}/history?limit=2")).json
    rest = (await app.get(f"/v1/cases/{case_id}/history?limit=2&cursor={first['next']}")).json
    types = [e["type"].split(".")[3] for e in first["items"] + rest["items"]]
    assert types == ["submitted", "verified", "sent"]
    assert rest["next"] is None
    assert (await app.get(f"/v1/cases/{case_id}/history?limit=0")).status == 422


async def test_the_mailbox_and_its_digest(app: Caller) -> None:
    for _ in range(2):
        await app.submit()
    page = (await app.get("/v1/mailbox?limit=2")).json  # the first entry is the agency's registration
    assert [entry["position"] for entry in page["items"]] == [1, 2]
    assert page["next"] == 2
    rest = (await app.get("/v1/mailbox?after=2")).json
    assert (await app.get("/v1/mailbox?after=3")).json["next"] == 3
    lines = "".join(f"{e['position']} {e['event']['id']}\n" for e in page["items"] + rest["items"])
    digest = (await app.get("/v1/mailbox/digest?from=1&to=3")).json
    assert digest == {"from": 1, "to": 3, "count": 3, "sha256": hashlib.sha256(lines.encode()).hexdigest()}
    assert (await app.put("/v1/mailbox/cursor", {"position": 3})).json == {"position": 3}
    assert (await app.put("/v1/mailbox/cursor", {"position": 4})).pointers == ["/position"]
    assert (await app.put("/v1/mailbox/cursor", {"position": -1})).status == 422
    for query in ("after=-1", "after=x", "limit=0", "wait=31", "wait=-1", "wait=nan"):
        assert (await app.get(f"/v1/mailbox?{query}")).status == 422
    for query in ("from=1", "from=0&to=3", "from=3&to=1", ""):
        assert (await app.get(f"/v1/mailbox/digest?{query}")).status == 422


async def test_a_long_poll_ends_with_the_first_entry(app: Caller) -> None:
    waiting = asyncio.create_task(app.get("/v1/mailbox?after=1&wait=20"))
    await asyncio.sleep(0)
    case = await app.submit()
    reply = await asyncio.wait_for(waiting, 10)
    assert [entry["event"]["subject"] for entry in reply.json["items"]] == [case["id"]]


async def test_submissions_are_compared_from_both_sides(app: Caller) -> None:
    made = {}
    for _ in range(3):
        document = complaint()
        made[document["source"]["reference"]] = (await app.post("/v1/complaints", document)).json["id"]
    span = "from=2025-01-01T00:00:00Z&to=2199-01-01T00:00:00Z"
    digest = (await app.get(f"/v1/submissions/digest?{span}")).json
    lines = "".join(f"{name} {made[name]}\n" for name in sorted(made))
    assert (digest["count"], digest["sha256"]) == (3, hashlib.sha256(lines.encode()).hexdigest())
    known = next(iter(made))
    reply = await app.post("/v1/submissions/missing", {"references": ["X-2", known, "X-1", "X-2"]})
    assert reply.json == {"references": ["X-2", "X-1"]}
    assert (await app.get("/v1/submissions/digest?from=2025-01-01T00:00:00Z")).pointers == ["to"]
    reply = await app.get("/v1/submissions/digest?from=2025-01-02T00:00:00Z&to=2025-01-01T00:00:00Z")
    assert reply.pointers == ["to"]
    assert (await app.post("/v1/submissions/missing", {"references": "X"})).pointers == ["/references"]


async def test_the_registry(house: House, app: Caller) -> None:
    boss = await house.caller("hub", frozenset({"agencies:write"}))
    body = {"id": "dinsos", "name": "Dinas Sosial", "kind": "unit", "parent": "kab-kotim", "region": "62.02"}
    reply = await boss.post("/v1/agencies", body)
    assert (reply.status, reply.json["time_zone"], reply.json["active"]) == (201, "Asia/Jakarta", True)
    assert (await app.get("/v1/agencies/dinsos")).json == reply.json
    assert (await boss.post("/v1/agencies", body | {"id": "x", "region": "99.98"})).pointers == ["/region"]
    assert (await boss.post("/v1/agencies", body | {"id": "x", "parent": "y"})).pointers == ["/parent"]
    assert (await boss.post("/v1/agencies", body | {"id": "X!"})).pointers == ["/id"]
    changed = await boss.send("PATCH", "/v1/agencies/bbws", {"time_zone": "Asia/Makassar", "region": "64"})
    assert (changed.status, changed.json["time_zone"], changed.json["region"]) == (200, "Asia/Makassar", "64")
    changed = await boss.send("PATCH", "/v1/agencies/bbws", {"region": None, "parent": "kab-kotim"})
    assert (changed.status, changed.json["region"], changed.json["parent"]) == (200, None, "kab-kotim")
    assert (await boss.send("PATCH", "/v1/agencies/tidak-ada", {"active": False})).status == 404
    assert (await boss.send("PATCH", "/v1/agencies/hub", {"active": False})).status == 409
    names, cursor = [], ""
    while True:
        page = (await app.get(f"/v1/agencies?limit=3{cursor}")).json
        names += [agency["id"] for agency in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert names == sorted(names)
    assert {"hub", "dinsos", "ombudsman"} <= set(names)


async def test_a_unit_is_changed_without_naming_its_parent(house: House) -> None:
    boss = await house.caller("hub", frozenset({"agencies:write"}))
    reply = await boss.send("PATCH", "/v1/agencies/dinas-pupr-kotim", {"time_zone": "Asia/Makassar"})
    assert (reply.status, reply.json["time_zone"]) == (200, "Asia/Makassar")


async def test_an_inactive_agency_is_out(house: House, ministry: Caller) -> None:
    boss = await house.caller("hub", frozenset({"agencies:write"}))
    assert (await boss.send("PATCH", "/v1/agencies/kementerian-pupr", {"active": False})).status == 200
    assert (await ministry.get("/v1/cases")).status == 401
    app = await house.caller("kab-kotim")
    case = await app.submit()
    await app.post(f"/v1/cases/{case['id']}/verification", {"decision": "accept"})
    to = {"to": [{"agency": "kementerian-pupr", "role": "lead"}]}
    assert (await app.post(f"/v1/cases/{case['id']}/forwardings", to)).pointers == ["/to/0/agency"]


async def test_categories_and_regions(app: Caller) -> None:
    categories = (await app.get("/v1/categories?limit=200")).json["items"]
    assert {"code", "name", "name_en"} == set(categories[0])
    first = (await app.get("/v1/categories?limit=3")).json
    second = (await app.get(f"/v1/categories?limit=3&cursor={first['next']}")).json
    assert first["items"] + second["items"] == categories[:6]
    provinces = (await app.get("/v1/regions")).json
    assert (len(provinces["items"]), provinces["next"]) == (38, None)
    below = (await app.get("/v1/regions?parent=62")).json["items"]
    assert {"code": "62.02", "name": "Kabupaten Kotawaringin Timur", "kind": "regency"} in below
    assert (await app.get("/v1/regions?parent=00")).pointers == ["parent"]


async def test_a_webhook_and_its_deliveries(app: Caller) -> None:
    assert (await app.get("/v1/webhook")).status == 404
    assert (await app.post("/v1/webhook/secret")).status == 404
    assert (await app.send("DELETE", "/v1/webhook")).status == 404
    body = {"url": "https://93.184.216.34/simpul", "event_types": ["complaint.answered"]}
    assert (await app.put("/v1/webhook", body)).json["event_types"] == ["id.simpul.complaint.answered.v1"]
    reply = await app.put("/v1/webhook", body | {"url": "http://127.0.0.1/"})
    assert (reply.status, reply.pointers) == (422, ["/url"])
    assert (await app.put("/v1/webhook", {"url": "x"})).status == 422
    assert (await app.get("/v1/deliveries?state=pending,dead")).json == {"items": [], "next": None}
    assert (await app.get("/v1/deliveries?state=gone")).pointers == ["state"]
    reply = await app.post("/v1/deliveries/0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11/redelivery")
    assert reply.status == 404
    assert (await app.send("DELETE", "/v1/webhook")).json["active"] is False
    assert (await app.get("/v1/webhook")).status == 404
