"""Attachments: uploaded, checked, named, read by who may, gone with nobody else's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator

from tests.api.checking import Reply
from tests.api.conftest import Caller, House, forwarded

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
    await upload(ministry)
    assert (await ministry.post(f"/v1/forwardings/{leg}/answer", body)).status == 200
    assert (await app.get(f"/v1/attachments/{SHA256}")).body == PNG
    assert (await former.get(f"/v1/attachments/{SHA256}")).status == 404


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
    await upload(app, secret, "application/pdf")
    for path in house.core.settings.data_dir.rglob("*"):
        if path.is_file():
            assert b"rahasia sekali" not in path.read_bytes(), path
