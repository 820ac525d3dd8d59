"""Messages to reporters that come late, twice, or in the same words; and kills between the app's commit and
the spool's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.applying import Applier
from connectors.effects import Effect
from connectors.entries import Seen
from connectors.outbox import Outbox
from connectors.reporter_messages import Message, MessageWriter
from connectors.shown import Shown
from connectors.written import Written
from tests.connectors.apps import App
from tests.connectors.desk import Desk, open_desk

FIRST, SECOND = "Petugas datang besok.", "Petugas datang lusa."
TABLE = "CREATE TABLE pesan (id_pengaduan INTEGER, id_pesan VARCHAR(40), isi TEXT)"
PICKED = "WHERE id_pesan = :message_id AND id_pengaduan = :key"
BY_ID = Message(
    statements=["INSERT INTO pesan VALUES (:key, :message_id, :message)"],
    already_written=f"SELECT 1 FROM pesan {PICKED}",
    edited=Effect(statements=[f"UPDATE pesan SET isi = :message {PICKED}"]),
    withdrawn=Effect(statements=[f"DELETE FROM pesan {PICKED}"]),
)
BY_WORDS = Message(
    statements=BY_ID.statements,
    already_written="SELECT 1 FROM pesan WHERE id_pengaduan = :key AND isi = :message",
)


class Killed(BaseException):
    """As kill -9 between the app's commit and the spool's."""


class Board:
    """A desk whose app shows messages; the thread is about two of its reports and one of another app."""

    def __init__(self, desk: Desk, settings: Message = BY_ID) -> None:
        self.desk, self.app = desk, desk.app
        outbox = Outbox(desk.spool)
        outbox.queue(Seen("2", "2", b"r", b"m", "2026-03-11T00:00:00+00:00"), b"{}", [], [])
        outbox.acknowledge("2", "case-2", routed=False)
        self.shown = Shown(desk.spool)
        written, cases = Written(desk.spool), desk.writer.own_cases
        zone, where = ZoneInfo("Asia/Jakarta"), desk.writer.whereabouts
        self.writer = MessageWriter(settings, desk.database, written, self.shown, outbox, cases, where, zone)
        self.desk.applier = Applier(desk.spool, desk.inbox, self.writer.handle, lambda: 0.0, 1.0)

    def arrives(
        self, what: str, sequence: int, text: str | None = FIRST, message: str = "m-1", **more: Any
    ) -> bool:
        """Whether the connector keeps it: an event of the thread."""
        body: dict[str, Any] = {"id": message, "author": {"agency": "kemenpu"}, "scope": "reporter"}
        body |= {"posted_at": "2026-03-11T01:00:00Z"}
        body |= {"withdrawn": True} if what == "withdrawn" else {"text": text, "cases": ["case-1", "case-2"]}
        data = {"thread_id": "t-1", "cases": ["case-1", "case-2"], "status": "open", "message": body | more}
        event: dict[str, Any] = {"id": str(uuid.uuid4()), "subject": "t-1", "data": data}
        event |= {"type": f"id.simpul.thread.message_{what}.v1", "time": "2026-03-11T01:00:00Z"}
        event |= {"sequence": f"{sequence:010d}"}
        wanted = self.writer.wanted(event)
        self.desk.inbox.take(event, wanted)
        return wanted

    async def settle(self) -> list[tuple[Any, ...]]:
        await self.desk.settle()
        return self.rows()

    def rows(self) -> list[tuple[Any, ...]]:
        found = self.app.run("SELECT id_pengaduan, isi FROM pesan ORDER BY id_pengaduan, isi")
        return [tuple(row) for row in found]


def both(*texts: str) -> list[tuple[Any, ...]]:
    return [(key, text) for key in (1, 2) for text in sorted(texts)]


@pytest.fixture
def desk(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """On each engine: on MyISAM no transaction takes anything back."""
    monkeypatch.setenv("SIMPUL_CLIENT_ID", "x")
    monkeypatch.setenv("SIMPUL_CLIENT_SECRET", "y")
    app.run(TABLE)
    made = open_desk(app, tmp_path)
    yield made
    made.close()


@pytest.fixture
def board(desk: Desk) -> Board:
    return Board(desk)


async def test_a_kill_after_the_apps_commit_shows_it_once(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Killed

    for sequence, what in enumerate(("posted", "edited", "withdrawn"), 2):
        board.arrives(what, sequence, SECOND if what == "edited" else FIRST)
        for name in ("_note_written", "_note_written"):  # once for each report
            with monkeypatch.context() as patch:
                patch.setattr(board.writer, name, die)
                with pytest.raises(Killed):
                    await board.desk.settle()
        expected = {"posted": both(FIRST), "edited": both(SECOND), "withdrawn": []}[what]
        assert await board.settle() == expected


async def test_what_was_set_aside_undoes_nothing_when_it_comes_late(board: Board) -> None:
    board.arrives("posted", 2)
    board.desk.set_aside_first()
    board.arrives("edited", 3, SECOND)
    assert await board.settle() == both(SECOND)
    board.desk.inbox.revive()
    assert await board.settle() == both(SECOND)
    board.arrives("edited", 4, "Petugas datang Senin.")
    board.desk.set_aside_first()
    board.arrives("edited", 5, "Petugas datang Selasa.")
    assert await board.settle() == both("Petugas datang Selasa.")
    board.desk.inbox.revive()
    assert await board.settle() == both("Petugas datang Selasa.")
    board.arrives("edited", 6, SECOND)
    board.desk.set_aside_first()
    board.arrives("withdrawn", 7)
    assert await board.settle() == []
    board.desk.inbox.revive()
    assert await board.settle() == []


async def test_a_message_that_was_taken_back_before_it_was_shown_never_is(board: Board) -> None:
    board.arrives("posted", 2)
    board.desk.set_aside_first()
    board.arrives("withdrawn", 3)
    await board.settle()
    board.desk.inbox.revive()
    assert await board.settle() == []
    board.arrives("posted", 4, None, "m-2", withdrawn=True)  # as the hub gives it later
    board.arrives("posted", 5, None, "m-3")  # erased
    assert await board.settle() == []


async def test_a_lost_spool_and_a_restored_hub_double_nothing(board: Board) -> None:
    board.arrives("posted", 2)
    board.arrives("edited", 3, SECOND)
    await board.settle()
    board.desk.spool.connection.executescript(
        "DELETE FROM messages; DELETE FROM written; DELETE FROM events;"
    )
    board.arrives("posted", 2)
    board.arrives("edited", 3, SECOND)
    assert await board.settle() == both(SECOND)
    board.shown.forget_sequences()
    board.desk.inbox.forget_positions()
    board.arrives("edited", 2, "Petugas datang Senin.")  # the hub counts anew
    assert await board.settle() == both("Petugas datang Senin.")


async def test_a_lost_spool_takes_back_what_the_hub_gives_no_more(board: Board) -> None:
    board.arrives("posted", 2)
    board.arrives("posted", 3, SECOND, "m-2")
    await board.settle()
    board.desk.spool.connection.executescript(
        "DELETE FROM messages; DELETE FROM written; DELETE FROM events;"
    )
    board.arrives("withdrawn", 4)
    assert await board.settle() == both(SECOND)


async def test_the_same_words_twice_are_two_rows_also_without_an_id(desk: Desk) -> None:
    board = Board(desk, BY_WORDS)
    for number in (1, 2):
        board.arrives("posted", number + 1, FIRST, f"m-{number}")
    board.arrives("edited", 4, SECOND)
    board.arrives("withdrawn", 5)
    assert await board.settle() == both(FIRST, FIRST)


async def test_no_other_message_is_even_kept(board: Board) -> None:
    for scope in ("internal", "agencies", "semua", None):
        assert not board.arrives("posted", 2, scope=scope)
    assert not board.desk.writer.wanted({"data": {"thread_id": "t-1", "cases": [], "status": "open"}})
    assert not board.writer.wanted({"type": "id.simpul.thread.message_posted.v1", "data": {"withheld": True}})
    assert await board.settle() == []
    assert board.desk.spool.connection.execute("SELECT DISTINCT state FROM events").fetchall() == [
        ("skipped",)
    ]
