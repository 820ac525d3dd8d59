"""Erasing what went over Kafka too: who holds it is told and says so by its own topic, and what stays there
for a day is owned to."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.parts.caller import Caller
from tests.whole.test_threads_on_kafka import sent_to
from tests.whole.topics import AgencyAtBroker, laid_open, once_there, where
from tests.whole.wholework import Whole, eventually

WORDS = "Lampu jalan di Jalan Pelita mati"
"""The title of the complaint."""
SAID = "Petugas datang tiap malam"
RECEIPTED = "reporter.erasure_receipted"


@pytest.fixture
def pemda(big: Whole) -> Caller:
    return big.agency("pemda-kotim", "regency", "--region", "62.02")


@pytest.fixture
def office(big: Whole) -> AgencyAtBroker:
    assert big.node is not None
    return AgencyAtBroker(big.node, big.prefix, big.agency("kemenpu", "ministry", "--kafka"))


def test_an_agency_on_kafka_hears_of_an_erasure_and_confirms_it(
    big: Whole, pemda: Caller, office: AgencyAtBroker
) -> None:
    case_id = sent_to(office, pemda)
    room = {"subject": "Lampu", "cases": [case_id], "participants": [pemda.agency]}
    thread_id = office.ask("thread", room, event_id="buka-1")["thread_id"]
    message = {"text": SAID, "scope": "agencies"}
    assert office.ask("message", message, event_id="kata-1", subject=thread_id)["status"] == 201
    early = office.ask("erasure_receipt", {}, event_id="terima-0", subject=case_id)
    assert early["status"] == 409

    erased = json.loads(big.desk.cli("erase", case_id, "--reason", "Diminta pelapor").stdout)
    found = office.read(lambda events: any(e["type"] == "reporter.erased" for e in events))
    told = next(event for event in found if event["type"] == "reporter.erased")
    assert (told["subject"], told["data"]["erased"]) == (case_id, True)
    receipt = office.ask("erasure_receipt", {}, event_id="terima-1", subject=case_id)
    assert (receipt["status"], receipt["case_id"]) == (200, case_id)

    seen = pemda.call("GET", f"/v1/cases/{case_id}")[1]["erasure"]
    by_agency = {each["agency"]: each for each in seen["receipts"]}
    assert by_agency[office.agency]["receipted_at"] is not None
    assert by_agency[pemda.agency] == {"agency": pemda.agency, "receipted_at": None}
    again = pemda.call("POST", f"/v1/cases/{case_id}/erasure", {"reason": "Diminta pelapor"})
    assert (again[0], again[1]["erasure"]) == (200, seen), "the answer of the route says it too"
    _what_stays_is_owned_to(big, office, erased, by_agency[office.agency]["on_topic_until"])


def _what_stays_is_owned_to(big: Whole, office: AgencyAtBroker, erased: dict[str, Any], until: str) -> None:
    """Its words are on the holder's own topic, for as long as the answer said; in the log nothing is to be
    read, now or later."""
    assert big.node is not None
    holder = next(each for each in erased["receipts"] if each["agency"] == office.agency)
    assert holder["on_topic_until"] == until
    kept = datetime.fromisoformat(until) - datetime.fromisoformat(erased["erased_at"])
    assert kept == timedelta(hours=25), "a day, and the hour after which Kafka closes a segment"
    case_id = erased["case_id"]
    own, node, log = f"{big.prefix}agency.{office.agency}", big.node, f"{big.prefix}events"
    found = eventually(lambda: once_there(laid_open(node, big.prefix), log, case_id, RECEIPTED))
    for words in (WORDS, SAID):
        holders = where(found, words)
        assert own in holders
        assert holders.isdisjoint({log, f"{big.prefix}dead-letter"})
