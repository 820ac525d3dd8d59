"""Tables about coordination threads: the thread, who takes part, its messages with the files that they name,
its commitments. All but the read marks are projections of the log."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from hub.store.columns import TEXT, metadata

threads = Table(
    "threads",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("status", TEXT, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("texts", LargeBinary),
    Column("next_wake", TEXT),
)
Index(
    "threads_next_wake",
    threads.c.next_wake,
    threads.c.id,
    sqlite_where=text("next_wake IS NOT NULL"),
)
"""`state` is ThreadState as JSON, `texts` the masked words as JSON (null once erased), `next_wake` when its
first open commitment is late."""

thread_agencies = Table(
    "thread_agencies",
    metadata,
    Column("agency", TEXT, nullable=False),
    Column("thread_id", TEXT, nullable=False),
    Column("present", Boolean, nullable=False),
    PrimaryKeyConstraint("agency", "thread_id"),
    sqlite_with_rowid=False,
)
"""Who takes part (`present`) or took part."""

messages = Table(
    "messages",
    metadata,
    Column("thread_id", TEXT, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("id", TEXT, nullable=False),
    Column("author", TEXT, nullable=False),
    Column("internal", Boolean, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("texts", LargeBinary),
    PrimaryKeyConstraint("thread_id", "sequence"),
    UniqueConstraint("id", name="messages_id"),
    sqlite_with_rowid=False,
)
"""`sequence` is that of the event that posted it; `state` is MessageState as JSON, `texts` its words."""

message_files = Table(
    "message_files",
    metadata,
    Column("thread_id", TEXT, nullable=False),
    Column("sha256", TEXT, nullable=False),
    Column("message_id", TEXT, nullable=False),
    PrimaryKeyConstraint("thread_id", "sha256", "message_id"),
    sqlite_with_rowid=False,
)

commitments = Table(
    "commitments",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("thread_id", TEXT, nullable=False),
    Column("agency", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("due_at", TEXT, nullable=False),
    Index("commitments_owed", "agency", "status", "due_at", "id"),
    sqlite_with_rowid=False,
)
"""Who owes what, by when; the words are in the thread's row."""

thread_reads = Table(
    "thread_reads",
    metadata,
    Column("thread_id", TEXT, nullable=False),
    Column("agency", TEXT, nullable=False),
    Column("officer", TEXT, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("read_at", TEXT, nullable=False),
    PrimaryKeyConstraint("thread_id", "agency", "officer"),
    sqlite_with_rowid=False,
)
"""Read up to which message, by the agency's system (`officer` empty) or by an officer. No projection."""
