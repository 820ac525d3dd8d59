"""Attachments: uploaded, checked, named, read by who may, gone with nobody else's."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from hub.vault.attachments import AttachmentStore
from tests.api.checking import Reply
from tests.api.conftest import Caller, House, complaint, forwarded

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
SHA256 = hashlib.sha256(PNG).hexdigest()


async def upload(caller: Caller, data: bytes = PNG, media: str = "image/png", **headers: str) -> Reply:
    return await caller.send("POST", "/v1/attachments", data=data, headers={"Content-Type": media} | headers)


def named(sha256: str = SHA256) -> dict[str, object]:
    return {"sha256": sha256, "media_type": "image/png", "name": "lubang.png", "size": len(PNG)}


async def test_a_file_goes_with_its_complaint(app: Caller, ministry: Caller, stranger: Caller) -> None:
    reply = await upload(app)
    assert (reply.status, reply.json) == (201, {"id": SHA256, "media_type": "image/png", "size": len(PNG)})
    assert (await upload(app)).json == reply.json
    path = f"/v1/attachments/{SHA256}"
    assert (await app.get(path)).body == PNG
    assert (await ministry.get(path)).status == 404
    case = await app.submit(attachments=[named()])
    await app.post(f"/v1/cases/{case['id']}/verification", {"decision": "accept"})
    assert (await ministry.get(path)).status == 404
    to = {"to": [{"agency": "kementerian-pupr", "role": "lead"}]}
    leg = (await app.post(f"/v1/cases/{case['id']}/forwardings", to)).json["items"][0]["id"]
    reply = await ministry.get(path)
    assert (reply.status, reply.body) == (200, PNG)
    assert reply.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Content-Type"] == "image/png"
    await ministry.post(f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})
    assert (await ministry.get(path)).status == 200
    assert (await stranger.get(path)).status == 404


async def test_an_answers_file_is_not_for_who_left_before(
    app: Caller, ministry: Caller, house: House
) -> None:
    case_id, leg = await forwarded(app)
    former = await house.caller("bbws")
    to = {"to": [{"agency": "bbws", "role": "support"}]}
    second = (await app.post(f"/v1/cases/{case_id}/forwardings", to)).json["items"][0]["id"]
    assert (await former.post(f"/v1/forwardings/{second}/return", {"reason": "not_ours"})).status == 200
    assert (await ministry.post(f"/v1/forwardings/{leg}/acceptance")).status == 200
    body = {"text": "Sudah ditambal.", "attachments": [named()]}
    assert (await ministry.post(f"/v1/forwardings/{leg}/answer", body)).pointers == ["/attachments/0/sha256"]
    assert (await upload(ministry)).status == 201
    assert (await ministry.post(f"/v1/forwardings/{leg}/answer", body)).status == 200
    assert (await app.get(f"/v1/attachments/{SHA256}")).body == PNG
    assert (await former.get(f"/v1/attachments/{SHA256}")).status == 404


async def test_an_answers_file_is_not_for_who_leaves_after_it(
    app: Caller, ministry: Caller, house: House
) -> None:
    """Who left sees its own leg alone, and another agency's answer names the file."""
    case_id, leg = await forwarded(app)
    other = await house.caller("bbws")
    to = {"to": [{"agency": "bbws", "role": "support"}]}
    second = (await app.post(f"/v1/cases/{case_id}/forwardings", to)).json["items"][0]["id"]
    assert (await ministry.post(f"/v1/forwardings/{leg}/acceptance")).status == 200
    await upload(ministry)
    body = {"text": "Sudah ditambal.", "attachments": [named()]}
    assert (await ministry.post(f"/v1/forwardings/{leg}/answer", body)).status == 200
    assert (await other.get(f"/v1/attachments/{SHA256}")).body == PNG
    assert (await other.post(f"/v1/forwardings/{second}/return", {"reason": "not_ours"})).status == 200
    assert (await other.get(f"/v1/attachments/{SHA256}")).status == 404


