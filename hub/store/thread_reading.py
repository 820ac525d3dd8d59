"""What a read session answers about threads (port: `hub.ports.threads.ThreadReads`), and the read marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hub.domain.threads.thread import Message, Thread
from hub.ports.threads import Span
from hub.store.dialect import Dialect, Engine
from hub.store.statements import Statements
from hub.store.thread_rows import message_from_row, thread_from_row
from hub.store.thread_writing import load_threads

MESSAGES: Final = "SELECT state, texts FROM messages WHERE thread_id = ? AND sequence > ? AND sequence <= ?"
VISIBLE: Final = "AND (NOT internal OR author = ?)"
NO_END: Final = 2**31 - 1
FIRST: Final = ("", "")


class ThreadSession:
    """A part of `hub.store.reading.Session`."""

    _db: Any
    _dialect: Dialect
    _sql: Statements

    def thread(self, thread_id: str) -> Thread | None:
        row = self._db.execute("SELECT state, texts FROM threads WHERE id = ?", (thread_id,)).fetchone()
        return thread_from_row(*row) if row else None

    def threads_named(self, thread_ids: Sequence[str]) -> dict[str, Thread]:
        if not thread_ids:
            return {}
        return load_threads(self._db, self._sql.threads, self._dialect.of_texts(thread_ids))

    def threads_of(self, agency: str, before: str | None, limit: int) -> list[Thread]:
        narrowed, values = ("AND a.thread_id < ?", (agency, before)) if before else ("", (agency,))
        rows = self._db.execute(
            "SELECT t.state, t.texts FROM thread_agencies AS a JOIN threads AS t ON t.id = a.thread_id "  # noqa: S608
            f"WHERE a.agency = ? {narrowed} ORDER BY a.thread_id DESC LIMIT ?",
            (*values, limit),
        )
        return [thread_from_row(*row) for row in rows]

    def message(self, message_id: str) -> Message | None:
        row = self._db.execute("SELECT state, texts FROM messages WHERE id = ?", (message_id,)).fetchone()
        return message_from_row(*row) if row else None

    def messages(
        self, thread_id: str, agency: str, span: Span, limit: int, *, newest_first: bool = False
    ) -> list[Message]:
        until = NO_END if span.until is None else span.until
        order = "DESC" if newest_first else "ASC"
        rows = self._db.execute(
            f"{MESSAGES} {VISIBLE} ORDER BY sequence {order} LIMIT ?",
            (thread_id, span.after, until, agency, limit),
        )
        return [message_from_row(*row) for row in rows]

    def all_messages(self, thread_id: str) -> dict[str, Message]:
        rows = self._db.execute("SELECT state, texts FROM messages WHERE thread_id = ?", (thread_id,))
        found = (message_from_row(*row) for row in rows)
        return {message.state.id: message for message in found}

    def messages_naming(self, thread_id: str, sha256: str) -> list[Message]:
        rows = self._db.execute(
            "SELECT m.state, m.texts FROM message_files AS f JOIN messages AS m ON m.id = f.message_id "
            "WHERE f.thread_id = ? AND f.sha256 = ?",
            (thread_id, sha256),
        )
        return [message_from_row(*row) for row in rows]

    def count_messages(self, thread_id: str, agency: str, span: Span, most: int) -> int:
        until = NO_END if span.until is None else span.until
        row = self._db.execute(
            "SELECT count(*) FROM (SELECT author, internal FROM messages WHERE thread_id = ? "
            "AND sequence > ? AND sequence <= ? ORDER BY sequence DESC LIMIT ?) AS latest "
            "WHERE author <> ? AND NOT internal",
            (thread_id, span.after, until, most, agency),
        ).fetchone()
        return int(row[0])

    def read_mark(self, thread_id: str, agency: str, officer: str) -> int:
        row = self._db.execute(
            "SELECT sequence FROM thread_reads WHERE thread_id = ? AND agency = ? AND officer = ?",
            (thread_id, agency, officer),
        ).fetchone()
        return int(row[0]) if row else 0

    def thread_of_commitment(self, commitment_id: str) -> str | None:
        row = self._db.execute("SELECT thread_id FROM commitments WHERE id = ?", (commitment_id,)).fetchone()
        return row[0] if row else None

    def owed(
        self, reader: str, agency: str | None, status: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[tuple[str, str, str]]:
        where, values = ["r.agency = ?", "r.present"], [reader]
        for column, value in (("agency", agency), ("status", status)):
            if value is not None:
                where.append(f"c.{column} = ?")
                values.append(value)
        due_at, last = after or FIRST
        rows: list[tuple[str, str, str]] = self._db.execute(
            "SELECT c.due_at, c.id, c.thread_id FROM thread_agencies AS r "  # noqa: S608
            "JOIN commitments AS c ON c.thread_id = r.thread_id "
            "JOIN threads AS t ON t.id = r.thread_id AND t.texts IS NOT NULL "
            f"WHERE {' AND '.join(where)} AND (c.due_at, c.id) > (?, ?) ORDER BY c.due_at, c.id LIMIT ?",
            (*values, due_at, last, limit),
        ).fetchall()
        return rows

    def threads_to_wake(self, until: str, limit: int) -> list[str]:
        rows = self._db.execute(
            "SELECT id FROM threads WHERE next_wake <= ? ORDER BY next_wake, id LIMIT ?", (until, limit)
        )
        return [row[0] for row in rows]


class ReadMarkTable:
    """Implements `hub.ports.threads.ReadMarks`."""

    def __init__(self, store: Engine) -> None:
        self._store = store

    def mark_read(self, thread_id: str, agency: str, officer: str, sequence: int, now: str) -> None:
        with self._store.writing() as db:
            db.execute(
                "INSERT INTO thread_reads (thread_id, agency, officer, sequence, read_at) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (thread_id, agency, officer) DO UPDATE "
                "SET sequence = excluded.sequence, read_at = excluded.read_at "
                "WHERE thread_reads.sequence < excluded.sequence",
                (thread_id, agency, officer, sequence, now),
            )
