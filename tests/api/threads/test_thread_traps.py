"""What is written to mislead: names with characters that nobody sees, files that are something else, dates
far away, ids that belong elsewhere."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest

from tests.api.threads.conftest import APP, RIVER, ROADS, STRANGER, Flood

RIGHT_TO_LEFT, ZERO_WIDTH, ISOLATE = "\u202e", "\u200b", "\u2066"
PNG = b"\x89PNG\r\n\x1a\n" + b"air " * 20


@pytest.mark.parametrize("sign", [RIGHT_TO_LEFT, ZERO_WIDTH, ISOLATE, "\n", "\ufeff"])
async def test_names_hide_nothing(flood: Flood, sign: str) -> None:
    """A subject, an officer, a file's name: each is shown on one line, and is what it looks like."""
    thread, app = await flood.open(participants=[RIVER]), await flood.caller(APP)
    stored = await app.post("/v1/attachments", PNG, headers={"Content-Type": "image/png"})
    name, path = f"foto{sign}gnp.exe", f"/v1/threads/{thread['id']}"
    file = {"sha256": stored.json["id"], "media_type": "image/png", "name": name, "size": len(PNG)}
    due = (flood.house.core.clock.now() + timedelta(days=3)).date().isoformat()
    bodies: list[tuple[str, dict[str, Any], str]] = [
        ("/v1/threads", {"subject": f"Banjir{sign}", "cases": flood.cases}, "/subject"),
        (f"{path}/messages", {"text": "A", "scope": "agencies", "officer": f"Budi{sign}"}, "/officer"),
        (
            f"{path}/messages",
            {"text": "A", "scope": "agencies", "attachments": [file]},
            "/attachments/0/name",
        ),
        (f"{path}/participants", {"agency": ROADS, "officers": [f"Budi{sign}"]}, "/officers/0"),
        (
            f"{path}/commitments",
            {"agency": APP, "text": "A", "due_on": due, "officer": f"Budi{sign}"},
            "/officer",
        ),
    ]
    for where, body, pointer in bodies:
        reply = await app.post(where, body)
        assert reply.status == 422, (where, reply.text)
        assert reply.pointers == [pointer]
    assert (await flood.post(APP, thread["id"], f"Teks bebas{ZERO_WIDTH} boleh.")).status == 201


async def test_far_dates_long_texts_and_false_names(flood: Flood) -> None:
    thread = await flood.open()
    path = f"/v1/threads/{thread['id']}"
    app = await flood.caller(APP)
    for due in ("0001-01-01", "1999-12-31", "9999-12-31", "2199-01-01"):
        reply = await app.post(f"{path}/commitments", {"agency": APP, "text": "A", "due_on": due})
        assert reply.status == 422 and reply.pointers == ["/due_on"], (due, reply.text)
    pages = "Dua ratus halaman. " * 30_000
    assert (await flood.post(APP, thread["id"], pages)).status == 422
    assert (await flood.post(APP, thread["id"], pages * 2)).status == 413
    assert (await flood.post(APP, thread["id"], "x" * 20_000)).status == 201
    for mention in ("0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11", STRANGER, "tidak-ada"):
        reply = await flood.post(APP, thread["id"], "Halo", mentions=[mention])
        assert reply.status == 422 and reply.pointers == ["/mentions/0"], reply.text
    reply = await flood.post(APP, thread["id"], "Halo", "reporter", cases=[thread["id"]])
    assert reply.status == 422 and reply.pointers == ["/cases/0"]