@pytest.mark.parametrize("by", ["complaint", "answer", "message"])
async def test_the_type_is_what_names_the_file_and_nobody_elses_upload(
    app: Caller, ministry: Caller, stranger: Caller, by: str
) -> None:
    content = b"bukti: jalan ditambal\n"
    sha256 = hashlib.sha256(content).hexdigest()
    file = {"sha256": sha256, "media_type": "text/plain", "name": "bukti.txt", "size": len(content)}
    reader = app
    if by == "complaint":
        await upload(app, content, "text/plain")
        case = await app.submit(attachments=[file])
        await app.post(f"/v1/cases/{case['id']}/verification", {"decision": "accept"})
        to = {"to": [{"agency": "kementerian-pupr", "role": "lead"}]}
        assert (await app.post(f"/v1/cases/{case['id']}/forwardings", to)).status == 201
        reader = ministry
    else:
        await upload(ministry, content, "text/plain")
        case_id, leg = await forwarded(app)
        assert (await ministry.post(f"/v1/forwardings/{leg}/acceptance")).status == 200
    if by == "answer":
        body = {"text": "Sudah ditambal.", "attachments": [file]}
        assert (await ministry.post(f"/v1/forwardings/{leg}/answer", body)).status == 200
    elif by == "message":
        room = {"subject": "Bukti", "cases": [case_id], "participants": ["kab-kotim"]}
        thread = (await ministry.post("/v1/threads", room)).json["id"]
        body = {"text": "Ini buktinya.", "scope": "agencies", "attachments": [file]}
        assert (await ministry.post(f"/v1/threads/{thread}/messages", body)).status == 201
    assert (await upload(stranger, content, "text/html")).status == 201
    reply = await reader.get(f"/v1/attachments/{sha256}")
    assert (reply.status, reply.body) == (200, content)
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert (await stranger.get(f"/v1/attachments/{sha256}")).headers["Content-Type"].startswith("text/html")


async def test_what_is_refused(app: Caller, house: House) -> None:
    assert (await upload(app, media="")).status == 415
    assert (await upload(app, media="png")).status == 415
    assert (await upload(app, media="image/jpeg")).pointers == ["Content-Type"]
    assert (await upload(app, b"MZ\x90\x00", "image/png")).pointers == ["Content-Type"]
    assert (await upload(app, b"MZ\x90\x00", "application/octet-stream")).status == 201
    assert (await upload(app, b"a;b\n", "text/csv")).status == 201
    headers = {"Content-Encoding": "gzip"}
    assert (await upload(app, **headers)).status == 415
    weak = await house.caller("kab-kotim", frozenset({"cases:read"}))
    assert (await upload(weak)).status == 403


