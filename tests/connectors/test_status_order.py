"""An event that was set aside and takes effect later brings its answer, and never an older status."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.outbox import Outbox
from tests.connectors.apps import App
from tests.connectors.desk import ANSWERED, REOPENED, STATUS, Desk, open_desk


@pytest.fixture(
    params=[(), (STATUS,), (STATUS.replace(":status", "'selesai'"),)], ids=["row", "word", "fixed"]
)
def desk(
    request: pytest.FixtureRequest, sqlite: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """The answer is a row alone, or updates the status too, by the hub's word or by a fixed one."""
    monkeypatch.setenv("SIMPUL_CLIENT_ID", "x")
    monkeypatch.setenv("SIMPUL_CLIENT_SECRET", "y")
    made = open_desk(sqlite, tmp_path, *request.param)
    yield made
    made.close()


async def test_a_revived_answer_becomes_its_row_once_and_leaves_the_newer_status(desk: Desk) -> None:
    desk.arrives(ANSWERED, "answered", 5, "Sudah ditambal.")
    desk.set_aside_first()
    desk.arrives(REOPENED, "in_progress", 6)
    await desk.settle()
    assert (desk.status(), desk.answers()) == ("proses", [])
    for _ in range(2):
        desk.inbox.revive()
        await desk.settle()
        assert (desk.status(), desk.answers()) == ("proses", ["Sudah ditambal."])


async def test_an_event_that_only_repeats_the_written_word_counts_as_the_newer_one(desk: Desk) -> None:
    desk.arrives("forwarding.accepted", "in_progress", 4)
    await desk.settle()
    desk.arrives("complaint.rejected", "rejected", 5)
    desk.set_aside_first()
    desk.arrives(REOPENED, "in_progress", 6)
    await desk.settle()
    desk.inbox.revive()
    await desk.settle()
    assert desk.status() == "proses"


async def test_a_status_without_a_word_of_the_app_keeps_no_older_one_from_being_written(desk: Desk) -> None:
    desk.arrives(ANSWERED, "answered", 5, "Sudah ditambal.")
    desk.set_aside_first()
    desk.arrives("complaint.closed", "closed", 6)
    await desk.settle()
    desk.inbox.revive()
    await desk.settle()
    assert (desk.status(), desk.answers()) == ("selesai", ["Sudah ditambal."])


async def test_after_a_restore_of_the_hub_its_events_count_anew(desk: Desk) -> None:
    desk.arrives(REOPENED, "in_progress", 9)
    await desk.settle()
    Outbox(desk.spool).forget_sequences()
    desk.arrives(ANSWERED, "answered", 7, "Sudah ditambal.")
    await desk.settle()
    assert desk.status() == "selesai"
