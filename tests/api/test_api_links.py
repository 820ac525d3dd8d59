"""Links between cases by HTTP: duplicates and related ones, the primary's answer offered, undone again."""

from __future__ import annotations

from tests.api.conftest import Caller, House, forwarded
from tests.api.deadlines.conftest import act, events, kinds

MINISTRY = "kementerian-pupr"


async def linked(app: Caller, relation: str = "duplicate") -> tuple[str, str]:
    """A duplicate (or related case) and its primary."""
    first, second = (await app.submit())["id"], (await app.submit())["id"]
    await act(app, f"/v1/cases/{second}/links", {"case": first, "relation": relation})
    return second, first


async def test_a_link_stands_in_both_cases_and_either_side_undoes_it(app: Caller) -> None:
    for side in (0, 1):
        pair = await linked(app, "related")
        for one, other in (pair, pair[::-1]):
            case = (await app.get(f"/v1/cases/{one}")).json
            assert case["links"] == [{"case": other, "relation": "related"}]
        path = f"/v1/cases/{pair[side]}/links/{pair[1 - side]}"
        reply = await app.send("DELETE", path)
        assert (reply.status, reply.json["links"]) == (200, [])
        assert (await app.get(f"/v1/cases/{pair[1 - side]}")).json["links"] == []
        assert (await app.send("DELETE", path)).status == 409, "there is none any more"
    told = [kind for kind in kinds(await events(app)) if "linked" in kind]
    assert told == ["complaint.linked"] * 2 + ["complaint.unlinked"] * 2 + [
        "complaint.linked",
        "complaint.linked",
        "complaint.unlinked",
        "complaint.unlinked",
    ]


async def test_what_cannot_be_linked(app: Caller, ministry: Caller, stranger: Caller) -> None:
    second, first = await linked(app)
    third = (await app.submit())["id"]
    path = f"/v1/cases/{second}/links"
    refused = [
        ({"case": second, "relation": "related"}, 422, ["/case"]),
        ({"case": "00000000-0000-7000-8000-000000000000", "relation": "related"}, 422, ["/case"]),
        ({"case": first, "relation": "copy"}, 422, ["/relation"]),
        ({"relation": "related"}, 422, ["/case"]),
    ]
    for body, status, pointers in refused:
        reply = await app.post(path, body)
        assert (reply.status, reply.pointers) == (status, pointers), reply.text
    again = await app.post(path, {"case": first, "relation": "related"})
    assert (again.status, again.json["state"]) == (409, "submitted")
    chain = await app.post(f"/v1/cases/{third}/links", {"case": second, "relation": "duplicate"})
    assert chain.status == 409
    assert first in chain.json["detail"], "it names the primary"
    primary = await app.post(f"/v1/cases/{first}/links", {"case": third, "relation": "duplicate"})
    assert primary.status == 409, "a primary is no duplicate"
    assert (await stranger.post(path, {"case": third, "relation": "related"})).status == 404
    other, _ = await forwarded(app)
    for_ministry = await ministry.post(f"/v1/cases/{other}/links", {"case": third, "relation": "related"})
    assert (for_ministry.status, for_ministry.pointers) == (422, ["/case"]), "it does not see the other case"


async def test_the_primarys_answer_is_offered_to_the_duplicates_owner(
    house: House, app: Caller, ministry: Caller
) -> None:
    """The ministry handles cases of two regencies and sees that they are about one road."""
    elsewhere = await house.caller("orang-luar")
    primary, leg = await forwarded(app)
    duplicate, other_leg = await forwarded(elsewhere)
    body = {"case": primary, "relation": "duplicate"}
    assert (await elsewhere.post(f"/v1/cases/{duplicate}/links", body)).status == 422, "it does not see it"
    for each in (leg, other_leg):
        await act(ministry, f"/v1/forwardings/{each}/acceptance", {})
    await act(ministry, f"/v1/cases/{duplicate}/links", body)
    await act(ministry, f"/v1/forwardings/{leg}/answer", {"text": "Jalan itu sudah diaspal."})
    offered = [event for event in await events(elsewhere) if event["subject"] == primary]
    assert kinds(offered) == ["complaint.answered"]
    assert offered[0]["data"]["answer"]["text"] == "Jalan itu sudah diaspal."
    assert (await elsewhere.get(f"/v1/cases/{primary}")).status == 404, "the answer, and no more"
    assert (await elsewhere.get(f"/v1/cases/{duplicate}")).json["status"] == "in_progress"


async def test_a_link_is_made_once_for_a_key_and_by_version(app: Caller) -> None:
    first, second = (await app.submit())["id"], (await app.submit())["id"]
    path, body = f"/v1/cases/{second}/links", {"case": first, "relation": "duplicate"}
    stale = await app.post(path, body, headers={"If-Match": '"7"'})
    assert stale.status == 412
    key = {"Idempotency-Key": "tautan-1", "If-Match": '"1"'}
    one = await act(app, path, body, headers=key)
    two = await act(app, path, body, headers=key)
    assert one.json["version"] == two.json["version"] == 2
    assert MINISTRY not in str(one.json["links"])


async def test_who_owns_a_case_can_undo_what_another_linked_and_left(
    house: House, app: Caller, ministry: Caller
) -> None:
    elsewhere, river = await house.caller("orang-luar"), await house.caller("bbws")
    primary, _ = await forwarded(app)
    body = {"to": [{"agency": "bbws", "role": "support"}]}
    legs = (await act(app, f"/v1/cases/{primary}/forwardings", body, 201)).json["items"]
    duplicate, other_leg = await forwarded(elsewhere, "bbws")
    path = f"/v1/cases/{duplicate}/links"
    early = await river.post(path, {"case": primary, "relation": "duplicate"})
    assert early.status == 409, "it has accepted neither"
    for leg in (legs[0]["id"], other_leg):
        await act(river, f"/v1/forwardings/{leg}/acceptance", {})
    await act(river, path, {"case": primary, "relation": "duplicate"})
    await act(river, f"/v1/forwardings/{legs[0]['id']}/return", {"reason": "not_ours"})
    undone = await app.send("DELETE", f"/v1/cases/{primary}/links/{duplicate}")
    assert (undone.status, undone.json["links"]) == (200, [])
    assert (await elsewhere.get(f"/v1/cases/{duplicate}")).json["links"] == []
    told = [event["subject"] for event in await events(app) if event["type"].endswith("unlinked.v1")]
    assert told == [primary], "of the other case it is told nothing"
