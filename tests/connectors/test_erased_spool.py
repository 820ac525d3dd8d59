"""What stays in a spool of a case that was erased: ids, and nothing that can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.entries import Seen
from connectors.erased import GONE, Erasures
from connectors.inbox import Inbox
from connectors.outbox import Outbox
from connectors.replies import Replies, Reply
from connectors.spool import Spool, open_spool

WORDS = "Lubang di depan rumah Bu Siti Rahmawati"
CASE, OTHER = "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11", "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a12"
LEG, THREAD = "0197d2b1-04aa-7d10-8c55-9be1a2d47c02", "0197d2b1-04aa-7d10-8c55-9be1a2d47c03"
NOW = "2026-03-11T08:00:00+07:00"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = open_spool(tmp_path / "connector.spool")
    yield opened
    opened.close()


def event(name: str, subject: str, **data: Any) -> dict[str, Any]:
    event.count = getattr(event, "count", 0) + 1  # type: ignore[attr-defined]
    made = {"id": f"event-{event.count}", "type": f"id.simpul.{name}.v1", "subject": subject}  # type: ignore[attr-defined]
    return made | {"time": NOW, "sequence": "0000000001", "data": data}


def erased(case_id: str) -> dict[str, Any]:
    return event("reporter.erased", case_id, case_id=case_id, erased=True)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def sent(outbox: Outbox, reference: str, case_id: str | None = None) -> None:
    seen = Seen(reference, reference, b"row", b"map", NOW)
    outbox.queue(seen, WORDS.encode(), [{"path": WORDS}], ["kemenpu"])
    if case_id:
        outbox.acknowledge(reference, case_id, routed=True)


def test_every_readable_copy_is_gone_and_ids_stay(spool: Spool, tmp_path: Path) -> None:
    outbox, inbox, replies = Outbox(spool), Inbox(spool), Replies(spool)
    sent(outbox, "1", CASE)
    outbox.note_status("1", "proses", 1, WORDS)
    outbox.routed(outbox.find(["1"])["1"], "failed", WORDS)
    told = event("forwarding.sent", CASE, case_id=CASE, forwarding={"id": LEG}, text=WORDS)
    inbox.take(told, wanted=True)
    failed = event("complaint.answered", CASE, case_id=CASE, answer={"text": WORDS})
    inbox.take(failed, wanted=True)
    inbox.fail(inbox.ready(1e12, 9)[0].number, WORDS)
    for number, reply in enumerate(
        [
            Reply("a", "answer", forwarding_id=LEG, text=WORDS),
            Reply("b", "progress", case_id=CASE, text=WORDS),
            Reply("c", "reply", reference="1", text=WORDS),
        ]
    ):
        assert replies.take(reply, f"{NOW}-{number}")
    assert WORDS.encode() in on_disk(tmp_path)
    assert inbox.take(erased(CASE), wanted=False)
    assert spool.forget_freed()
    assert WORDS.encode() not in on_disk(tmp_path)
    (waiting,) = inbox.ready(1e12, 9)
    assert waiting.event["type"] == "id.simpul.reporter.erased.v1"
    entry = outbox.by_case(CASE)
    assert entry is not None
    assert (entry.state, entry.reason, entry.where_written, entry.route_state) == (
        "erased",
        GONE,
        None,
        "none",
    )
    assert not replies.waiting(9)
    assert {reason for _, _, reason in replies.troubles()} == {GONE}
    assert not inbox.take(told, wanted=True), "it is known by its id"


def test_other_cases_and_shared_threads_keep_theirs(spool: Spool) -> None:
    outbox, inbox, replies = Outbox(spool), Inbox(spool), Replies(spool)
    sent(outbox, "2")
    inbox.take(event("forwarding.sent", OTHER, case_id=OTHER, text=WORDS), wanted=True)
    said = event("thread.message_posted", THREAD, thread_id=THREAD, cases=[CASE, OTHER], text=WORDS)
    inbox.take(said, wanted=True)
    replies.take(Reply("a", "progress", case_id=OTHER, text=WORDS), NOW)
    inbox.take(erased(CASE), wanted=False)
    assert {waiting.event["subject"] for waiting in inbox.ready(1e12, 9)} == {CASE, OTHER, THREAD}
    assert len(outbox.waiting(9)) == len(replies.waiting(9)) == 1
    inbox.take(erased(OTHER), wanted=False)
    left = {waiting.event["type"] for waiting in inbox.ready(1e12, 9)}
    assert left == {"id.simpul.reporter.erased.v1"}, "with the last of its cases the thread's words go"


def test_words_that_come_after_the_erasure_are_not_kept(spool: Spool, tmp_path: Path) -> None:
    inbox = Inbox(spool)
    inbox.take(erased(CASE), wanted=True)
    inbox.take(event("forwarding.sent", CASE, case_id=CASE, text=WORDS), wanted=True)
    assert WORDS.encode() not in on_disk(tmp_path)
    assert inbox.counts() == {"pending": 1, "skipped": 1}
    inbox.take(event("forwarding.sent", CASE, case_id=CASE, erased=True), wanted=True)
    assert inbox.counts() == {"pending": 2, "skipped": 1}, "what the hub tells without words is handed over"


def test_a_report_whose_case_the_spool_did_not_know_goes_by_its_reference(
    spool: Spool, tmp_path: Path
) -> None:
    """The hub took it, and the connector was killed before it read the answer."""
    outbox = Outbox(spool)
    sent(outbox, "7")
    Erasures(spool).forget(CASE, "7")
    assert spool.forget_freed()
    assert WORDS.encode() not in on_disk(tmp_path)
    outbox.acknowledge("7", CASE, routed=True)
    entry = outbox.by_case(CASE)
    assert entry is not None and entry.state == "erased", "an answer on its way changes nothing"


def test_a_reader_in_the_log_is_noticed(spool: Spool, tmp_path: Path) -> None:
    sent(Outbox(spool), "1")
    reading = sqlite3.connect(tmp_path / "connector.spool", isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM complaints").fetchone()
    spool.connection.execute("PRAGMA busy_timeout = 1")
    Erasures(spool).forget(CASE, "1")
    assert not spool.forget_freed()
    reading.close()
    assert spool.forget_freed()
