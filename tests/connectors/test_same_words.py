"""A case that is answered again with the very same words: a second row, and each row once all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.inbox import Inbox
from tests.connectors.apps import App
from tests.connectors.desk import ANSWERED, REOPENED, Desk, open_desk

WORDS = "Sudah kami tindak lanjuti."


class Killed(BaseException):
    """As kill -9 between the app's commit and the spool's."""


@pytest.fixture
def desk(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """On each engine: on MyISAM no transaction takes anything back."""
    monkeypatch.setenv("SIMPUL_CLIENT_ID", "x")
    monkeypatch.setenv("SIMPUL_CLIENT_SECRET", "y")
    made = open_desk(app, tmp_path)
    yield made
    made.close()


async def answer_twice(desk: Desk) -> list[dict[str, Any]]:
    first = desk.arrives(ANSWERED, "answered", 5, WORDS)
    await desk.settle()
    desk.arrives(REOPENED, "in_progress", 6)
    second = desk.arrives(ANSWERED, "answered", 7, WORDS)
    await desk.settle()
    return [first, second]


def kill_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next answer is in the app, and the spool never hears of it."""
    monkeypatch.setattr(desk.writer, "_note_written", _die)


def _die(*_: object) -> None:
    raise Killed


async def test_the_same_words_after_a_reopening_become_a_second_row(desk: Desk) -> None:
    await answer_twice(desk)
    assert desk.answers() == [WORDS, WORDS]
    assert desk.spool.moved["answer"] == 2
    desk.inbox.revive()
    await desk.settle()
    assert desk.answers() == [WORDS, WORDS]


async def test_a_kill_between_the_apps_commit_and_the_spools_doubles_neither(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sequence in (5, 7, 9):
        desk.arrives(ANSWERED, "answered", sequence, WORDS)
        with monkeypatch.context() as patch:
            kill_once(desk, patch)
            with pytest.raises(Killed):
                await desk.settle()
        written = desk.spool.moved["answer"]
        await desk.settle()
        assert desk.spool.moved["answer"] == written, "what is found there was not written now"
    assert desk.answers() == [WORDS] * 3


async def test_a_row_that_the_officers_deleted_lets_the_next_be_written_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answer_twice(desk)
    desk.app.run("DELETE FROM tanggapan")
    desk.arrives(ANSWERED, "answered", 9, WORDS)
    with monkeypatch.context() as patch:
        kill_once(desk, patch)
        with pytest.raises(Killed):
            await desk.settle()
    await desk.settle()
    assert desk.answers() == [WORDS]


async def test_a_lost_spool_reads_all_again_and_doubles_nothing(desk: Desk, tmp_path: Path) -> None:
    events = await answer_twice(desk)
    folder = tmp_path / "new"
    folder.mkdir()
    desk.close()  # and with it its lock in the database
    anew = open_desk(desk.app, folder, report=False)
    for event in events:
        anew.inbox.take(event, wanted=True)
    await anew.settle()
    assert desk.answers() == [WORDS, WORDS]
    assert anew.spool.moved["answer"] == 0
    anew.close()


async def test_an_answer_that_a_restored_hub_lost_and_got_again_stays_one_row(desk: Desk) -> None:
    desk.arrives(ANSWERED, "answered", 5, WORDS)
    await desk.settle()
    desk.inbox.forget_positions()
    desk.arrives(ANSWERED, "answered", 5, WORDS)
    await desk.settle()
    assert desk.answers() == [WORDS]


async def test_an_answer_that_survived_a_restore_is_told_from_the_next_one(desk: Desk) -> None:
    first = desk.arrives(ANSWERED, "answered", 5, WORDS)
    await desk.settle()
    desk.inbox.forget_positions()
    assert not Inbox(desk.spool).take(first, wanted=True)
    desk.arrives(ANSWERED, "answered", 7, WORDS)
    await desk.settle()
    assert desk.answers() == [WORDS, WORDS]


async def test_a_first_answer_that_was_set_aside_comes_beside_the_second(desk: Desk) -> None:
    desk.arrives(ANSWERED, "answered", 5, WORDS)
    desk.set_aside_first()
    desk.arrives(ANSWERED, "answered", 7, WORDS)
    await desk.settle()
    assert desk.answers() == [WORDS]
    desk.inbox.revive()
    await desk.settle()
    assert desk.answers() == [WORDS, WORDS]


async def test_a_later_answer_that_the_database_refused_comes_beside_the_one_after_it(desk: Desk) -> None:
    await answer_twice(desk)
    desk.app.run("ALTER TABLE tanggapan RENAME COLUMN id_petugas TO lain")
    desk.arrives(ANSWERED, "answered", 9, WORDS)
    await desk.applier.step()
    desk.set_aside_first()
    desk.app.run("ALTER TABLE tanggapan RENAME COLUMN lain TO id_petugas")
    desk.arrives(ANSWERED, "answered", 11, WORDS)
    await desk.settle()
    assert desk.answers() == [WORDS] * 3
    desk.inbox.revive()
    await desk.settle()
    assert desk.answers() == [WORDS] * 4
