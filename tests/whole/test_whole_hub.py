"""One complaint's life, what may go wrong with it, and what must be the same on every backend."""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.parts.caller import Caller, complaint
from tests.whole.wholework import Whole, eventually, receiving, types

REGENCY = ("regency", "--region", "62.02")


@pytest.fixture
def pemda(whole: Whole) -> Caller:
    return whole.agency("pemda-kotim", *REGENCY)


@pytest.fixture
def ministry(whole: Whole) -> Caller:
    return whole.agency("kemenpu", "ministry")


def forwarded(pemda: Caller, ministry: Caller, reference: str = "A-1") -> tuple[str, str]:
    """A verified and forwarded case: its id and its leg's."""
    status, case = pemda.call("POST", "/v1/complaints", complaint(pemda.agency, reference))
    assert status == 201, case
    path = f"/v1/cases/{case['id']}"
    assert pemda.call("POST", f"{path}/verification", {"decision": "accept"})[0] == 200
    status, sent = pemda.call(
        "POST", f"{path}/forwardings", {"to": [{"agency": ministry.agency, "role": "lead"}]}
    )
    assert status == 201, sent
    return case["id"], sent["items"][0]["id"]


def test_a_complaint_goes_to_a_ministry_and_its_answer_comes_back(
    whole: Whole, pemda: Caller, ministry: Caller
) -> None:
    case_id, leg = forwarded(pemda, ministry)
    for act, body, status in (
        ("acceptance", {}, "accepted"),
        ("progress", {"text": "Tim berangkat."}, "in_progress"),
        ("answer", {"text": "Lampu sudah diganti."}, "answered"),
    ):
        assert ministry.call("POST", f"/v1/forwardings/{leg}/{act}", body)[1]["status"] == status
    closed = pemda.call("POST", f"/v1/cases/{case_id}/closure", {"reason": "resolved"})[1]
    assert closed["status"] == "closed"
    seen = pemda.events()
    assert [item["position"] for item in seen] == list(range(1, len(seen) + 1))
    assert types(seen)[-8:] == [
        "complaint.submitted", "complaint.verified", "forwarding.sent", "forwarding.accepted",
        "forwarding.progressed", "forwarding.answered", "complaint.answered", "complaint.closed",
    ]  # fmt: skip
    arrived = next(item["event"] for item in ministry.events() if types([item]) == ["forwarding.sent"])
    assert arrived["data"]["complaint"]["title"].startswith("Lampu")
    history = pemda.call("GET", f"/v1/cases/{case_id}/history")[1]["items"]
    assert [event["id"] for event in history] == [item["event"]["id"] for item in seen[-8:]]
    whole.desk.cli("rebuild", "--check")


def test_refusals_are_the_same_everywhere(pemda: Caller, ministry: Caller) -> None:
    case_id, leg = forwarded(pemda, ministry)
    wanted = [
        (pemda, "POST", "/v1/complaints", complaint(pemda.agency, "A-1"), 200),
        (pemda, "POST", "/v1/complaints", complaint(pemda.agency, "A-1", title="Lain"), 409),
        (pemda, "POST", "/v1/complaints", complaint(pemda.agency, "A-2", surprise=1), 422),
        (pemda, "POST", "/v1/complaints", complaint(ministry.agency, "A-2"), 403),
        (pemda, "POST", f"/v1/cases/{case_id}/verification", {"decision": "accept"}, 409),
        (pemda, "POST", f"/v1/cases/{case_id}/closure", {"reason": "resolved"}, 409),
        (ministry, "POST", f"/v1/forwardings/{leg}/answer", {"text": "Sudah."}, 409),
        (ministry, "POST", f"/v1/cases/{case_id}/closure", {"reason": "resolved"}, 403),
        (ministry, "GET", "/v1/cases/0190aaaa-0000-7000-8000-000000000000", None, 404),
        (pemda, "GET", "/v1/mailbox?after=x", None, 422),
    ]
    for caller, method, path, body, status in wanted:
        assert caller.call(method, path, body)[0] == status, path