async def test_a_file_is_what_it_was_uploaded_as(flood: Flood) -> None:
    thread, app = await flood.open(), await flood.caller(APP)
    page = b"<html><script>alert(1)</script></html>"
    refused = await app.post("/v1/attachments", page, headers={"Content-Type": "image/png"})
    assert refused.status == 422, refused.text
    stored = await app.post("/v1/attachments", page, headers={"Content-Type": "text/html"})
    assert stored.status in (201, 422), stored.text
    real = await app.post("/v1/attachments", PNG, headers={"Content-Type": "image/png"})
    file = {"sha256": real.json["id"], "media_type": "image/png", "name": "Air.png", "size": len(PNG)}
    for flaw in ({"media_type": "image/jpeg"}, {"size": 1}, {"sha256": "0" * 64}):
        reply = await flood.post(APP, thread["id"], "Lihat", attachments=[file | flaw])
        assert reply.status == 422, reply.text
        assert reply.pointers == [f"/attachments/0/{next(iter(flaw))}"]
    stolen = await flood.post(RIVER, thread["id"], "Punya kami", attachments=[file])
    assert stolen.status == 422 and stolen.pointers == ["/attachments/0/sha256"]
    kept = await app.get(f"/v1/attachments/{real.json['id']}")
    assert kept.headers["Content-Disposition"].startswith("attachment")
    assert kept.headers["X-Content-Type-Options"] == "nosniff"


async def test_ids_of_another_thread_are_not_there(flood: Flood) -> None:
    """Also for who takes part in both."""
    one, two = await flood.open(), await flood.open(participants=[RIVER])
    message = (await flood.post(APP, two["id"], "Di ruang kedua.")).json
    app, roads = await flood.caller(APP), await flood.caller(ROADS)
    reply = await app.post(f"/v1/threads/{one['id']}/reads", {"up_to": message["id"]})
    assert reply.status == 404
    for caller, status in ((app, 422), (roads, 404)):
        await flood.post(APP, two["id"], "Lagi.")
        cursor = (await app.get(f"/v1/threads/{two['id']}/messages?limit=1")).json["next"]
        path = f"/v1/threads/{(one if caller is app else two)['id']}/messages?limit=1&cursor={cursor}"
        reply = await caller.get(path)
        assert reply.status == status and "Di ruang" not in reply.text
    own = (await flood.post(RIVER, two["id"], "Rahasia kami.", "internal")).json
    for method, path, body in (
        ("PATCH", f"/v1/messages/{own['id']}", {"text": "A"}),
        ("DELETE", f"/v1/messages/{own['id']}", None),
        ("POST", f"/v1/threads/{two['id']}/reads", {"up_to": own["id"]}),
    ):
        reply = await app.send(method, path, body)
        unknown = await app.send(method, path.replace(own["id"], NOWHERE), again(body, own["id"]))
        assert (reply.status, reply.body) == (unknown.status, unknown.body), "an internal note is not there"


NOWHERE = "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"


def again(body: dict[str, Any] | None, name: str) -> dict[str, Any] | None:
    return body and {key: NOWHERE if value == name else value for key, value in body.items()}


async def test_all_at_once(flood: Flood) -> None:
    """Each of two takes effect, or one of them is told why not; a message is withdrawn once, left once."""
    thread = await flood.open()
    app, river = await flood.caller(APP), await flood.caller(RIVER)
    message = (await flood.post(APP, thread["id"], "Semula.")).json
    path = f"/v1/messages/{message['id']}"
    edits = await asyncio.gather(*(app.send("PATCH", path, {"text": f"Ke-{n}"}) for n in range(5)))
    assert [reply.status for reply in edits] == [200] * 5
    shown = (await flood.read(RIVER, thread["id"]))[0]
    assert sorted([shown["text"], *(each["text"] for each in shown["earlier"])]) == sorted(
        ["Semula.", *(f"Ke-{n}" for n in range(5))]
    )
    gone = await asyncio.gather(*(app.send("DELETE", path) for _ in range(3)))
    assert sorted(reply.status for reply in gone) == [200, 409, 409]
    leaving = f"/v1/threads/{thread['id']}/participants/{RIVER}"
    replies = await asyncio.gather(
        river.send("DELETE", leaving), flood.post(RIVER, thread["id"], "Sampai jumpa."),
        river.send("DELETE", leaving), flood.post(APP, thread["id"], "Semoga lancar."),
    )  # fmt: skip
    assert sorted([replies[0].status, replies[2].status]) in ([200, 403], [200, 404])
    assert replies[1].status in (201, 403) and replies[3].status == 201


