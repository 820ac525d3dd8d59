"""The routes: who may, what the case shows then, what is 410, 409 or left out; replays, evidence."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from auth import evidence_signing
from hub.cli.database import fold
from hub.domain.evidence_check import verified
from hub.store.rebuilding import check_rebuild
from tests.api.conftest import Caller, House, complaint, forwarded
from tests.erasure.erasurework import words_in

REASON = {"reason": "Permintaan pelapor menurut UU 27/2022."}
WORDS = ("Jalan berlubang di depan pasar", "dua pengendara jatuh", "Jalan Ahmad Yani", "Siti Rahmawati")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
ERASED = "id.simpul.reporter.erased.v1"
RECEIPTED = "id.simpul.reporter.erasure_receipted.v1"


def difference(house: House) -> str | None:
    return check_rebuild(house.core.store, fold(house.core.sealer))[1]


async def mailbox(caller: Caller) -> list[dict[str, Any]]:
    return [item["event"] for item in (await caller.get("/v1/mailbox?limit=200")).json["items"]]


async def test_the_whole_story(app: Caller, ministry: Caller, house: House, folder: Path) -> None:
    case_id, leg = await forwarded(app)
    c = f"/v1/cases/{case_id}"
    sent = {"Idempotency-Key": "terima"}
    assert (await ministry.post(f"/v1/forwardings/{leg}/acceptance", {}, headers=sent)).status == 200
    reply = await app.post(f"{c}/erasure", REASON)
    assert reply.status == 200, reply.text
    case = reply.json
    assert (case["erased"], case["status"], case["actions"]) == (True, "closed", [])
    waited = [{"agency": name, "receipted_at": None} for name in ("kab-kotim", "kementerian-pupr")]
    assert case["erasure"] == {"erased_at": case["updated_at"], "by": "kab-kotim", "receipts": waited}
    assert words_in((path for path in folder.rglob("*") if path.is_file()), WORDS) == set()

    for caller in (app, ministry):
        shown = [
            await caller.get(path)
            for path in (c, f"{c}/history", "/v1/mailbox", "/v1/cases", f"{c}/evidence")
        ]
        assert [reply.status for reply in shown] == [200] * 5
        assert [word for word in WORDS for reply in shown if word in reply.text] == []
        assert (await mailbox(caller))[-1]["type"] == ERASED
    data = (await mailbox(ministry))[-1]["data"]
    assert (data["agency"], data["reason"], data["status"]) == ("kab-kotim", REASON["reason"], "closed")
    sent_then = next(e for e in await mailbox(ministry) if e["type"] == "id.simpul.forwarding.sent.v1")
    assert (sent_then["data"]["erased"], sent_then["data"]["complaint"]["erased"]) == (True, True)

    again = await ministry.post(f"/v1/forwardings/{leg}/acceptance", {}, headers=sent)
    assert (again.status, again.json["note"]) == (200, None)
    assert (await app.get(f"{c}/reporter?purpose=Bertanya")).status == 410
    for path, body in (
        ("replies", {"text": "Masih rusak."}),
        ("reopening", REASON),
        ("closure", {"reason": "resolved"}),
    ):
        assert (await app.post(f"{c}/{path}", body)).status == 409
    assert (await ministry.post(f"/v1/forwardings/{leg}/answer", {"text": "Selesai."})).status == 409

    reply = await ministry.post(f"{c}/erasure/receipts", {})
    assert reply.status == 200
    receipts = {each["agency"]: each["receipted_at"] for each in reply.json["erasure"]["receipts"]}
    assert (receipts["kab-kotim"], receipts["kementerian-pupr"]) == (None, reply.json["updated_at"])
    assert (await ministry.post(f"{c}/erasure/receipts")).json == reply.json
    assert [event["type"] for event in await mailbox(app)].count(RECEIPTED) == 1
    assert difference(house) is None


async def test_asked_again_it_is_the_same(app: Caller) -> None:
    case = await app.submit()
    first = await app.post(f"/v1/cases/{case['id']}/erasure", REASON)
    again = await app.post(f"/v1/cases/{case['id']}/erasure", {"reason": "Sekali lagi."})
    assert (again.status, again.json) == (200, first.json)


async def test_the_same_complaint_afterwards(app: Caller) -> None:
    document = complaint()
    case = (await app.post("/v1/complaints", document, headers={"Idempotency-Key": "satu"})).json
    assert (await app.post(f"/v1/cases/{case['id']}/erasure", REASON)).status == 200
    for changes in ({}, {"title": "Lain"}):
        reply = await app.post("/v1/complaints", document | changes)
        assert (reply.status, reply.json["type"]) == (410, "urn:simpul:problem:complaint-erased")
        assert reply.json["case_id"] == case["id"]
    replayed = await app.post("/v1/complaints", document, headers={"Idempotency-Key": "satu"})
    assert (replayed.status, replayed.json["erased"]) == (201, True)
    assert [word for word in WORDS if word in replayed.text] == []


async def test_its_own_files_are_gone(app: Caller, ministry: Caller, folder: Path) -> None:
    sha256 = hashlib.sha256(PNG).hexdigest()
    await app.send("POST", "/v1/attachments", data=PNG, headers={"Content-Type": "image/png"})
    named = {"sha256": sha256, "media_type": "image/png", "name": "lubang.png", "size": len(PNG)}
    case = await app.submit(attachments=[named])
    other = await app.submit(attachments=[named])
    assert (await app.post(f"/v1/cases/{case['id']}/erasure", REASON)).status == 200
    assert (await app.get(f"/v1/attachments/{sha256}")).body == PNG
    assert (await app.post(f"/v1/cases/{other['id']}/erasure", REASON)).status == 200
    assert (await app.get(f"/v1/attachments/{sha256}")).status == 410
    assert (await ministry.get(f"/v1/attachments/{sha256}")).status == 404
    assert [path for path in (folder / "attachments").rglob("*") if path.is_file()] == []
    assert (await app.post("/v1/complaints", complaint(attachments=[named]))).pointers == [
        "/attachments/0/sha256"
    ]


async def test_the_reason_is_kept_without_the_reporter(app: Caller) -> None:
    """Whatever the flags say: it is in the clear for ever."""
    case = await app.submit()
    words = {"reason": "Ibu Siti Rahmawati (081234567890) mencabut laporannya; Rahmawati pindah."}
    reply = await app.post(f"/v1/cases/{case['id']}/erasure", words)
    assert set(reply.headers["Simpul-Masked"].split(", ")) >= {"reporter"}
    event = (await app.get(f"/v1/cases/{case['id']}/history")).json["items"][-1]
    assert event["type"] == ERASED
    assert [word for word in ("Siti", "Rahmawati", "0812") if word in event["data"]["reason"]] == []


async def test_who_left_is_told_and_confirms(app: Caller, ministry: Caller, house: House) -> None:
    case_id, leg = await forwarded(app)
    assert (await ministry.post(f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})).status == 200
    to = {"to": [{"agency": "bbws", "role": "lead"}]}
    assert (await app.post(f"/v1/cases/{case_id}/forwardings", to)).status == 201
    assert (await app.post(f"/v1/cases/{case_id}/erasure", REASON)).status == 200
    event = (await mailbox(ministry))[-1]
    assert (event["type"], "owner" in event["data"], "withheld" in event["data"]) == (ERASED, False, False)
    reply = await ministry.post(f"/v1/cases/{case_id}/erasure/receipts", {})
    assert reply.status == 200, reply.text
    (own,) = reply.json["erasure"]["receipts"]
    assert (own["agency"], own["receipted_at"] is not None, "bbws" in reply.text) == (
        "kementerian-pupr",
        True,
        False,
    )
    assert (await mailbox(ministry))[-1]["type"] == RECEIPTED
    assert [event["type"] for event in await mailbox(await house.caller("bbws"))][-1] == ERASED
    assert difference(house) is None


@pytest.mark.parametrize(("body", "status"), [({}, 422), ({"reason": " "}, 422), (b"{", 400)])
async def test_bad_bodies(app: Caller, stranger: Caller, ministry: Caller, body: Any, status: int) -> None:
    case_id, _ = await forwarded(app)
    path = f"/v1/cases/{case_id}/erasure"
    assert [(await caller.post(path, body)).status for caller in (app, stranger, ministry)] == [
        status,
        404,
        403,
    ]
    assert (await app.post(f"{path}/receipts", {})).status == 409
    assert (await app.get(f"/v1/cases/{case_id}")).json["status"] == "forwarded"


async def test_a_thread_after_the_last_of_its_cases(app: Caller, ministry: Caller) -> None:
    case_id, _ = await forwarded(app)
    opened = {"subject": "Urusan pasar", "cases": [case_id], "participants": ["kementerian-pupr"]}
    thread = (await app.post("/v1/threads", opened)).json["id"]
    said = {"text": "Siapa membawa aspal?", "scope": "agencies"}
    assert (await ministry.post(f"/v1/threads/{thread}/messages", said)).status == 201
    assert (await app.post(f"/v1/cases/{case_id}/erasure", REASON)).status == 200
    for path in (
        f"/v1/threads/{thread}",
        f"/v1/threads/{thread}/messages",
        "/v1/mailbox",
        f"/v1/cases/{case_id}",
    ):
        reply = await ministry.get(path)
        assert (reply.status, "aspal" in reply.text, "Urusan" in reply.text) == (200, False, False), path
    assert (await app.get(f"/v1/threads/{thread}")).json["erased"] is True
    assert (await app.post(f"/v1/threads/{thread}/messages", said)).status == 409


async def test_the_evidence_still_verifies(app: Caller, ministry: Caller, house: House) -> None:
    case_id, _ = await forwarded(app)
    before = await app.get(f"/v1/cases/{case_id}/evidence")
    assert (await app.post(f"/v1/cases/{case_id}/erasure", REASON)).status == 200
    assert (await ministry.post(f"/v1/cases/{case_id}/erasure/receipts", {})).status == 200
    after = await app.get(f"/v1/cases/{case_id}/evidence")
    (stream,) = after.json["streams"]
    assert (stream["erased"], [e for e in stream["events"] if "keys" in e]) == (True, [])
    old = before.json["streams"][0]["events"]
    assert [e["chain"] for e in stream["events"]][: len(old)] == [e["chain"] for e in old]
    from hub.cli.verify import trust

    known = trust(evidence_signing.key_set((house.core.settings.data_dir / "jwks-all.json").read_text()))
    assert verified(after.body, known).erased > 0
