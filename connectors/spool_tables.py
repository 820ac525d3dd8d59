"""The spool's tables, and how a spool that an older connector wrote gets what they have gained since.

A table or column is only ever added: its default must be right for rows that were written without it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.errors import ConfigRefused

SCHEMA_VERSION = 6
_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS complaints (
    reference TEXT PRIMARY KEY,
    source_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'refused', 'held', 'erased')),
    content BLOB,
    photos BLOB,
    digest BLOB,
    attempted INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    case_id TEXT,
    row_hash BLOB NOT NULL,
    mapped_by BLOB NOT NULL,
    first_seen TEXT NOT NULL,
    changed_later INTEGER NOT NULL DEFAULT 0,
    status_written TEXT,
    route BLOB,
    route_state TEXT NOT NULL DEFAULT 'none'
        CHECK (route_state IN ('none', 'verify', 'forward', 'done', 'failed')),
    route_reason TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS complaints_open ON complaints (state, first_seen) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS complaints_case ON complaints (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS complaints_route ON complaints (route_state)
    WHERE route_state IN ('verify', 'forward');
CREATE TABLE IF NOT EXISTS lost (
    reference TEXT NOT NULL, case_id TEXT, digest BLOB, noticed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    position INTEGER,
    subject TEXT NOT NULL,
    body BLOB,
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'skipped', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0,
    reason TEXT
);
CREATE INDEX IF NOT EXISTS events_open ON events (number) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS events_position ON events (position) WHERE position IS NOT NULL;
CREATE TABLE IF NOT EXISTS answers (
    id TEXT PRIMARY KEY,
    body BLOB,
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'refused')),
    attempted INTEGER NOT NULL DEFAULT 0,  -- no longer used; older spools have it
    reason TEXT,
    taken_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_open ON answers (taken_at) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS written (
    event_id TEXT NOT NULL,
    question BLOB NOT NULL,
    rows_before INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    in_hub INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (event_id, question)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS written_question ON written (question);
CREATE TABLE IF NOT EXISTS messages (
    message_id TEXT NOT NULL, reference TEXT NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (message_id, reference)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erasures (
    event_id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'unconfirmed', 'done'))
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS erasures_case ON erasures (case_id);
CREATE TABLE IF NOT EXISTS parts (
    part TEXT PRIMARY KEY, case_id TEXT NOT NULL, handed_to TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_case ON parts (case_id);
"""
_ADDED = (
    ("complaints", "status_sequence", "INTEGER"),
    ("complaints", "failures", "INTEGER NOT NULL DEFAULT 0"),
    ("complaints", "not_before", "REAL NOT NULL DEFAULT 0"),
    ("complaints", "where_written", "TEXT"),
    ("answers", "of_reference", "TEXT"),
    ("answers", "of_part", "TEXT"),
)
"""(table, column, definition) of what came after version 1."""
_LATER_INDEXES = """
CREATE INDEX IF NOT EXISTS complaints_failing ON complaints (not_before)
    WHERE state = 'pending' AND failures > 0;
"""


def prepare(connection: sqlite3.Connection, path: str) -> None:
    """Makes or completes the tables, all or nothing; raises ConfigRefused for a newer connector's spool."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not 0 <= version <= SCHEMA_VERSION:
        remedy = "use the connector that wrote it, or name another spool"
        raise ConfigRefused("spool", f"{path} was written by another version ({version})", remedy)
    with all_or_nothing(connection):
        for statement in _statements(_TABLES):
            connection.execute(statement)
        for table, column, definition in _ADDED:
            if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {definition}")
        for statement in _statements(_LATER_INDEXES):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


@contextmanager
def all_or_nothing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction. Whatever fails in it is raised as it was said, and no transaction stays open."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite rolls back by itself where the disk is full or broken
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """Each by itself: executescript would commit what it finds open."""
    return [statement for statement in script.split(";\n") if statement.strip()]