def test_what_one_engine_takes_and_the_other_does_not_is_refused_by_both(pemda: Caller) -> None:
    """PostgreSQL's text holds no NUL; the schema refuses it before any database sees it."""
    status, problem = pemda.call("POST", "/v1/complaints", complaint(pemda.agency, "A\u0000B"))
    assert (status, problem["errors"][0]["pointer"]) == (422, "/source/reference")
    long = complaint(pemda.agency, "A-3", description="é" * 20_000)
    assert pemda.call("POST", "/v1/complaints", long)[0] == 201


def test_the_same_reference_at_once_is_one_case(pemda: Caller, whole: Whole) -> None:
    """To every process that there is, several times at the same moment."""
    callers = [whole.desk.caller(pemda.member) for _ in range(8)]
    for number, caller in enumerate(callers):
        caller.url = whole.apis[number % len(whole.apis)].url
        caller.sign_in()
    gate = threading.Barrier(len(callers))

    def submit(caller: Caller) -> tuple[int, Any]:
        gate.wait(10)
        return caller.call("POST", "/v1/complaints", complaint(pemda.agency, "KEMBAR-1"))

    with ThreadPoolExecutor(len(callers)) as pool:
        answers = list(pool.map(submit, callers))
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({case["id"] for _, case in answers}) == 1
    assert types(pemda.events()).count("complaint.submitted") == 1


def test_an_idempotency_key_holds_in_every_process(pemda: Caller, ministry: Caller) -> None:
    _, leg = forwarded(pemda, ministry)
    withdrawal, key = {"reason": "Salah alamat."}, {"Idempotency-Key": "tarik-1"}
    path = f"/v1/forwardings/{leg}/withdrawal"
    assert pemda.call("POST", path, withdrawal, key)[1]["status"] == "withdrawn"
    assert pemda.call("POST", path, withdrawal, key)[1]["status"] == "withdrawn", "the same again"
    assert pemda.call("POST", path, {"reason": "Lain."}, key)[0] == 422, "another body"
    assert pemda.call("POST", path, withdrawal)[0] == 409
    assert types(pemda.events()).count("forwarding.withdrawn") == 1
    webhook = {"url": "http://127.0.0.1:9/terima", "event_types": ["*"]}
    first = pemda.call("PUT", "/v1/webhook", webhook, {"Idempotency-Key": "hook-1"})
    again = pemda.call("PUT", "/v1/webhook", webhook, {"Idempotency-Key": "hook-1"})
    assert (first[0], again[0]) == (200, 200)
    assert "secret" in first[1]
    assert "secret" not in again[1]


def test_many_agencies_write_at_once_and_every_mailbox_is_dense(whole: Whole, pemda: Caller) -> None:
    ministry = whole.agency("kemenpu", "ministry")
    callers = [whole.desk.caller(pemda.member) for _ in range(6)]
    for number, caller in enumerate(callers):
        caller.url = whole.apis[number % len(whole.apis)].url

    def work(pair: tuple[int, Caller]) -> list[str]:
        number, caller = pair
        return [forwarded(caller, ministry, f"B-{number}-{turn}")[0] for turn in range(5)]

    with ThreadPoolExecutor(len(callers)) as pool:
        cases = [case for found in pool.map(work, enumerate(callers)) for case in found]
    for caller in (pemda, ministry):
        items = caller.events()
        assert [item["position"] for item in items] == list(range(1, len(items) + 1))
        by_subject: dict[str, list[str]] = {}
        for item in items:
            by_subject.setdefault(item["event"]["subject"], []).append(item["event"]["sequence"])
        assert all(numbers == sorted(numbers) for numbers in by_subject.values())
        assert set(cases) <= by_subject.keys()
    whole.desk.cli("rebuild", "--check")


