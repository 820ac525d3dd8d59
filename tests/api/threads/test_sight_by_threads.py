"""A thread shows its cases to who takes part in it, as long as somebody who holds the case is in the room:
who was only asked about a case, or lost it, neither keeps it nor gives it on."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Caller
from tests.api.deadlines.conftest import events
from tests.api.threads.conftest import APP, RIVER, ROADS, STRANGER, Flood


async def consulted(flood: Flood, *cases: str) -> Caller:
    """The stranger, asked about these cases and nothing more."""
    app = await flood.caller(APP)
    for case_id in cases:
        body = {"agency": STRANGER, "question": "Apakah ini urusan Anda?"}
        assert (await app.post(f"/v1/cases/{case_id}/consultations", body)).status == 201
    return await flood.caller(STRANGER)


async def room(caller: Caller, *cases: str, participants: tuple[str, ...] = ()) -> str:
    body = {"subject": "Ruang kecil", "cases": list(cases), "participants": list(participants)}
    made = await caller.post("/v1/threads", body)
    assert made.status == 201, made.text
    return str(made.json["id"])


async def listed(caller: Caller) -> dict[str, Any]:
    return {each["id"]: each for each in (await caller.get("/v1/cases")).json["items"]}


async def test_a_room_of_one_s_own_keeps_nothing(flood: Flood) -> None:
    case_id, ministry, app = flood.cases[0], await flood.caller(ROADS), await flood.caller(APP)
    await room(ministry, case_id)
    (leg,) = (await app.get(f"/v1/cases/{case_id}")).json["forwardings"]
    assert (
        await app.post(f"/v1/forwardings/{leg['id']}/withdrawal", {"reason": "Salah alamat"})
    ).status == 200
    known = len(await events(ministry))
    assert (await app.post(f"/v1/cases/{case_id}/closure", {"reason": "resolved"})).status == 200
    seen = (await ministry.get(f"/v1/cases/{case_id}")).json
    assert seen["status"] != "closed"
    assert (await listed(ministry))[case_id]["status"] == seen["status"]
    assert len(await events(ministry)) == known


async def test_who_was_only_asked_shows_the_case_to_nobody(flood: Flood) -> None:
    first, second = flood.cases
    stranger, river = await consulted(flood, first, second), await flood.caller(RIVER)
    thread_id = await room(stranger, first, second, participants=(RIVER,))
    assert (await river.get(f"/v1/threads/{thread_id}")).status == 200
    for path in ("", "/history", "/evidence"):
        assert (await river.get(f"/v1/cases/{first}{path}")).status == 404
    assert first not in await listed(river)
    body = {"subject": "Lagi", "cases": [first, second], "participants": [APP]}
    assert (await river.post("/v1/threads", body)).status == 422, "nor does it pass on what it does not see"
    app = await flood.caller(APP)
    assert (await app.post(f"/v1/cases/{first}/replies", {"text": "Masih meluap."})).status == 200
    assert first not in [event["subject"] for event in await events(river)]


async def test_a_case_is_shown_while_one_who_holds_it_is_in_the_room(flood: Flood) -> None:
    first, second = flood.cases
    stranger, river, app = (
        await consulted(flood, first, second),
        await flood.caller(RIVER),
        await flood.caller(APP),
    )
    thread_id = await room(stranger, first, second, participants=(RIVER,))
    added = await stranger.post(f"/v1/threads/{thread_id}/participants", {"agency": APP, "history": "all"})
    assert added.status == 200, added.text
    assert (await river.get(f"/v1/cases/{first}")).status == 200
    assert first in await listed(river)
    assert (await app.send("DELETE", f"/v1/threads/{thread_id}/participants/{APP}")).status == 200
    assert (await app.post(f"/v1/cases/{first}/replies", {"text": "Masih meluap."})).status == 200
    seen = await river.get(f"/v1/cases/{first}")
    assert seen.status == 200, "what stood then"
    assert seen.json["version"] < (await app.get(f"/v1/cases/{first}")).json["version"]
    assert first not in [event["subject"] for event in (await events(river))[-1:]]
