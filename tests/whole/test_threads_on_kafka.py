"""A coordination thread between an agency that has only Kafka and one that has only HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.parts.caller import Caller, complaint
from tests.whole.topics import AgencyAtBroker, laid_open, once_there, where
from tests.whole.wholework import Whole, eventually

NOTE, OTHERS_NOTE = "Catatan dalam kementerian saja", "Catatan dalam pemda saja"
PHONE = "081277712345"


@pytest.fixture
def pemda(big: Whole) -> Caller:
    """It has a topic, and acts by HTTP alone."""
    return big.agency("pemda-kotim", "regency", "--region", "62.02", "--kafka")


@pytest.fixture
def office(big: Whole) -> AgencyAtBroker:
    assert big.node is not None
    return AgencyAtBroker(big.node, big.prefix, big.agency("kemenpu", "ministry", "--kafka"))


def sent_to(office: AgencyAtBroker, pemda: Caller) -> str:
    """A case that the ministry handles."""
    status, case = pemda.call("POST", "/v1/complaints", complaint(pemda.agency, "T-1"))
    assert status == 201, case
    path = f"/v1/cases/{case['id']}"
    assert pemda.call("POST", f"{path}/verification", {"decision": "accept"})[0] == 200
    to = {"to": [{"agency": office.agency, "role": "lead"}]}
    assert pemda.call("POST", f"{path}/forwardings", to)[0] == 201
    return str(case["id"])


def in_a_week() -> str:
    return (datetime.now(UTC) + timedelta(days=7)).date().isoformat()


def of_thread(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events if event["type"].startswith("thread.")]


def test_a_thread_between_topic_and_http(big: Whole, pemda: Caller, office: AgencyAtBroker) -> None:
    case_id = sent_to(office, pemda)
    room = {"subject": "Lampu di perbatasan", "cases": [case_id], "participants": [pemda.agency]}
    opened = office.ask("thread", room, event_id="buka-1")
    assert (opened["status"], opened["kind"]) == (201, "thread")
    thread_id = opened["thread_id"]
    path = f"/v1/threads/{thread_id}"

    office.send("message", {"text": NOTE, "scope": "internal"}, event_id="catat-1", subject=thread_id)
    said = {"text": f"Hubungi petugas di {PHONE}.", "scope": "agencies", "officer": "Rina"}
    for _ in range(2):
        office.send("message", said, event_id="kata-1", subject=thread_id)
    told = office.ask("message", {"text": "Kurang lengkap"}, event_id="kata-2", subject=thread_id)
    assert (told["status"], told["problem"]["errors"][0]["pointer"]) == (422, "/scope")
    office.send("message", None, event_id="rusak-1", subject=thread_id, raw=f'{{"text": "{NOTE}'.encode())
    note = {"text": OTHERS_NOTE, "scope": "internal"}
    assert pemda.call("POST", f"{path}/messages", note)[0] == 201
    answer = {"text": "Baik, kami tunggu.", "scope": "agencies"}
    assert pemda.call("POST", f"{path}/messages", answer)[0] == 201
    due = {"agency": office.agency, "text": "Ganti lampu", "due_on": in_a_week()}
    promise = office.ask("commitment", due, event_id="janji-1", subject=thread_id)["ids"][1]
    kept = office.ask("fulfilment", {"text": "Sudah."}, event_id="janji-2", subject=promise)
    assert (kept["status"], kept["ids"]) == (200, [thread_id, promise])
    assert (
        office.ask("conclusion", {"text": "Selesai."}, event_id="akhir-1", subject=thread_id)["status"] == 200
    )
    assert pemda.call("POST", f"{path}/reopening", {})[0] == 200

    whole = ["thread.opened", *["thread.message_posted"] * 3, "thread.commitment_made"]
    whole += ["thread.commitment_fulfilled", "thread.concluded", "thread.reopened"]
    found = office.read(lambda events: "thread.reopened" in of_thread(events))
    seen = [event for event in found if event["subject"] == thread_id]
    assert of_thread(seen) == whole, "one order for all, an event each, however often a record came"
    masked = next(e["data"] for e in found if e["type"] == "reply" and e["correlationid"] == "kata-1")
    assert masked["masked"] == ["phone"]
    texts = [each["text"] for each in pemda.call("GET", f"{path}/messages")[1]["items"]]
    assert len(texts) == 3
    assert texts[1:] == [OTHERS_NOTE, "Baik, kami tunggu."]
    assert PHONE not in texts[0]
    view = pemda.call("GET", path)[1]
    assert (view["status"], view["commitments"][0]["status"]) == ("open", "fulfilled")
    assert view["unread"] == 1, "its own are read; the note of the ministry is not there for it"
    nothing_leaks(big, pemda, office)


def nothing_leaks(big: Whole, pemda: Caller, office: AgencyAtBroker) -> None:
    """A note is on its own agency's topic; the log and the dead letters can be read by who has the broker,
    and hold no words."""
    node = big.node
    assert node is not None
    events, last = f"{big.prefix}events", pemda.events()[-1]["event"]["id"]
    found = eventually(lambda: once_there(laid_open(node, big.prefix), events, last))
    own, others = f"{big.prefix}agency.{office.agency}", f"{big.prefix}agency.{pemda.agency}"
    assert where(found, NOTE) == {own}
    assert where(found, OTHERS_NOTE) == {others}
    assert where(found, "Baik, kami tunggu.") == {own, others}
    assert where(found, PHONE) == set()
    assert found[f"{big.prefix}dead-letter"], "the broken record is there, without its words"
