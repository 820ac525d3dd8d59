"""Answers that are in the app and that a restored hub lacks: until when `check` lists them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.checking import _show_spool
from connectors.entries import Seen
from connectors.inbox import WHOLE
from connectors.outbox import Outbox
from connectors.report import Report
from connectors.written import Written
from tests.connectors.apps import App
from tests.connectors.desk import ANSWERED, Desk, open_desk

SAME = "Sudah diperbaiki."


class Mailbox:
    """The hub's, as far as the connector sees it: the answers to reports 1 and 2, and its restores."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.held = desk, list[dict[str, Any]]()

    async def answered(self, report: int, text: str = SAME) -> None:
        """One more answer, which takes effect in the app."""
        self.posted(report, text)
        await self.desk.settle()

    def posted(self, report: int, text: str = SAME) -> None:
        data = {
            "case_id": f"case-{report}",
            "status": "answered",
            "answer": {"agency": "kemenpu", "text": text},
        }
        event: dict[str, Any] = {"id": str(uuid.uuid4()), "type": f"id.simpul.{ANSWERED}.v1", "data": data}
        event |= {"subject": f"case-{report}", "time": "2026-03-11T08:00:00+07:00"}
        self.held.append(event | {"sequence": f"{len(self.held) + 1:010d}"})
        assert self.desk.inbox.take(self.held[-1], True, len(self.held))

    def restored(self, count: int) -> None:
        """From a backup that holds the first `count` answers; all of it is read again."""
        del self.held[count:]
        self.desk.inbox.forget_positions()
        for position, event in enumerate(self.held, 1):
            assert not self.desk.inbox.take(event, True, position)

    def lost(self) -> list[str]:
        return Written(self.desk.spool).lost()

    def checked(self) -> str:
        lines: list[str] = []
        _show_spool(self.desk.spool, "c.toml", Report(lines.append))
        return "\n".join(lines)


@pytest.fixture
def mailbox(sqlite: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    for name in ("SIMPUL_CLIENT_ID", "SIMPUL_CLIENT_SECRET"):
        monkeypatch.setenv(name, "x")
    desk = open_desk(sqlite, tmp_path)
    sqlite.report("Lampu mati.")
    outbox = Outbox(desk.spool)
    outbox.queue(Seen("2", "2", b"r", b"m", "2026-03-11T00:00:00+00:00"), b"{}", [], [])
    outbox.acknowledge("2", "case-2", routed=False)
    yield Mailbox(desk)
    desk.close()


async def test_check_lists_an_answer_that_the_restored_hub_lacks_until_it_is_given_again(
    mailbox: Mailbox,
) -> None:
    for report in (1, 2):
        await mailbox.answered(report)
    assert "lacks" not in mailbox.checked()
    mailbox.restored(1)
    said = mailbox.checked()
    assert "the restored hub lacks the answer to 1 report, which this app has" in said
    assert "give them again (in the same words they become no second row): 2" in said
    await mailbox.answered(2)
    assert "lacks" not in mailbox.checked()
    assert mailbox.desk.answers() == [SAME] * 2


@pytest.mark.parametrize("again", [SAME, "Lampunya sudah kami ganti."])
async def test_what_was_given_again_is_named_by_no_later_restore_that_keeps_it(
    mailbox: Mailbox, again: str
) -> None:
    for report in (1, 2):
        await mailbox.answered(report)
    mailbox.restored(1)
    assert mailbox.lost() == ["2"]
    await mailbox.answered(2, again)
    mailbox.restored(2)
    assert mailbox.lost() == []
    mailbox.restored(1)
    assert mailbox.lost() == ["2"]


async def test_of_two_lost_answers_to_a_report_one_that_is_given_again_is_not_enough(
    mailbox: Mailbox,
) -> None:
    for report, text in ((1, SAME), (2, SAME), (2, "Kabelnya juga.")):
        await mailbox.answered(report, text)
    mailbox.restored(1)
    await mailbox.answered(2)
    assert mailbox.lost() == ["2"]
    await mailbox.answered(2, "Kabelnya juga.")
    assert mailbox.lost() == []
    assert mailbox.desk.answers() == [SAME, SAME, "Kabelnya juga."]


async def test_an_answer_that_waited_for_the_app_while_the_hub_was_restored_is_lacked_too(
    mailbox: Mailbox,
) -> None:
    await mailbox.answered(1)
    mailbox.posted(2)
    mailbox.restored(1)
    await mailbox.desk.settle()
    assert mailbox.desk.answers() == [SAME] * 2
    assert mailbox.lost() == ["2"]
    await mailbox.answered(2)
    assert mailbox.desk.answers() == [SAME] * 2, "in the same words it is no second row"
    assert mailbox.lost() == []


async def test_of_a_backup_older_than_every_event_all_are_lacked_but_not_where_the_front_is_trimmed(
    mailbox: Mailbox,
) -> None:
    for report in (1, 2):
        await mailbox.answered(report)
    mailbox.restored(0)
    assert mailbox.lost() == ["1", "2"]
    await mailbox.answered(2)
    assert mailbox.lost() == ["1"]
    mailbox.desk.spool.put(WHOLE, "")
    assert mailbox.lost() == [], "nobody can tell"


@pytest.mark.parametrize(("kept", "rows"), [(3, 3), (0, 2)])
async def test_a_second_answer_in_the_same_words_waits_until_the_mailbox_was_read_again(
    mailbox: Mailbox, kept: int, rows: int
) -> None:
    """Until then nobody knows whether the row that is there belongs to an answer that the hub still has."""
    desk, held = mailbox.desk, mailbox.held
    await mailbox.answered(1)
    mailbox.posted(1)
    mailbox.posted(2)
    desk.inbox.forget_positions()
    desk.spool.put("reading_again", "1")
    await desk.settle()
    assert desk.answers() == [SAME] * 2, "the first to each report"
    assert desk.inbox.counts() == {"done": 2, "pending": 1}
    for position, event in enumerate(held[:kept], 1):
        assert not desk.inbox.take(event, True, position)
    desk.spool.put("reading_again", "")
    desk.inbox.revive()
    await desk.settle()
    assert desk.answers() == [SAME] * rows, "after one that is lost it is no second row"
    assert desk.inbox.counts() == {"done": 3}


async def test_check_waits_until_the_mailbox_was_read_again(mailbox: Mailbox) -> None:
    for report in (1, 2):
        await mailbox.answered(report)
    mailbox.restored(1)
    mailbox.desk.spool.put("reading_again", "1")
    assert "lacks" not in mailbox.checked()
    mailbox.desk.spool.put("reading_again", "")
    assert "lacks" in mailbox.checked()