@pytest.mark.parametrize("kind", ["opened", "participant_added", "commitment_made", "concluded"])
async def test_an_event_that_cannot_be_opened_keeps_nobody_out(flood: Flood, kind: str) -> None:
    """Who left reads the thread as its events tell it: one that was altered adds no words."""
    thread, app = await flood.open(participants=[RIVER]), await flood.caller(APP)
    path = f"/v1/threads/{thread['id']}"
    due = (flood.house.core.clock.now() + timedelta(days=3)).date().isoformat()
    for where, body in (
        ("participants", {"agency": ROADS, "officers": ["Ani"]}),
        ("commitments", {"agency": RIVER, "text": "Memasang pompa", "due_on": due}),
        ("conclusion", {"text": "Surut.", "despite_open_commitments": True}),
        ("reopening", {}),
    ):
        assert (await app.post(f"{path}/{where}", body)).status in (200, 201)
    assert (await app.send("DELETE", f"{path}/participants/{RIVER}")).status == 200
    river, numbers = await flood.caller(RIVER), {"opened": 1, "participant_added": 2, "commitment_made": 3}
    place = (f"thread/{thread['id']}", numbers.get(kind, 4))
    store = flood.house.core.store
    with store.writing() as db:
        (sealed,) = db.execute("SELECT sealed FROM log WHERE stream = ? AND sequence = ?", place).fetchone()
        db.execute("UPDATE log SET sealed = ? WHERE stream = ? AND sequence = ?", (b"\0" * 60, *place))
    try:
        reply = await river.get(path)
        listed = await river.get("/v1/threads")
    finally:
        with store.writing() as db:
            db.execute("UPDATE log SET sealed = ? WHERE stream = ? AND sequence = ?", (sealed, *place))
    assert reply.status == listed.status == 200, reply.text
    assert [each["agency"] for each in reply.json["participants"]] == [APP, RIVER, ROADS]


async def test_a_page_names_no_commitment_that_its_reader_may_not_know(flood: Flood) -> None:
    """Not even in its cursor; and no page is empty before the last."""
    thread, app = await flood.open(participants=[RIVER]), await flood.caller(APP)
    path, hidden = f"/v1/threads/{thread['id']}", []
    day = flood.house.core.clock.now().date()
    body = {"agency": RIVER, "text": "Memasang pompa"}
    for ahead in (2, 3, 4, 9):
        made = await app.post(f"{path}/commitments", body | {"due_on": str(day + timedelta(days=ahead))})
        hidden.append(made.json["id"])
    await app.post(f"{path}/participants", {"agency": ROADS, "history": "from_now"})
    shown = []
    for ahead in (4, 5, 9):
        made = await app.post(f"{path}/commitments", body | {"due_on": str(day + timedelta(days=ahead))})
        shown.append(made.json["id"])
    roads, found, cursor = await flood.caller(ROADS), list[str](), ""
    while True:
        page = (await roads.get(f"/v1/commitments?limit=1{cursor}")).json
        found += [each["id"] for each in page["items"]]
        assert len(page["items"]) == 1
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
        inside = base64.b64decode(page["next"] + "===", altchars=b"-_")
        assert not any(name.encode() in inside for name in hidden)
    assert found == shown


async def test_no_identity_is_opened_of_a_case_that_the_opener_does_not_see(
    flood: Flood, opened: list[str]
) -> None:
    opened.clear()
    body = {"subject": "Siti Rahmawati", "cases": flood.cases}
    reply = await (await flood.caller(STRANGER)).post("/v1/threads", body)
    assert (reply.status, opened) == (422, [])
    await flood.open()
    assert sorted(set(opened)) == sorted(flood.cases)
