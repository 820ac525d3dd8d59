"""One room over two cases, as the agencies' own systems use it: who sees what, in every route."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from tests.api.conftest import Caller
from tests.api.deadlines.conftest import Turned, events
from tests.api.threads.conftest import APP, RIVER, ROADS, STRANGER, Flood

SECRET = "Jangan beri tahu dulu, anggaran belum turun."


async def test_a_room_over_two_cases(flood: Flood) -> None:
    thread = await flood.open()
    assert thread["subject"] == "Banjir di perbatasan Sampit" and thread["status"] == "open"
    assert thread["cases"] == flood.cases and thread["opened_by"] == APP
    assert [each["agency"] for each in thread["participants"]] == [APP, RIVER, ROADS]
    posted = await flood.post(RIVER, thread["id"], "Pintu air dibuka besok pagi.", officer="Budi Santoso")
    assert posted.status == 201, posted.text
    assert posted.json["author"] == {"agency": RIVER, "officer": "Budi Santoso"}
    note = await flood.post(RIVER, thread["id"], SECRET, "internal")
    assert note.status == 201, note.text
    assert [each["text"] for each in await flood.read(RIVER, thread["id"])] == [
        "Pintu air dibuka besok pagi.",
        SECRET,
    ]
    for other in (APP, ROADS):
        assert [each["text"] for each in await flood.read(other, thread["id"])] == [
            "Pintu air dibuka besok pagi."
        ]


async def test_whoever_takes_part_sees_every_case_of_the_thread(flood: Flood) -> None:
    ministry = await flood.caller(ROADS)
    assert (await ministry.get(f"/v1/cases/{flood.cases[1]}")).status == 404
    thread = await flood.open()
    case = await ministry.get(f"/v1/cases/{flood.cases[1]}")
    assert case.status == 200 and [each["id"] for each in case.json["threads"]] == [thread["id"]]
    listed = await ministry.get("/v1/cases", params={"role": "participant"})
    assert {each["id"] for each in listed.json["items"]} == set(flood.cases)
    seen = await events(ministry)
    before = len(seen)
    river = await flood.caller(RIVER)
    leg = case.json["forwardings"][0]["id"]
    assert (await river.post(f"/v1/forwardings/{leg}/acceptance", {})).status == 200
    new = (await events(ministry))[before:]
    assert [event["type"] for event in new] == ["id.simpul.forwarding.accepted.v1"]
    left = await ministry.send("DELETE", f"/v1/threads/{thread['id']}/participants/{ROADS}")
    assert left.status == 200, left.text
    assert (await river.post(f"/v1/forwardings/{leg}/progress", {"text": "Pompa dipasang."})).status == 200
    assert [event["type"] for event in (await events(ministry))[before + 1 :]] == [
        "id.simpul.thread.participant_left.v1"
    ]
    frozen = await ministry.get(f"/v1/cases/{flood.cases[1]}")
    assert frozen.status == 200 and frozen.json["actions"] == []
    assert "Pompa" not in frozen.text


async def test_a_stranger_finds_nothing(flood: Flood) -> None:
    thread = await flood.open()
    message = (await flood.post(APP, thread["id"], "Rapat jam sembilan.")).json
    stranger: Caller = await flood.caller(STRANGER)
    for method, path, body in (
        ("GET", f"/v1/threads/{thread['id']}", None),
        ("GET", f"/v1/threads/{thread['id']}/messages", None),
        ("POST", f"/v1/threads/{thread['id']}/messages", {"text": "Halo", "scope": "agencies"}),
        ("POST", f"/v1/threads/{thread['id']}/messages", {"text": ""}),
        ("PATCH", f"/v1/messages/{message['id']}", {"text": "Lain"}),
        ("DELETE", f"/v1/messages/{message['id']}", None),
        ("POST", f"/v1/threads/{thread['id']}/conclusion", {"text": "Selesai"}),
        ("POST", f"/v1/threads/{thread['id']}/reads", {"up_to": message["id"]}),
    ):
        reply = await stranger.send(method, path, body)
        assert reply.status == 404, (method, path, reply.text)
    assert (await stranger.get("/v1/threads")).json["items"] == []
    seen = await stranger.post("/v1/threads", {"subject": "Rapat", "cases": flood.cases})
    assert seen.status == 422
    assert [flaw["pointer"] for flaw in seen.json["errors"]] == ["/cases/0", "/cases/1"]


async def test_a_commitment_is_made_missed_changed_and_fulfilled(flood: Flood, turned: Turned) -> None:
    thread = await flood.open()
    app = await flood.caller(APP)
    due = turned.clock.now().astimezone(ZoneInfo("Asia/Jakarta")).date().isoformat()
    made = await app.post(
        f"/v1/threads/{thread['id']}/commitments",
        {"agency": RIVER, "text": "Menutup tanggul", "due_on": due},
    )
    assert made.status == 201, made.text
    assert made.json["status"] == "open" and made.json["made_by"] == APP
    owed = await app.get("/v1/commitments", params={"agency": RIVER, "status": "open"})
    assert [each["id"] for each in owed.json["items"]] == [made.json["id"]]
    case = await app.get(f"/v1/cases/{flood.cases[0]}")
    assert [each["id"] for each in case.json["commitments"]] == [made.json["id"]]
    await turned.turn(20)
    river = await flood.caller(RIVER)
    kinds = [event["type"] for event in await events(river)]
    assert kinds.count("id.simpul.thread.commitment_missed.v1") == 1
    shown = await river.get(f"/v1/threads/{thread['id']}")
    assert [each["status"] for each in shown.json["commitments"]] == ["missed"]
    refused = await river.post(f"/v1/threads/{thread['id']}/conclusion", {"text": "Surut."})
    assert refused.status == 409 and refused.json["state"] == "open"
    done = await river.post(f"/v1/commitments/{made.json['id']}/fulfilment", {"text": "Tanggul ditutup."})
    assert done.status == 200 and done.json["status"] == "fulfilled"
    ended = await river.post(f"/v1/threads/{thread['id']}/conclusion", {"text": "Surut."})
    assert ended.status == 200 and ended.json["conclusion"]["text"] == "Surut."
    assert (await flood.post(APP, thread["id"], "Terima kasih.")).status == 409
    again = await flood.caller(ROADS)
    assert (await again.post(f"/v1/threads/{thread['id']}/reopening", {})).status == 200
    assert (await flood.post(APP, thread["id"], "Banjir lagi.")).status == 201


async def test_a_date_that_has_passed_is_refused(flood: Flood) -> None:
    thread = await flood.open()
    reply = await (await flood.caller(APP)).post(
        f"/v1/threads/{thread['id']}/commitments",
        {"agency": RIVER, "text": "Menutup tanggul", "due_on": "2024-01-02"},
    )
    assert reply.status == 422 and [flaw["pointer"] for flaw in reply.json["errors"]] == ["/due_on"]


async def test_one_who_comes_later_sees_from_then_on(flood: Flood) -> None:
    thread = await flood.open(participants=[RIVER])
    await flood.post(APP, thread["id"], "Sebelum kementerian ikut.")
    app = await flood.caller(APP)
    added = await app.post(
        f"/v1/threads/{thread['id']}/participants", {"agency": ROADS, "history": "from_now"}
    )
    assert added.status == 200, added.text
    await flood.post(RIVER, thread["id"], "Sesudah kementerian ikut.")
    assert [each["text"] for each in await flood.read(ROADS, thread["id"])] == ["Sesudah kementerian ikut."]
    assert (await flood.caller(ROADS)) is not None
    mine = await (await flood.caller(ROADS)).get(f"/v1/threads/{thread['id']}")
    assert mine.json["unread"] == 1
    last = (await flood.read(ROADS, thread["id"]))[-1]
    read = await (await flood.caller(ROADS)).post(f"/v1/threads/{thread['id']}/reads", {"up_to": last["id"]})
    assert read.status == 200 and read.json["unread"] == 0


async def test_words_are_changed_and_taken_back(flood: Flood) -> None:
    thread = await flood.open()
    first = (await flood.post(APP, thread["id"], "Rapat jam sembilan.")).json
    app, river = await flood.caller(APP), await flood.caller(RIVER)
    assert (await river.send("PATCH", f"/v1/messages/{first['id']}", {"text": "Jam sepuluh."})).status == 403
    changed = await app.send("PATCH", f"/v1/messages/{first['id']}", {"text": "Rapat jam sepuluh."})
    assert changed.status == 200 and changed.json["text"] == "Rapat jam sepuluh."
    assert [each["text"] for each in changed.json["earlier"]] == ["Rapat jam sembilan."]
    taken = await app.send("DELETE", f"/v1/messages/{first['id']}")
    assert taken.status == 200 and taken.json["withdrawn"] is True
    (seen,) = await flood.read(RIVER, thread["id"])
    assert seen["withdrawn"] is True and seen["text"] is None and "earlier" not in seen


async def test_a_message_to_the_reporter_goes_through_the_source(flood: Flood) -> None:
    river = await flood.caller(RIVER)
    body: dict[str, Any] = {"subject": "Hanya BBWS", "cases": [flood.cases[1]]}
    opened = await river.post("/v1/threads", body)
    assert opened.status == 201, opened.text
    thread_id = opened.json["id"]
    sent = await flood.post(RIVER, thread_id, "Petugas kami datang besok.", "reporter")
    assert sent.status == 201, sent.text
    app = await flood.caller(APP)
    told = [event for event in await events(app) if event["type"] == "id.simpul.thread.message_posted.v1"]
    assert [event["data"]["message"]["text"] for event in told] == ["Petugas kami datang besok."]
    assert told[0]["data"]["message"]["cases"] == [flood.cases[1]]
    assert (await app.get(f"/v1/threads/{thread_id}")).status == 404


async def test_a_message_that_is_sent_again_is_one_message(flood: Flood) -> None:
    thread = await flood.open()
    app = await flood.caller(APP)
    path, body = f"/v1/threads/{thread['id']}/messages", {"text": "Sekali saja.", "scope": "agencies"}
    replies = [await app.post(path, body, headers={"Idempotency-Key": "pesan-1"}) for _ in range(3)]
    assert {(reply.status, reply.json["id"]) for reply in replies} == {(201, replies[0].json["id"])}
    assert len(await flood.read(RIVER, thread["id"])) == 1


async def test_personal_data_is_masked_and_the_writer_is_told(flood: Flood) -> None:
    thread = await flood.open()
    posted = await flood.post(APP, thread["id"], "Hubungi pelapor di 081234567890.")
    assert posted.status == 201 and "081234567890" not in posted.text
    assert "reporter" in posted.headers["Simpul-Masked"]


async def test_a_file_is_for_whoever_may_read_the_message_that_names_it(flood: Flood) -> None:
    thread = await flood.open()
    river = await flood.caller(RIVER)
    content = b"\x89PNG\r\n\x1a\n" + b"tinggi air " * 20
    stored = await river.post("/v1/attachments", content, headers={"Content-Type": "image/png"})
    assert stored.status == 201, stored.text
    file = {"sha256": stored.json["id"], "media_type": "image/png", "name": "Air.png", "size": len(content)}
    note = await flood.post(RIVER, thread["id"], "Foto untuk kita sendiri.", "internal", attachments=[file])
    assert note.status == 201 and note.json["attachments"] == [file], note.text
    path = f"/v1/attachments/{stored.json['id']}"
    assert (await river.get(path)).status == 200
    for other in (APP, ROADS, STRANGER):
        assert (await (await flood.caller(other)).get(path)).status == 404
    assert (await flood.post(RIVER, thread["id"], "Untuk semua.", attachments=[file])).status == 201
    for other in (APP, ROADS):
        assert (await (await flood.caller(other)).get(path)).body == content
    assert (await (await flood.caller(STRANGER)).get(path)).status == 404


async def test_what_was_taken_back_is_withheld_in_mailboxes_too(flood: Flood) -> None:
    thread = await flood.open()
    message = (await flood.post(APP, thread["id"], "Salah kirim.")).json
    app, river = await flood.caller(APP), await flood.caller(RIVER)
    assert (await app.send("DELETE", f"/v1/messages/{message['id']}")).status == 200
    posted = [e for e in await events(river) if e["type"] == "id.simpul.thread.message_posted.v1"]
    assert [event["data"] for event in posted] == [{"withheld": True}]
    mine = [e for e in await events(app) if e["type"] == "id.simpul.thread.message_posted.v1"]
    assert [event["data"]["message"]["text"] for event in mine] == ["Salah kirim."]
