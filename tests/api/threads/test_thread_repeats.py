"""Requests about threads that are sent again, or by who may not: what was done is said again to who has left
meanwhile; who may not is told so before its body is judged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Caller
from tests.api.deadlines.conftest import Turned, events
from tests.api.threads.conftest import APP, RIVER, ROADS, Flood

KEY = {"Idempotency-Key": "kunci-1"}
TAKEN = "tercatat"


async def test_leaving_can_be_said_twice(flood: Flood) -> None:
    """The answer to the first may have been lost; a connector repeats it until it is answered."""
    thread = await flood.open()
    river = await flood.caller(RIVER)
    path = f"/v1/threads/{thread['id']}/participants/{RIVER}"
    replies = [await river.send("DELETE", path, headers=KEY) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 200], replies[1].text
    assert replies[0].json == replies[1].json
    assert (await river.send("DELETE", path, headers={"Idempotency-Key": "kunci-2"})).status == 403
    assert (await river.send("DELETE", path)).status == 403


async def test_what_was_done_is_said_again_to_who_left(flood: Flood) -> None:
    thread = await flood.open()
    river = await flood.caller(RIVER)
    messages, commitments = f"/v1/threads/{thread['id']}/messages", f"/v1/threads/{thread['id']}/commitments"
    due = (flood.house.core.clock.now() + timedelta(days=3)).date().isoformat()
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", messages, {"text": "Kami datang besok.", "scope": "agencies"}),
        ("POST", commitments, {"agency": RIVER, "text": "Memasang pompa", "due_on": due}),
    ]
    first = [await river.send(*each, headers=KEY) for each in asked]
    assert [reply.status for reply in first] == [201, 201]
    asked += [
        ("PATCH", f"/v1/messages/{first[0].json['id']}", {"text": "Kami datang lusa."}),
        ("POST", f"/v1/commitments/{first[1].json['id']}/fulfilment", {"text": "Pompa terpasang."}),
        ("POST", f"/v1/threads/{thread['id']}/conclusion", {"text": "Surut."}),
        ("POST", f"/v1/threads/{thread['id']}/reopening", {}),
    ]
    first += [await river.send(*each, headers=KEY) for each in asked[2:]]
    assert [reply.status for reply in first] == [201, 201, 200, 200, 200, 200]
    left = await river.send("DELETE", f"/v1/threads/{thread['id']}/participants/{RIVER}")
    assert left.status == 200
    assert (await flood.post(APP, thread["id"], "Sesudah kalian pergi.")).status == 201
    count = len(await events(await flood.caller(APP)))
    for before, each in zip(first, asked, strict=True):
        again = await river.send(*each, headers=KEY)
        assert (again.status, again.json["id"]) == (before.status, before.json["id"])
        assert "Sesudah" not in again.text
        other = await river.send(*each[:2], each[2] | {"text": "Lain."}, headers=KEY)
        assert other.status == 422, "another body under the same key"
        assert (await river.send(*each)).status == 403
    assert len(await events(await flood.caller(APP))) == count


async def test_who_may_not_is_told_so_before_its_body_is_judged(flood: Flood) -> None:
    thread = await flood.open()
    message = (await flood.post(APP, thread["id"], "Rapat jam sembilan.")).json
    app, other = await flood.caller(APP), await flood.caller(ROADS)
    due = (flood.house.core.clock.now() + timedelta(days=3)).date().isoformat()
    made = await app.post(
        f"/v1/threads/{thread['id']}/commitments", {"agency": RIVER, "text": "Memasang pompa", "due_on": due}
    )
    for method, path in (
        ("PATCH", f"/v1/messages/{message['id']}"),
        ("PATCH", f"/v1/commitments/{made.json['id']}"),
        ("POST", f"/v1/commitments/{made.json['id']}/fulfilment"),
    ):
        for body in ({"text": ""}, b"{", {"lain": 1}):
            reply = await other.send(method, path, body)
            assert reply.status == 403, (path, body, reply.text)


@pytest.mark.parametrize("where", ["message", "commitment", "participant"])
async def test_an_officers_name_hides_no_number(flood: Flood, where: str) -> None:
    """What officers write is masked wherever they write it, and they are told."""
    thread = await flood.open(participants=[RIVER])
    app: Caller = await flood.caller(APP)
    officer, path = "Budi 081234567890", f"/v1/threads/{thread['id']}"
    due = (flood.house.core.clock.now() + timedelta(days=3)).date().isoformat()
    ways: dict[str, tuple[str, dict[str, Any]]] = {
        "message": (f"{path}/messages", {"text": "Halo", "scope": "agencies", "officer": officer}),
        "commitment": (
            f"{path}/commitments",
            {"agency": APP, "text": "Menutup", "due_on": due, "officer": officer},
        ),
        "participant": (f"{path}/participants", {"agency": ROADS, "officers": ["Ani", officer]}),
    }
    reply = await app.post(*ways[where])
    assert reply.status in (200, 201), reply.text
    assert "081234567890" not in reply.text and "Budi" in reply.text
    assert reply.headers["Simpul-Masked"]
    heard = await events(await flood.caller(RIVER))
    assert "Budi" in str(heard[-1]) and "081234567890" not in str(heard)


async def test_a_version_that_has_passed_changes_nothing(flood: Flood, turned: Turned) -> None:
    """`If-Match` names the thread's version; what it no longer is, is refused."""
    thread = await flood.open()
    app = await flood.caller(APP)
    path, old = f"/v1/threads/{thread['id']}", {"If-Match": f'"{thread["version"]}"'}
    assert (await flood.post(RIVER, thread["id"], "Masih hujan.")).status == 201
    refused = await app.post(f"{path}/conclusion", {"text": "Surut."}, headers=old)
    assert refused.status == 412, refused.text
    now = (await app.get(path)).json["version"]
    assert refused.json["version"] == now
    assert (await flood.post(RIVER, thread["id"], "Catatan sendiri.", "internal")).status == 201
    done = await app.post(f"{path}/conclusion", {"text": "Surut."}, headers={"If-Match": f'"{now}"'})
    assert done.status == 200, done.text