async def test_the_digest_is_checked_when_sent(app: Caller) -> None:
    right = base64.b64encode(hashlib.sha256(PNG).digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    assert (await upload(app, **{"Repr-Digest": f"sha-256=:{wrong}:"})).pointers == ["Repr-Digest"]
    assert (await app.get(f"/v1/attachments/{SHA256}")).status == 404
    assert (await upload(app, **{"Repr-Digest": "sha-256=abc"})).pointers == ["Repr-Digest"]
    assert (await upload(app, **{"Repr-Digest": f"sha-512=:x:, sha-256=:{right}:"})).status == 201


async def test_too_large_with_a_length_and_without(app: Caller) -> None:
    most = 10 * 1024 * 1024
    assert (await upload(app, b"\x00" * (most + 1), "application/octet-stream")).status == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield bytes(1024 * 1024)

    headers = {"Content-Type": "application/octet-stream"}
    reply = await app.send("POST", "/v1/attachments", data=pieces(), headers=headers)
    assert reply.status == 413
    assert (await upload(app, b"\x00" * most, "application/octet-stream")).status == 201


async def test_nothing_of_a_file_is_readable_on_the_disk(app: Caller, house: House) -> None:
    secret = b"%PDF-1.7 rahasia sekali " * 400
    reply = await upload(app, secret, "application/pdf")
    assert reply.status == 201
    assert (await app.get(f"/v1/attachments/{reply.json['id']}")).body == secret
    folder = house.core.settings.data_dir
    (stored,) = folder.glob("attachments/??/*")
    assert stored.stat().st_size >= len(secret)
    for path in folder.rglob("*"):
        if path.is_file():
            assert b"rahasia sekali" not in path.read_bytes(), path


async def test_a_file_that_is_damaged_ends_its_download_at_once(app: Caller, house: House) -> None:
    """A length was promised; whoever waits for the rest would wait for good. The next request is answered."""
    whole = bytes(3 << 20)
    sha256 = (await upload(app, whole, "application/octet-stream")).json["id"]
    (stored,) = house.core.settings.data_dir.glob("attachments/??/*")
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    stored.write_bytes(content)
    with pytest.raises(aiohttp.ClientError):
        await asyncio.wait_for(app.get(f"/v1/attachments/{sha256}"), 20)
    assert (await app.get("/v1/mailbox")).status == 200


async def test_the_same_key_is_for_the_same_file(app: Caller, house: House) -> None:
    key = {"Idempotency-Key": "foto-1"}
    first = await upload(app, **key)
    again = await upload(app, **key)
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    kept = list(house.core.settings.data_dir.glob("attachments/??/*"))
    assert len(kept) == 1
    other = await upload(app, PNG + b"x", **key)
    assert (other.status, other.json["type"]) == (422, "urn:simpul:problem:idempotency-key-reused")
    assert list(house.core.settings.data_dir.glob("attachments/??/*")) == kept
    assert (await upload(app, **{"Idempotency-Key": "foto 1"})).pointers == ["Idempotency-Key"]


@pytest.mark.parametrize(
    ("said", "pointers"),
    [
        ({"media_type": "image/jpeg"}, ["/attachments/0/media_type"]),
        ({"size": 1}, ["/attachments/0/size"]),
        ({"media_type": "a/b", "size": 0}, ["/attachments/0/media_type", "/attachments/0/size"]),
        ({"media_type": "Image/PNG"}, []),
    ],
)
async def test_a_file_is_described_as_it_was_uploaded(
    app: Caller, ministry: Caller, said: dict[str, object], pointers: list[str]
) -> None:
    assert (await upload(app)).status == 201
    reply = await app.post("/v1/complaints", complaint(attachments=[named() | said]))
    assert (reply.status, reply.pointers if pointers else []) == (422 if pointers else 201, pointers)
    _, leg = await forwarded(app)
    assert (await upload(ministry)).status == 201
    await ministry.post(f"/v1/forwardings/{leg}/acceptance")
    body = {"text": "Sudah ditambal.", "attachments": [named() | said]}
    reply = await ministry.post(f"/v1/forwardings/{leg}/answer", body)
    assert (reply.status, reply.pointers if pointers else []) == (422 if pointers else 200, pointers)


async def test_the_media_type_said_last_holds(app: Caller) -> None:
    assert (await upload(app, b"a;b\n", "text/plain")).status == 201
    reply = await upload(app, b"a;b\n", "text/csv")
    assert (reply.status, reply.json["media_type"]) == (201, "text/csv")
    path = f"/v1/attachments/{reply.json['id']}"
    assert (await app.get(path)).headers["Content-Type"] == "text/csv"
    file = {"sha256": reply.json["id"], "media_type": "text/csv", "name": "a.csv", "size": 4}
    await app.submit(attachments=[file])
    assert (await app.get(path)).headers["Content-Type"] == "text/csv"


async def test_a_form_is_no_file(app: Caller) -> None:
    reply = await upload(app, b"--x\r\n", "multipart/form-data; boundary=x")
    assert reply.status == 415
    assert "Send the file itself as the body" in reply.json["detail"]


@pytest.mark.parametrize("step", ["begin", "keep"])
async def test_a_disk_that_refuses_is_a_503(
    app: Caller, house: House, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EISDIR, "Is a directory", "/rahasia/path")

    with monkeypatch.context() as patch:
        patch.setattr(AttachmentStore, step, refuse)
        reply = await upload(app)
        assert (reply.status, "rahasia" in reply.text) == (503, False)
    assert (await upload(app)).status == 201
    with monkeypatch.context() as patch:
        patch.setattr(AttachmentStore, "open", refuse)
        assert (await app.get(f"/v1/attachments/{SHA256}")).status == 503