def test_a_long_poll_hears_of_what_another_process_wrote(whole: Whole, pemda: Caller) -> None:
    ministry = whole.agency("kemenpu", "ministry")
    listener = whole.desk.caller(ministry.member)
    listener.url = whole.apis[-1].url
    last = listener.events()[-1]["position"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(listener.call, "GET", f"/v1/mailbox?after={last}&wait=25")
        forwarded(pemda, ministry)
        status, page = waiting.result(25)
    assert status == 200
    assert types(page["items"])[0] == "forwarding.sent"


def test_a_revoked_client_is_refused_at_once_by_every_process(whole: Whole, pemda: Caller) -> None:
    for _ in whole.apis:
        assert pemda.call("GET", "/v1/agencies")[0] == 200
    whole.desk.cli("client", "revoke", pemda.client_id)
    for _ in whole.apis:
        assert pemda.call("GET", "/v1/agencies")[0] == 401


def test_a_batch_answers_line_by_line(pemda: Caller, whole: Whole) -> None:
    lines = [complaint(pemda.agency, f"N-{number}") for number in range(120)]
    lines[50] = {"bukan": "pengaduan"}
    body = "\n".join(json.dumps(line) for line in lines).encode()
    found = []
    for _ in range(2):
        answer = whole.post_lines(pemda, body)
        found.append([(line["line"], line["status"], line.get("case_id")) for line in answer])
    assert [status for _, status, _ in found[0]] == [201] * 50 + [422] + [201] * 69
    assert [status for _, status, _ in found[1]] == [200] * 50 + [422] + [200] * 69
    assert [case for _, _, case in found[0]] == [case for _, _, case in found[1]]


def test_both_sides_can_compare_digests(pemda: Caller, ministry: Caller) -> None:
    forwarded(pemda, ministry)
    items = pemda.events()
    digest = pemda.call("GET", f"/v1/mailbox/digest?from=1&to={len(items)}")[1]
    lines = "".join(f"{item['position']} {item['event']['id']}\n" for item in items)
    assert (digest["count"], digest["sha256"]) == (len(items), hashlib.sha256(lines.encode()).hexdigest())
    missing = pemda.call("POST", "/v1/submissions/missing", {"references": ["A-1", "TIDAK-ADA"]})[1]
    assert missing["references"] == ["TIDAK-ADA"]


def test_everything_outlives_a_kill_of_every_process(whole: Whole, pemda: Caller, ministry: Caller) -> None:
    case_id, leg = forwarded(pemda, ministry)
    before = pemda.events()
    whole.kill()
    whole.start()
    assert pemda.events() == before
    assert ministry.call("POST", f"/v1/forwardings/{leg}/acceptance", {})[0] == 200
    assert pemda.call("GET", f"/v1/cases/{case_id}")[1]["status"] == "in_progress"
    whole.desk.cli("rebuild", "--check")


def test_lists_filter_and_search_alike(pemda: Caller) -> None:
    for number, (title, category) in enumerate(
        [("Jalan ROSAK di 100%_pasar", "road"), ("Air keruh", "water"), ("Jalan licin", "road")]
    ):
        body = complaint(pemda.agency, f"C-{number}", title=title, category=category)
        assert pemda.call("POST", "/v1/complaints", body)[0] == 201

    def titles(query: str) -> list[str]:
        return [case["complaint"]["title"] for case in pemda.call("GET", f"/v1/cases?{query}")[1]["items"]]

    assert titles("q=jalan") == ["Jalan licin", "Jalan ROSAK di 100%_pasar"]
    assert titles("q=100%25_") == ["Jalan ROSAK di 100%_pasar"]
    assert titles("category=road&limit=1") == ["Jalan licin"]
    assert titles("region=62&status=submitted&role=owner") == [
        "Jalan licin", "Air keruh", "Jalan ROSAK di 100%_pasar",
    ]  # fmt: skip


def test_webhooks_are_sent_whichever_process_took_the_command(whole: Whole, pemda: Caller) -> None:
    with receiving() as receiver:
        body = {"url": receiver.url, "event_types": ["*"]}
        assert pemda.call("PUT", "/v1/webhook", body)[0] == 200
        for number in range(6):
            assert pemda.call("POST", "/v1/complaints", complaint(pemda.agency, f"W-{number}"))[0] == 201
        eventually(lambda: len(receiver.ids) >= 6)
        wanted = [item["event"]["id"] for item in pemda.events() if types([item]) == ["complaint.submitted"]]
        assert set(wanted) <= set(receiver.ids)
