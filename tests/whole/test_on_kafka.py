"""Agencies on Kafka, over a whole hub with PostgreSQL and a real broker."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from kafka.errors import KafkaError, TopicAuthorizationFailedError

from tests.parts.caller import Caller, complaint
from tests.whole.topics import AgencyAtBroker
from tests.whole.wholework import Whole, eventually, types

REGENCY = ("regency", "--region", "62.02", "--kafka")


@pytest.fixture
def pemda(big: Whole) -> Caller:
    return big.agency("pemda-kotim", *REGENCY)


@pytest.fixture
def ministry(big: Whole) -> Caller:
    return big.agency("kemenpu", "ministry", "--kafka")


def at_broker(big: Whole, caller: Caller, token: str | None = None) -> AgencyAtBroker:
    assert big.node is not None
    return AgencyAtBroker(big.node, big.prefix, caller, token)


def replies(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {event["correlationid"]: event["data"] for event in found if event["type"] == "reply"}


def dead_letters(big: Whole) -> list[dict[str, Any]]:
    return [json.loads(line) for line in big.desk.cli("dead-letter", "list").stdout.splitlines()]


def submitted(found: list[dict[str, Any]]) -> int:
    return sum(event["type"] == "complaint.submitted" for event in found)


def test_a_sound_listener_takes_the_hubs_own_token(big: Whole) -> None:
    """The hub's own look at it: a forged token that is refused was refused for its forgery."""
    big.desk.stop()
    before = len(big.desk.log.read_text())
    big.desk.start()

    def said() -> str:
        return big.desk.log.read_text()[before:]

    eventually(
        lambda: "agency_listener_not_tried" not in said() or "agency_listener_verifies_tokens" in said(), 60
    )
    assert "refuses the hub's own token" not in said()
    assert "agency_listener_away" not in said()


def test_an_agency_submits_and_receives_by_topic_alone(big: Whole, pemda: Caller, ministry: Caller) -> None:
    app, office = at_broker(big, pemda), at_broker(big, ministry)
    app.send("complaint", complaint(pemda.agency, "K-1"), event_id="kirim-1")
    answered = replies(app.read(lambda found: "kirim-1" in replies(found)))["kirim-1"]
    assert (answered["status"], answered["kind"]) == (201, "case")
    case_id = answered["case_id"]
    app.send("verification", {"decision": "accept"}, event_id="terima-1", subject=case_id)
    to = {"to": [{"agency": ministry.agency, "role": "lead"}], "note": "Mohon bantuan"}
    app.send("forwarding", to, event_id="terus-1", subject=case_id)
    arrived = office.read(lambda found: any(e["type"] == "forwarding.sent" for e in found))
    sent = next(event for event in arrived if event["type"] == "forwarding.sent")
    assert sent["data"]["complaint"]["title"].startswith("Lampu")
    leg = sent["data"]["forwarding"]["id"]
    office.send("acceptance", {}, event_id="t-1", subject=leg)
    office.send("answer", {"text": "Lampu sudah diganti."}, event_id="t-2", subject=leg)
    seen = app.read(lambda found: any(e["type"] == "complaint.answered" for e in found))
    events = [event for event in seen if event["position"]]
    for subject in {event["subject"] for event in events}:  # the order is a subject's: it has one partition
        order = [int(event["position"]) for event in events if event["subject"] == subject]
        assert order == sorted(order)
    events.sort(key=lambda event: int(event["position"]))
    assert [int(event["position"]) for event in events] == list(range(1, len(events) + 1))
    assert [event["id"] for event in events] == [item["event"]["id"] for item in pemda.events()][
        : len(events)
    ]
    assert "reporter" not in str([event["data"] for event in events])
    big.desk.cli("rebuild", "--check")


def test_a_record_sent_twice_takes_effect_once(big: Whole, pemda: Caller) -> None:
    app = at_broker(big, pemda)
    for _ in range(2):
        app.send("complaint", complaint(pemda.agency, "K-2"), event_id="sama-1")
    found = app.read(lambda f: sum(e["type"] == "reply" for e in f) == 2)
    both = [event["data"] for event in found if event["type"] == "reply"]
    assert both[0]["ids"] == both[1]["ids"]
    assert types(pemda.events()).count("complaint.submitted") == 1


