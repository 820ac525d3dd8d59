"""GET /v1/cases/{id}/reporter: who may, with which purpose, and what every reading is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from auth.scopes import DEFAULT_SCOPES
from hub.api.routes import ROUTES
from hub.api.server import allowed_methods
from tests.api.conftest import Caller, House, forwarded
from tests.api.identitywork import PERSON, PURPOSE, ask, known, readings


def changed(house: House, case_id: str, **changes: Any) -> None:
    """The stored case as no short history makes it."""
    with house.core.store.read() as session:
        case = session.case(case_id)
    assert case is not None
    with house.core.store.writing() as db:
        state = orjson.dumps(replace(case.state, **changes))
        db.execute("UPDATE cases SET state = ? WHERE id = ?", (state, case_id))


def erased(house: House, case_id: str) -> None:
    changed(house, case_id, erased=True)
    with house.core.store.writing() as db:
        db.execute("UPDATE cases SET texts = NULL WHERE id = ?", (case_id,))


async def test_the_source_reads_whom_it_submitted_for(app: Caller) -> None:
    case = await app.submit(**known())
    reply = await ask(app, case["id"])
    assert reply.status == 200, reply.text
    (event,) = await readings(app, case["id"])
    assert reply.json == {
        "case_id": case["id"],
        "reporter": PERSON | {"anonymous": False},
        "purpose": PURPOSE,
        "read_at": event["time"],
        "event_id": event["id"],
    }
    assert reply.headers["Cache-Control"] == "no-store"
    assert "Simpul-Masked" not in reply.headers
    assert (event["data"]["agency"], event["data"]["purpose"]) == ("kab-kotim", PURPOSE)
    assert "officer_id" not in event["data"]


async def test_what_the_reporter_did_not_give_is_left_out(app: Caller) -> None:
    case = await app.submit(reporter={"anonymous": True})
    assert (await ask(app, case["id"])).json["reporter"] == {"anonymous": True}


async def test_each_reading_is_an_event_and_changes_nothing_else(app: Caller, ministry: Caller) -> None:
    case_id, leg_id = await forwarded(app)
    before = (await app.get(f"/v1/cases/{case_id}")).json
    replies = [await ask(app, case_id, headers={"Idempotency-Key": "satu"}) for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    assert len({reply.json["event_id"] for reply in replies}) == 3
    assert len(await readings(app, case_id)) == 3
    after = (await app.get(f"/v1/cases/{case_id}")).json
    assert after == before | {"version": before["version"] + 3}
    stale = {"If-Match": str(before["version"])}
    assert (
        await app.post(f"/v1/cases/{case_id}/closure", {"reason": "resolved"}, headers=stale)
    ).status == 412
    assert (await ministry.post(f"/v1/forwardings/{leg_id}/acceptance", {})).status == 200


async def test_others_who_see_the_case_do_not_hear_of_it(house: House, app: Caller, ministry: Caller) -> None:
    asked, room = await house.caller("bbws"), await house.caller("dinas-pupr-kotim")
    case = await app.submit(**known())
    c = f"/v1/cases/{case['id']}"
    assert (await app.post(f"{c}/verification", {"decision": "accept"})).status == 200
    question = {"agency": "bbws", "question": "Apakah ini milik Anda?"}
    assert (await app.post(f"{c}/consultations", question)).status == 201
    to = [{"agency": "kementerian-pupr", "role": "lead"}, {"agency": "dinas-pupr-kotim", "role": "support"}]
    assert (await app.post(f"{c}/forwardings", {"to": to})).status == 201
    thread = {"subject": "Jalan pasar", "cases": [case["id"]], "participants": ["kementerian-pupr"]}
    assert (await app.post("/v1/threads", thread)).status == 201
    reading = (await ask(app, case["id"])).json
    assert len(await readings(app, case["id"])) == 1
    for other in (ministry, asked, room):
        assert await readings(other, case["id"]) == []
        file = await other.get(f"{c}/evidence")
        assert file.status == 200
        last = file.json["streams"][0]["events"][-1]
        assert last == {"sequence": last["sequence"], "chain": last["chain"], "withheld": True}
        assert reading["event_id"] not in file.text
    own = (await app.get(f"{c}/evidence")).json["streams"][0]["events"][-1]
    assert own.keys() == {"sequence", "chain", "header", "sealed", "keys"}


async def test_who_may_not_is_told_why_and_nothing_is_recorded(
    house: House, app: Caller, ministry: Caller, stranger: Caller
) -> None:
    case_id, _ = await forwarded(app)
    for purpose in (PURPOSE, None):
        assert (await ask(stranger, case_id, purpose)).status == 404
        refused = await ask(ministry, case_id, purpose)
        assert refused.status == 403
        assert "source or its owner" in refused.json["detail"]
        less = await ask(
            await house.caller("kab-kotim", DEFAULT_SCOPES - {"reporter:read"}), case_id, purpose
        )
        assert (less.status, "reporter:read" in less.json["detail"]) == (403, True)
    assert (await ask(house.nobody, case_id)).status == 401
    assert (await ask(app, "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11")).status == 404
    assert await readings(app, case_id) == []


async def test_after_an_erasure_it_is_gone_for_whoever_knows_the_case(
    house: House, app: Caller, ministry: Caller, stranger: Caller
) -> None:
    case_id, _ = await forwarded(app)
    version = (await app.get(f"/v1/cases/{case_id}")).json["version"]
    erased(house, case_id)
    for purpose in (PURPOSE, None):
        assert (await ask(app, case_id, purpose)).status == 410
        assert (await ask(ministry, case_id, purpose)).status == 410
        assert (await ask(stranger, case_id, purpose)).status == 404
    assert (await app.get(f"/v1/cases/{case_id}")).json["version"] == version


async def test_anonymous_is_known_to_the_source_alone_confidential_to_the_owner_too(
    house: House, app: Caller, ministry: Caller
) -> None:
    flags = {"reporter": PERSON | {"anonymous": True}}, known(confidential=True)
    hidden, secret = [(await app.submit(**each))["id"] for each in flags]
    for case_id in (hidden, secret):
        changed(house, case_id, owner="kementerian-pupr")
    refused = await ask(ministry, hidden)
    assert (refused.status, refused.json["type"]) == (403, "urn:simpul:problem:reporter-anonymous")
    assert (await ask(ministry, hidden, None)).status == 403, "before the query is judged"
    assert (await ask(app, hidden)).json["reporter"] == PERSON | {"anonymous": True}
    assert (await ask(ministry, secret)).json["reporter"] == PERSON | {"anonymous": False}
    assert len(await readings(ministry, hidden)) == 1, "the owner hears that the source read it"
    assert len(await readings(app, secret)) == 1, "the source hears that the owner read it"


@pytest.mark.parametrize(
    "query",
    ["", "purpose=", "purpose=ab", "purpose=%20%20%20%20", f"purpose={'x' * 501}", "purpose=a%00bcd",
     "purpose=alasan%0Abaru", "purpose=satu&purpose=dua", "purpose=%E2%80%8B%E2%80%8B%E2%80%8B%E2%80%8B",
     f"purpose=ab{'%20' * 20}"],
)  # fmt: skip
async def test_a_purpose_is_needed(app: Caller, query: str) -> None:
    case = await app.submit()
    reply = await app.get(f"/v1/cases/{case['id']}/reporter?{query}")
    assert (reply.status, reply.pointers) == (422, ["purpose"])
    assert "xxx" not in reply.text
    assert await readings(app, case["id"]) == []


@pytest.mark.parametrize("purpose", ["abc", "x" * 500, "Konfirmasi ke pelapor; ñ 🙂 " * 18])
async def test_purposes_that_fit(app: Caller, purpose: str) -> None:
    case = await app.submit()
    assert (await ask(app, case["id"], purpose)).json["purpose"] == purpose.strip()


async def test_other_parameters_are_refused(app: Caller) -> None:
    case = await app.submit()
    reply = await app.get(f"/v1/cases/{case['id']}/reporter?purpose=alasan&reason=x")
    assert (reply.status, reply.pointers) == (422, ["reason"])


async def test_a_purpose_that_tells_who_it_is_is_masked_and_not_kept(app: Caller) -> None:
    case = await app.submit(**known())
    purpose = "Telepon Pak Kiwok 0813-5555-0199, y.kiwok@pos.example, NIK 6202020203850007, "
    purpose += "atau istrinya 0812-1111-2222"
    reply = await ask(app, case["id"], purpose)
    assert reply.headers["Simpul-Masked"] == "phone, reporter"
    (event,) = await readings(app, case["id"])
    assert event["data"]["purpose"] == reply.json["purpose"]
    for part in ("Kiwok", "0813", "5555", "pos.example", "6202020203850007", "1111"):
        assert part not in reply.json["purpose"]
    assert reply.json["reporter"]["name"] == PERSON["name"]


@pytest.mark.parametrize("length", [500, 494])
async def test_a_masked_purpose_may_be_longer_than_what_was_sent(app: Caller, length: int) -> None:
    case = await app.submit()
    purpose = ("a@b.co " * 80)[:length].strip()
    reply = await ask(app, case["id"], purpose)
    assert reply.status == 200
    assert (await readings(app, case["id"]))[0]["data"]["purpose"] == reply.json["purpose"]


async def test_head_and_writes_are_not_there(app: Caller) -> None:
    case = await app.submit()
    path = f"/v1/cases/{case['id']}/reporter"
    assert allowed_methods(ROUTES, path) == ["GET"]
    for method in ("HEAD", "POST"):
        async with app.house.http.request(
            method, app.house.url + path, headers={"Authorization": f"Bearer {app.token}"}
        ) as response:
            assert (response.status, response.headers["Allow"]) == (405, "GET")
    assert await readings(app, case["id"]) == []


async def test_no_identity_without_the_event(house: House, app: Caller) -> None:
    case = await app.submit(**known())
    with house.core.store.write() as connection:
        connection.execute("PRAGMA query_only = ON")
    reply = await ask(app, case["id"])
    assert reply.status == 503, reply.text
    assert not [part for part in PERSON.values() if part in reply.text]
    house.core.store._writer.execute("PRAGMA query_only = OFF")  # no transaction can begin
    assert await readings(app, case["id"]) == []
    assert (await ask(app, case["id"])).status == 200
