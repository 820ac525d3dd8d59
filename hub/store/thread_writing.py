"""What a write transaction does about threads, on either engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.domain.threads.thread import Message, Thread
from hub.store import thread_tables as tables
from hub.store.dialect import Dialect
from hub.store.thread_rows import (
    commitment_rows,
    message_file_rows,
    message_from_row,
    message_row,
    thread_agency_rows,
    thread_from_row,
    thread_row,
)
from hub.store.upserts import replacing


class ThreadStatements:
    """The hot statements about threads, made once an engine."""

    def __init__(self, dialect: Dialect) -> None:
        insert = dialect.insert
        self.upsert_thread = insert(
            tables.threads, replacing(tables.threads, "status", "state", "texts", "next_wake")
        )
        self.upsert_agency = insert(tables.thread_agencies, replacing(tables.thread_agencies, "present"))
        self.upsert_message = insert(tables.messages, replacing(tables.messages, "state", "texts"))
        self.insert_file_once = insert(tables.message_files, replacing(tables.message_files))
        self.upsert_commitment = insert(
            tables.commitments, replacing(tables.commitments, "agency", "status", "due_at")
        )
        self.threads = (
            f"SELECT t.id, t.state, t.texts FROM {dialect.texts} JOIN threads AS t ON t.id = wanted.one"  # noqa: S608
        )
        self.messages = (
            f"SELECT m.id, m.state, m.texts FROM {dialect.texts} JOIN messages AS m ON m.id = wanted.one"  # noqa: S608
        )


def load_threads(db: Any, sql: ThreadStatements, wanted: tuple[Any, ...]) -> dict[str, Thread]:
    """`wanted` are the parameters of the dialect's `texts`."""
    return {name: thread_from_row(state, texts) for name, state, texts in db.execute(sql.threads, wanted)}


def load_messages(db: Any, sql: ThreadStatements, wanted: tuple[Any, ...]) -> dict[str, Message]:
    return {name: message_from_row(state, texts) for name, state, texts in db.execute(sql.messages, wanted)}


def write_threads(
    db: Any,
    sql: ThreadStatements,
    threads: Sequence[Thread],
    rooms: Sequence[Thread],
    messages: Sequence[Message],
) -> None:
    """`rooms` are those of the threads whose participants or commitments changed."""
    sql.upsert_thread.run(db, [thread_row(thread) for thread in threads])
    sql.upsert_agency.run(db, list(thread_agency_rows(rooms)))
    sql.upsert_commitment.run(db, list(commitment_rows(rooms)))
    sql.upsert_message.run(db, [message_row(message) for message in messages])
    sql.insert_file_once.run(db, list(message_file_rows(messages)))