def test_problems_come_back_and_poison_blocks_nobody(big: Whole, pemda: Caller, ministry: Caller) -> None:
    app, before = at_broker(big, pemda), dead_letters(big)
    app.send("complaint", None, event_id="rusak-1", raw=b"{tidak json")
    app.send("tidakada", {}, event_id="rusak-2")
    app.send("complaint", complaint(ministry.agency, "K-3"), event_id="salah-1")
    app.send("complaint", complaint(pemda.agency, "K-3", surprise=1), event_id="salah-2")
    app.send("acceptance", {}, event_id="salah-3", subject="0190aaaa-0000-7000-8000-000000000000")
    app.send("complaint", complaint(pemda.agency, "K-3"), event_id="baik-1")
    answered = replies(app.read(lambda found: len(replies(found)) == 6))
    assert {name: data["status"] for name, data in answered.items()} == {
        "rusak-1": 400, "rusak-2": 415, "salah-1": 403, "salah-2": 422, "salah-3": 404, "baik-1": 201,
    }  # fmt: skip
    assert answered["salah-2"]["problem"]["errors"][0]["pointer"] == "/surprise"
    lines = [letter for letter in dead_letters(big) if letter not in before]
    dead = {letter["cause"].split(":")[0]: letter for letter in lines}
    assert len(lines) == 2, "a command that was refused is no dead letter"
    again = big.desk.cli("dead-letter", "redrive", next(iter(dead.values()))["id"], status=1)
    assert "simpul:" in again.stderr, "it is no command the second time either"


def test_who_is_not_the_agency_is_refused(big: Whole, pemda: Caller, ministry: Caller) -> None:
    app = at_broker(big, pemda)
    own = app.ask("complaint", complaint(pemda.agency, "K-4"), event_id="x-0")
    assert own["status"] == 201, "the broker takes what is the agency's own"
    body = complaint(ministry.agency, "K-4")
    with pytest.raises(TopicAuthorizationFailedError):
        app.send("complaint", body, event_id="x-1", to=ministry.agency)
    with pytest.raises(TopicAuthorizationFailedError):
        app.read(lambda found: bool(found), of=ministry.agency, within_s=5.0)
    head, payload, _ = pemda.sign_in().split(".")
    with pytest.raises(KafkaError):
        at_broker(big, pemda, f"{head}.{payload}.c2FsYWg").send("complaint", body, event_id="x-2")
    big.desk.cli("client", "revoke", pemda.client_id)
    with pytest.raises(KafkaError):
        app.send("complaint", complaint(pemda.agency, "K-5"), event_id="x-3")


def test_kafka_is_chosen_later_and_topics_are_applied_twice(big: Whole) -> None:
    late = big.agency("dinas-pu", "unit")
    admin = big.desk.client("hub", "--scope", "agencies:write")
    chooser = big.desk.caller(admin)
    chooser.url = big.apis[0].url
    assert chooser.call("PATCH", f"/v1/agencies/{late.agency}", {"kafka": True})[1]["kafka"] is True
    office = at_broker(big, late)
    assert office.read(lambda found: any(e["type"] == "agency.registered" for e in found))
    again = big.desk.run("topics", "apply")
    assert again["changes"] == []


def test_killed_roles_are_taken_over_and_nothing_is_lost(big: Whole, pemda: Caller) -> None:
    app = at_broker(big, pemda)
    app.send("complaint", complaint(pemda.agency, "K-6"), event_id="a-1")
    app.read(lambda found: "a-1" in replies(found))
    big.others[0].kill()
    app.send("complaint", complaint(pemda.agency, "K-7"), event_id="a-2")
    assert pemda.call("POST", "/v1/complaints", complaint(pemda.agency, "K-8"))[0] == 201
    big.others[0].start()
    began = time.monotonic()
    found = app.read(
        lambda f: "a-2" in replies(f) and sum(e["type"] == "complaint.submitted" for e in f) == 3
    )
    assert time.monotonic() - began < 20
    ids = [event["id"] for event in found if event["position"]]
    assert len(ids) == len(set(ids)), "marks keep the relay from publishing twice"
    assert eventually(lambda: big.desk.caller(pemda.member).call("GET", "/readyz"))[1]["status"] == "ready"
