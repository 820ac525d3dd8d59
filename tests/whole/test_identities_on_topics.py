"""No identity that was put in can be read on any topic but the inbound one, where its own agency wrote it."""

from __future__ import annotations

from tests.parts.caller import complaint
from tests.whole.topics import AgencyAtBroker, laid_open, once_there, where
from tests.whole.wholework import Whole, eventually

NAME, PHONE, EMAIL, NIK = "Marlina Tundan", "081250000431", "marlina@surel.example", "6202014107890001"
OTHERS_NIK, OTHERS_PHONE = "6271034509920003", "081399990431"
SAID = f"Saya {NAME}, NIK {NIK}, hp {PHONE}, {EMAIL}; tetangga {OTHERS_NIK}."
WRITTEN = f"Pelapor {NAME} ({PHONE}, {EMAIL}, {NIK}), tetangga {OTHERS_NIK}, {OTHERS_PHONE}."
IDENTITIES = (NAME, PHONE, PHONE[1:], EMAIL, NIK, OTHERS_NIK, OTHERS_PHONE)


def about(agency: str, reference: str, *, anonymous: bool) -> dict[str, object]:
    """A complaint whose texts repeat all that must not be repeated."""
    person = {"name": NAME, "phone": PHONE, "email": EMAIL, "national_id": NIK, "anonymous": anonymous}
    words = {"title": f"Laporan {NAME} {NIK}", "description": SAID, "extensions": {agency: {"catatan": SAID}}}
    place = {"region": "62.02", "address": f"Rumah {NAME}, {PHONE}"}
    return complaint(agency, reference, reporter=person, location=place, **words)


def test_no_identity_lies_open_on_a_topic(big: Whole) -> None:
    node = big.node
    assert node is not None
    pemda = big.agency("pemda-kotim", "regency", "--region", "62.02", "--kafka")
    app = AgencyAtBroker(node, big.prefix, pemda)
    ministry = big.agency("kemenpu", "ministry", "--kafka")
    office = AgencyAtBroker(node, big.prefix, ministry)
    sent = [app.ask("complaint", about(pemda.agency, "I-1", anonymous=True), event_id="k-1")["case_id"]]
    status, second = pemda.call("POST", "/v1/complaints", about(pemda.agency, "I-2", anonymous=False))
    assert status == 201
    sent.append(second["id"])
    refused = about(pemda.agency, "I-3", anonymous=False) | {
        "surprise": SAID,
        "channel": NIK,
        "tags": [SAID * 9],
    }
    assert app.ask("complaint", refused, event_id="k-2")["status"] == 422
    app.send("complaint", None, event_id="k-3", raw=f'{{"reporter": "{SAID}'.encode())
    for case_id in sent:
        back = {"decision": "incomplete", "reason": WRITTEN}
        assert pemda.call("POST", f"/v1/cases/{case_id}/verification", back)[0] == 200
        assert app.ask("reply", {"text": SAID}, event_id=f"b-{case_id}", subject=case_id)["status"] == 200
        app.send("verification", {"decision": "accept"}, event_id=f"v-{case_id}", subject=case_id)
        to = {"to": [{"agency": office.agency, "role": "lead"}], "note": WRITTEN}
        leg = app.ask("forwarding", to, event_id=f"t-{case_id}", subject=case_id)["ids"][1]
        office.send("acceptance", {}, event_id=f"a-{case_id}", subject=leg)
        told = office.ask("progress", {"text": WRITTEN}, event_id=f"p-{case_id}", subject=leg)
        assert (told["status"], "nik" in told["masked"]) == (200, True), told
        asked = pemda.call("GET", f"/v1/cases/{case_id}/reporter?purpose=Menanyakan%20letak")
        assert asked[0] == 200, asked
    room = {"subject": f"Soal {NAME}", "cases": sent, "participants": [office.agency]}
    thread_id = app.ask("thread", room, event_id="r-1")["thread_id"]
    for scope in ("internal", "agencies", "reporter"):
        message = {"text": WRITTEN, "scope": scope, "officer": NAME}
        assert app.ask("message", message, event_id=f"m-{scope}", subject=thread_id)["status"] == 201
    ended = {"text": WRITTEN, "despite_open_commitments": True}
    assert app.ask("conclusion", ended, event_id="r-2", subject=thread_id)["status"] == 200
    erased = app.ask("erasure", {"reason": WRITTEN}, event_id="h-1", subject=sent[0])
    assert erased["status"] == 200

    log = f"{big.prefix}events"
    own = {f"{big.prefix}agency.{each.agency}" for each in (app, office)}

    def with_words() -> dict[str, list[bytes]] | None:
        """Once what was written has come, masked, to where it can be read."""
        found = once_there(laid_open(node, big.prefix), log, sent[0], "reporter.erased")
        masked = (
            [where(found, word) for word in ("[NIK disamarkan]", "[pelapor disamarkan]")] if found else []
        )
        return found if masked and own <= masked[0] & masked[1] else None

    found = eventually(with_words)
    assert found[log] and found[f"{big.prefix}dead-letter"], "they hold something that could be read"
    assert {word: topics for word in IDENTITIES if (topics := where(found, word))} == {}
