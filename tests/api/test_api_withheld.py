"""What an agency may no longer see keeps its place in its mailbox, withheld."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Caller, House, forwarded

WITHHELD = {"withheld": True}


async def mailbox(caller: Caller) -> list[tuple[str, Any]]:
    items = (await caller.get("/v1/mailbox?limit=200")).json["items"]
    assert [item["position"] for item in items] == list(range(1, len(items) + 1))
    return [(item["event"]["type"].split(".", 2)[2], item["event"]) for item in items]


async def test_who_left_reads_its_own_leg_and_the_others_withheld(
    app: Caller, ministry: Caller, house: House
) -> None:
    case_id, leg = await forwarded(app)
    support = await house.caller("bbws")
    to = {"to": [{"agency": "bbws", "role": "support"}]}
    second = (await app.post(f"/v1/cases/{case_id}/forwardings", to)).json["items"][0]["id"]
    await ministry.post(f"/v1/forwardings/{leg}/acceptance")
    await ministry.post(f"/v1/forwardings/{leg}/progress", {"text": "Rahasia dinas lain."})
    before = await mailbox(support)
    assert "Rahasia dinas lain." in str(before), "it takes part, so it sees what the others do"
    assert (await support.post(f"/v1/forwardings/{second}/return", {"reason": "not_ours"})).status == 200
    after = await mailbox(support)
    assert "Rahasia dinas lain." not in str(after)
    withheld = {kind for kind, event in after if event["data"] == WITHHELD}
    assert withheld == {"forwarding.accepted.v1", "forwarding.progressed.v1"}
    assert [event["id"] for _, event in after][: len(before)] == [event["id"] for _, event in before]
    own = [event["data"]["forwarding"]["id"] for kind, event in after
           if kind.startswith("forwarding.") and event["data"] != WITHHELD]  # fmt: skip
    assert set(own) == {second}
    assert "Rahasia dinas lain." in str(await mailbox(app)), "the owner goes on seeing all"


async def test_who_is_asked_again_sees_it_again(app: Caller, ministry: Caller) -> None:
    case_id, leg = await forwarded(app)
    assert (await ministry.post(f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})).status == 200
    to = {"to": [{"agency": ministry.agency, "role": "lead"}], "note": "Ruas ini memang jalan nasional."}
    assert (await app.post(f"/v1/cases/{case_id}/forwardings", to)).status == 201
    assert all(event["data"] != WITHHELD for _, event in await mailbox(ministry))
