"""The status that an answer brings waits until the answer is in the app, or a citizen reads `selesai` with no
answer beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.connectors.apps import App
from tests.connectors.desk import ANSWERED, REOPENED, WORDS, Desk, open_desk

FORBID = (
    "CREATE TRIGGER penuh BEFORE INSERT ON tanggapan BEGIN SELECT RAISE(ABORT, 'the table is refused'); END"
)


@pytest.fixture
def desk(sqlite: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """An app whose table of answers refuses every row, until `allow`."""
    monkeypatch.setenv("SIMPUL_CLIENT_ID", "x")
    monkeypatch.setenv("SIMPUL_CLIENT_SECRET", "y")
    monkeypatch.setitem(WORDS, "closed", "ditutup")
    made = open_desk(sqlite, tmp_path)
    sqlite.run(FORBID)
    made.arrives("forwarding.accepted", "in_progress", 3)
    yield made
    made.close()


def allow(desk: Desk) -> None:
    desk.app.run("DROP TRIGGER penuh")
    desk.inbox.revive()


async def refuse_until_set_aside(desk: Desk) -> None:
    for _ in range(12):
        await desk.settle()
        with desk.spool.transaction() as connection:
            connection.execute("UPDATE events SET not_before = 0 WHERE state = 'pending'")
    assert desk.inbox.counts().get("failed") == 1


async def test_the_event_before_the_answer_leaves_the_status(desk: Desk) -> None:
    desk.arrives("forwarding.answered", "answered", 4)
    desk.arrives(ANSWERED, "answered", 5, "Sudah ditambal.")
    await desk.settle()
    assert (desk.status(), desk.answers()) == ("proses", [])
    allow(desk)
    await desk.settle()
    assert (desk.status(), desk.answers()) == ("selesai", ["Sudah ditambal."])


async def test_a_later_event_waits_for_the_answer_that_was_set_aside(desk: Desk) -> None:
    answered = desk.arrives(ANSWERED, "answered", 5, "Sudah ditambal.")
    await refuse_until_set_aside(desk)
    desk.arrives("complaint.closed", "closed", 6)
    await desk.settle()
    assert (desk.status(), desk.answers()) == ("proses", [])
    (waiting,) = [reason for _, _, reason in desk.inbox.troubles() if answered["id"] in reason]
    assert "the answer" in waiting
    allow(desk)
    await desk.settle()
    assert (desk.status(), desk.answers()) == ("ditutup", ["Sudah ditambal."])
    assert desk.inbox.counts() == {"done": 3}


async def test_work_that_goes_on_waits_for_no_answer(desk: Desk) -> None:
    desk.arrives(ANSWERED, "answered", 5, "Sudah ditambal.")
    await refuse_until_set_aside(desk)
    desk.arrives("complaint.closed", "closed", 6)
    desk.arrives(REOPENED, "in_progress", 7)
    await desk.settle()
    assert desk.status() == "proses"
    allow(desk)
    await desk.settle()
    assert (desk.status(), desk.answers()) == ("proses", ["Sudah ditambal."])


async def test_without_answers_in_the_app_its_status_waits_for_none(desk: Desk) -> None:
    desk.writer._write_back = replace(desk.writer._write_back, answer=None)
    desk.arrives("forwarding.answered", "answered", 4)
    await desk.settle()
    assert desk.status() == "selesai"
