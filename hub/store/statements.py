"""The few hot statements, generated once from the tables and run as driver statements with tuples (DESIGN
decision 3): a dictionary a row and expanding `IN` lists cost two to four times as much."""

# ruff: noqa: S608  # statements are put together from our own constants only

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Table, insert
from sqlalchemy.dialects import sqlite

from hub.store import tables

_DIALECT: Final = sqlite.dialect(paramstyle="qmark")


def insert_all(table: Table) -> str:
    """INSERT of every column in the table's order."""
    return str(insert(table).compile(dialect=_DIALECT, column_keys=[c.name for c in table.columns]))


def upsert(table: Table, *updated: str) -> str:
    """INSERT that replaces the `updated` columns of an existing row; with none named, leaves it alone."""
    keys = ", ".join(c.name for c in table.primary_key.columns)
    changes = ", ".join(f"{name} = excluded.{name}" for name in updated)
    return f"{insert_all(table)} ON CONFLICT ({keys}) DO " + (
        f"UPDATE SET {changes}" if updated else "NOTHING"
    )


class Insert:
    """An INSERT of many rows in one statement. `executemany` steps once a row and lets go of the
    interpreter's lock each time; one step for a whole batch does not. Statements exist for powers of two, so
    that a handful of them stays prepared."""

    _LARGEST = 256

    def __init__(self, single: str) -> None:
        self._head, rest = single.split(" VALUES ", 1)
        self._row, _, tail = rest.partition(" ON CONFLICT")
        self._tail = f" ON CONFLICT{tail}" if tail else ""
        self._texts: dict[int, str] = {}

    def run(self, connection: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> None:
        start, left = 0, len(rows)
        while left:
            size = min(self._LARGEST, 1 << (left.bit_length() - 1))
            values = [value for row in rows[start : start + size] for value in row]
            connection.execute(self._text(size), values)
            start, left = start + size, left - size

    def _text(self, size: int) -> str:
        text = self._texts.get(size)
        if text is None:
            rows = ", ".join([self._row] * size)
            text = self._texts[size] = f"{self._head} VALUES {rows}{self._tail}"
        return text


INSERT_EVENT: Final = Insert(insert_all(tables.log))
INSERT_KEY: Final = Insert(insert_all(tables.stream_keys))
INSERT_IDENTITY: Final = Insert(insert_all(tables.identities))
INSERT_CASE: Final = Insert(insert_all(tables.cases))
INSERT_CASE_AGENCY: Final = Insert(insert_all(tables.case_agencies))
INSERT_REFERENCE: Final = Insert(insert_all(tables.case_references))
INSERT_MAILBOX: Final = Insert(insert_all(tables.mailbox))
INSERT_REMEMBERED: Final = Insert(insert_all(tables.idempotency))
UPSERT_CASE: Final = Insert(upsert(tables.cases, "status", "updated_at", "state", "texts"))
UPSERT_CASE_AGENCY: Final = Insert(upsert(tables.case_agencies, "role", "status", "updated_at"))
UPSERT_LEG: Final = Insert(upsert(tables.legs))
UPSERT_HEAD: Final = Insert(upsert(tables.mailboxes, "head"))
UPSERT_AGENCY: Final = Insert(upsert(tables.agencies, "document", "generation"))
UPSERT_HOLDER: Final = Insert(upsert(tables.file_holders))

_IN = "(SELECT value FROM json_each(?))"
SELECT_CASES: Final = f"SELECT id, state, texts FROM cases WHERE id IN {_IN}"
SELECT_KEYS: Final = f"SELECT stream, generation, wrapped FROM stream_keys WHERE stream IN {_IN}"
SELECT_AGENCIES: Final = f"SELECT id, document FROM agencies WHERE id IN {_IN}"
SELECT_ACTIVE_CLIENTS: Final = f"SELECT id FROM clients WHERE id IN {_IN} AND revoked_at IS NULL"
SELECT_HEADS: Final = f"SELECT agency, head FROM mailboxes WHERE agency IN {_IN}"
SELECT_REFERENCES: Final = (
    "SELECT r.agency, r.reference, r.case_id, r.accepted_at FROM json_each(?) AS wanted "
    "JOIN case_references AS r ON r.agency = wanted.value ->> 0 AND r.reference = wanted.value ->> 1"
)
SELECT_HEAD: Final = "SELECT sequence, chain FROM log WHERE stream = ? ORDER BY sequence DESC LIMIT 1"
SELECT_FILES: Final = (
    "SELECT f.sha256, f.agency, f.wrapped, f.generation, f.media_type, f.size FROM json_each(?) AS wanted "
    "JOIN files AS f ON f.sha256 = wanted.value ->> 0 AND f.agency = wanted.value ->> 1 "
    "WHERE f.wrapped IS NOT NULL"
)
SELECT_TAIL: Final = "SELECT coalesce(max(position), 0) FROM log"
LOG_COLUMNS: Final = "position, stream, sequence, id, header, sealed, chain"
