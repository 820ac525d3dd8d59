"""GET /v1/cases/{id}/reporter: read by an officer's browser, and what lies open nowhere afterwards."""

from __future__ import annotations

import logging
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from auth.roles import Role
from tests.accounts.conftest import officer
from tests.api.conftest import Caller, House, running
from tests.api.identitywork import PERSON, READING, ask, known, readings


async def test_an_officer_reads_it_in_their_own_name(house: House, app: Caller) -> None:
    case = await app.submit(**known())
    siti = await officer(house)
    assert siti.csrf is not None
    path = f"/v1/cases/{case['id']}/reporter"
    from_elsewhere = await siti.get(f"{path}?purpose=ditipu+tautan", headers={"X-CSRF-Token": ""})
    assert (from_elsewhere.status, from_elsewhere.json["type"]) == (403, "urn:simpul:problem:csrf")
    headers = {"X-CSRF-Token": siti.csrf}
    cross = await ask(siti, case["id"], headers=headers | {"Sec-Fetch-Site": "cross-site"})
    assert cross.status == 403
    reply = await ask(siti, case["id"], headers=headers)
    assert reply.json["reporter"]["phone"] == PERSON["phone"]
    (event,) = await readings(app, case["id"])
    session = (await siti.get("/v1/session")).json
    assert event["data"]["officer_id"] == session["officer"]["id"]
    liaison = await officer(house, "budi@kotim.go.id", Role.LIAISON)
    assert liaison.csrf is not None
    refused = await ask(liaison, case["id"], headers={"X-CSRF-Token": liaison.csrf})
    assert (refused.status, refused.json["type"]) == (403, "urn:simpul:problem:wrong-role")


async def test_nothing_of_it_lies_open_anywhere(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Files, mailboxes, metrics, all logs: not the identity, nor (but for the event) the purpose's words."""
    caplog.set_level(logging.DEBUG)
    async with running(folder, log_level="info") as house:
        app = await house.caller("kab-kotim")
        case = await app.submit(**known())
        purpose = f"Konfirmasi rahasia kepada {PERSON['name']}, {PERSON['phone']}"
        with capture_logs() as logs:
            assert (await ask(app, case["id"], purpose)).status == 200
            assert (await ask(app, case["id"], "x")).status == 422
            assert (await ask(house.nobody, case["id"], purpose)).status == 401
            stranger = await house.caller("orang-luar")
            assert (await ask(stranger, case["id"], purpose)).status == 404
            path = f"/v1/cases/{case['id']}/reporter"
            for wrong in (f"{path}/x?purpose=Konfirmasi+rahasia", f"{path}?purpose={'Konfirmasi' * 2000}"):
                await house.nobody.get(wrong)
        told = orjson.dumps(logs, default=repr).decode() + caplog.text
        assert '"route":"/v1/cases/{id}/reporter"' in told, "the access log is there to be searched"
        metrics = (await house.nobody.get("/metrics")).text
        mailbox = (await app.get("/v1/mailbox?limit=200")).text
        history = (await app.get(f"/v1/cases/{case['id']}/history")).text
        assert READING in mailbox
        words = [*PERSON.values(), "Kiwok"]
        for place in (told, metrics, mailbox, history):
            assert [word for word in words if word in place] == []
        assert "onfirmasi" not in told + metrics
        files = [file for file in folder.rglob("*") if file.is_file()]
        assert any(file.name.endswith("-wal") for file in files)
        for file in files:
            data = file.read_bytes()
            open_ = [
                w
                for w in [*words, "onfirmasi rahasia"]
                if w.encode() in data or w.encode().hex().encode() in data
            ]
            assert (file.name, open_) == (file.name, [])
