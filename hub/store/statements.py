"""The few hot statements, generated once an engine from the tables and run as driver statements with tuples:
a dictionary a row and expanding `IN` lists cost two to four times as much.

Lists are joined, never put into `IN` or `= ANY`: a plan that was made when the tables were empty would go
through every row for each member of the list."""

# ruff: noqa: S608  # statements are put together from our own constants only

from __future__ import annotations

from typing import Final

from hub.store import tables
from hub.store.dialect import Dialect
from hub.store.thread_writing import ThreadStatements
from hub.store.upserts import replacing

LOG_COLUMNS: Final = "position, stream, sequence, id, header, sealed, chain"
REMEMBERED: Final = "i.key, i.body, i.status, i.kind, i.ids, i.created_at"
TAIL: Final = "SELECT coalesce(max(position), 0) FROM log"


class Statements:
    """Those of one engine; made once a process."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.threads = ThreadStatements(dialect)
        self._inserts(dialect)
        self._selects(dialect)

    def _inserts(self, dialect: Dialect) -> None:
        insert = dialect.insert
        self.insert_event = insert(tables.log, "")
        self.insert_key = insert(tables.stream_keys, "")
        self.insert_identity = insert(tables.identities, "")
        self.insert_case = insert(tables.cases, "")
        self.insert_case_agency = insert(tables.case_agencies, "")
        self.insert_reference = insert(tables.case_references, "")
        self.insert_mailbox = insert(tables.mailbox, "")
        self.insert_remembered = insert(tables.idempotency, "")
        case = replacing(tables.cases, "status", "updated_at", "state", "texts", "next_wake", "ended_at")
        self.upsert_case = insert(tables.cases, case)
        member = replacing(tables.case_agencies, "role", "status", "updated_at", "overdue")
        self.upsert_case_agency = insert(tables.case_agencies, member)
        self.insert_leg_once = insert(tables.legs, replacing(tables.legs))
        self.upsert_head = insert(tables.mailboxes, replacing(tables.mailboxes, "head"))
        agency = replacing(tables.agencies, "document", "generation")
        self.upsert_agency = insert(tables.agencies, agency)
        dated = replacing(tables.dated_facts, "sequence", "document")
        self.upsert_dated_fact = insert(tables.dated_facts, dated)
        offset = replacing(tables.inbound_positions, "next_offset", "topic_id")
        self.upsert_offset = insert(tables.inbound_positions, offset)
        self.insert_reply_once = insert(tables.inbound_replies, replacing(tables.inbound_replies))
        self.insert_dead_letter_once = insert(tables.dead_letters, replacing(tables.dead_letters))
        self.insert_holder_once = insert(tables.file_holders, replacing(tables.file_holders))

    def _selects(self, dialect: Dialect) -> None:
        texts, pairs = dialect.texts, dialect.pairs
        self.cases = f"SELECT c.id, c.state, c.texts FROM {texts} JOIN cases AS c ON c.id = wanted.one"
        self.heads = dialect.heads
        self.keys = (
            f"SELECT k.stream, k.generation, k.wrapped FROM {texts} "
            "JOIN stream_keys AS k ON k.stream = wanted.one"
        )
        self.identities = (
            f"SELECT i.case_id, i.sealed FROM {texts} JOIN identities AS i ON i.case_id = wanted.one"
        )
        self.agencies = f"SELECT a.id, a.document FROM {texts} JOIN agencies AS a ON a.id = wanted.one"
        self.active_clients = (
            f"SELECT c.id FROM {texts} JOIN clients AS c ON c.id = wanted.one WHERE c.revoked_at IS NULL"
        )
        self.active_officers = (
            f"SELECT o.id, o.agency FROM {texts} JOIN officers AS o ON o.id = wanted.one "
            "WHERE o.disabled_at IS NULL"
        )
        self.mailbox_heads = (
            f"SELECT m.agency, m.head FROM {texts} JOIN mailboxes AS m ON m.agency = wanted.one"
        )
        self.references = (
            f"SELECT r.agency, r.reference, r.case_id, r.accepted_at FROM {pairs} "
            "JOIN case_references AS r ON r.agency = wanted.one AND r.reference = wanted.other"
        )
        self.files = (
            f"SELECT f.sha256, f.agency, f.wrapped, f.generation, f.media_type, f.size FROM {pairs} "
            "JOIN files AS f ON f.sha256 = wanted.one AND f.agency = wanted.other WHERE f.wrapped IS NOT NULL"
        )
        self.missing_references = (
            f"SELECT wanted.one FROM {texts} LEFT JOIN case_references AS r "
            "ON r.agency = ? AND r.reference = wanted.one WHERE r.case_id IS NULL ORDER BY wanted.place"
        )
