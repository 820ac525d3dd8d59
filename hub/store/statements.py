"""The few hot statements, generated once from the tables and run as driver statements with tuples (DESIGN
decision 3): a dictionary a row and expanding `IN` lists cost two to four times as much."""

# ruff: noqa: S608  # statements are put together from our own constants only

from __future__ import annotations

from typing import Final

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


INSERT_EVENT: Final = insert_all(tables.log)
INSERT_KEY: Final = insert_all(tables.stream_keys)
INSERT_IDENTITY: Final = insert_all(tables.identities)
INSERT_CASE: Final = insert_all(tables.cases)
INSERT_CASE_AGENCY: Final = insert_all(tables.case_agencies)
INSERT_REFERENCE: Final = insert_all(tables.case_references)
INSERT_MAILBOX: Final = insert_all(tables.mailbox)
INSERT_REMEMBERED: Final = insert_all(tables.idempotency)
UPSERT_CASE: Final = upsert(tables.cases, "status", "updated_at", "state", "texts")
UPSERT_CASE_AGENCY: Final = upsert(tables.case_agencies, "role", "status", "updated_at")
UPSERT_LEG: Final = upsert(tables.legs)
UPSERT_HEAD: Final = upsert(tables.mailboxes, "head")
UPSERT_AGENCY: Final = upsert(tables.agencies, "document", "generation")
UPSERT_HOLDER: Final = upsert(tables.file_holders)

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
    "SELECT f.sha256, f.agency, f.wrapped, f.generation FROM json_each(?) AS wanted JOIN files AS f "
    "ON f.sha256 = wanted.value ->> 0 AND f.agency = wanted.value ->> 1 WHERE f.wrapped IS NOT NULL"
)
SELECT_TAIL: Final = "SELECT coalesce(max(position), 0) FROM log"
LOG_COLUMNS: Final = "position, stream, sequence, id, header, sealed, chain"
