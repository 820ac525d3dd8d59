"""What statements may name of an event, of a case and of a thread: neither takes the other's place."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from connectors.broker.channel import act_of
from connectors.events import PARAMETERS, parameters_of

ZONE = ZoneInfo("Asia/Makassar")


def said(name: str, data: dict[str, Any]) -> dict[str, str]:
    event = {"id": "e-1", "type": f"id.simpul.{name}.v1", "time": "2026-03-11T01:00:00Z", "data": data}
    found = parameters_of(event, ZONE)
    assert list(found) == list(PARAMETERS)
    return {key: value for key, value in found.items() if value is not None and "time" not in key}


def test_an_event_of_a_case_says_nothing_of_threads() -> None:
    forwarding = {"id": "f-1", "to": "kemenpu", "due_at": "2026-03-15T20:00:00Z"}
    answer = {"agency": "kemenpu", "text": "Selesai.", "forwarding_id": "f-1"}
    data = {"case_id": "c-1", "status": "answered", "forwarding": forwarding, "answer": answer}
    assert said("complaint.answered", data) == {
        "event_id": "e-1", "type": "complaint.answered", "case_id": "c-1", "status": "answered",
        "agency": "kemenpu", "forwarding_id": "f-1", "to": "kemenpu", "text": "Selesai.",
        "local_date": "2026-03-11", "due_at": "2026-03-16 04:00:00", "due_on": "2026-03-16",
    }  # fmt: skip


def test_an_event_of_a_thread_has_no_case_and_no_status_of_one() -> None:
    author = {"agency": "kemenpu", "officer": "Budi"}
    message = {"id": "m-1", "author": author, "scope": "reporter", "text": "Besok.", "cases": ["c-2"]}
    of_thread = {"thread_id": "t-1", "cases": ["c-1", "c-2"], "status": "open", "agency": "kemenpu"}
    assert said("thread.message_posted", of_thread | {"message": message}) == {
        "event_id": "e-1", "type": "thread.message_posted", "thread_id": "t-1", "thread_status": "open",
        "agency": "kemenpu", "cases": "c-2", "message_id": "m-1", "scope": "reporter", "officer": "Budi",
        "text": "Besok.", "local_date": "2026-03-11",
    }  # fmt: skip
    made = {"id": "k-1", "text": "Ganti tiang", "due_at": "2026-03-15T20:00:00Z", "officer": "Budi"}
    of_commitment = said("thread.commitment_made", of_thread | {"commitment": made})
    assert (of_commitment["text"], of_commitment["due_on"]) == ("Ganti tiang", "2026-03-16")
    assert (of_commitment["commitment_id"], of_commitment["cases"]) == ("k-1", "c-1,c-2")
    registered = {"agency": {"id": "kemenkes", "name": "Kementerian Kesehatan"}}
    assert said("agency.registered", registered)["agency"] == "kemenkes"


def test_a_message_goes_by_http_where_replies_are_records() -> None:
    assert act_of("/v1/threads/0197f0d3-5a10-7c44-8b21-6e0f3a9d5101/messages") is None
