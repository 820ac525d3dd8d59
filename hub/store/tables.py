"""Every table, for both engines. The `log` is the truth; of the others some are its projections.

Projections (a rebuild makes them anew): cases, legs, case_agencies, case_references, threads,
thread_agencies, messages, message_files, commitments, agencies, dated_facts, mailbox, mailboxes. Not
projections: stream_keys, identities, files, file_holders, idempotency, mailbox_cursors, clients,
signing_keys, assertions, webhooks, deliveries, facts, leases, relay_cursors, inbound_positions,
inbound_replies, dead_letters, officers, sessions, thread_reads.

Texts are compared byte by byte on both engines (PostgreSQL: COLLATE "C"), whatever the database's locale is.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from hub.store.account_tables import officers as officers
from hub.store.account_tables import sessions as sessions
from hub.store.case_tables import case_agencies as case_agencies
from hub.store.case_tables import case_references as case_references
from hub.store.case_tables import cases as cases
from hub.store.case_tables import legs as legs
from hub.store.columns import BIG, TEXT
from hub.store.columns import metadata as metadata
from hub.store.process_tables import dead_letters as dead_letters
from hub.store.process_tables import inbound_positions as inbound_positions
from hub.store.process_tables import inbound_replies as inbound_replies
from hub.store.process_tables import leases as leases
from hub.store.process_tables import relay_cursors as relay_cursors
from hub.store.thread_tables import commitments as commitments
from hub.store.thread_tables import message_files as message_files
from hub.store.thread_tables import messages as messages
from hub.store.thread_tables import thread_agencies as thread_agencies
from hub.store.thread_tables import thread_reads as thread_reads
from hub.store.thread_tables import threads as threads

log = Table(
    "log",
    metadata,
    Column("position", BIG, primary_key=True, autoincrement=False),
    Column("stream", TEXT, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("id", TEXT, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),
    Column("chain", LargeBinary, nullable=False),
    UniqueConstraint("stream", "sequence"),
)

stream_keys = Table(
    "stream_keys",
    metadata,
    Column("stream", TEXT, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

identities = Table(
    "identities",
    metadata,
    Column("case_id", TEXT, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

agencies = Table(
    "agencies",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("document", LargeBinary, nullable=False),
    Column("generation", BIG, nullable=False),
)

dated_facts = Table(
    "dated_facts",
    metadata,
    Column("kind", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("kind", "name"),
    sqlite_with_rowid=False,
)
"""Calendars and policies, as `hub.domain.dated_facts` makes them of the hub's own stream."""

mailbox = Table(
    "mailbox",
    metadata,
    Column("agency", TEXT, nullable=False),
    Column("position", BIG, nullable=False),
    Column("event", BIG, nullable=False),
    PrimaryKeyConstraint("agency", "position"),
    sqlite_with_rowid=False,
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("agency", TEXT, primary_key=True),
    Column("head", BIG, nullable=False),
    sqlite_with_rowid=False,
)

mailbox_cursors = Table(
    "mailbox_cursors",
    metadata,
    Column("agency", TEXT, primary_key=True),
    Column("cursor", BIG, nullable=False),
    Column("first", BIG, nullable=False, server_default=text("1")),
    sqlite_with_rowid=False,
)
"""What an agency has acknowledged, and the first position still kept."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("ids", TEXT, nullable=False),
    Column("created_at", TEXT, nullable=False),
    Index("idempotency_created", "created_at"),
    sqlite_with_rowid=False,
)
"""Key and body are keyed hashes; `ids` is a JSON array."""

clients = Table(
    "clients",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("agency", TEXT, nullable=False),
    Column("scopes", TEXT, nullable=False),
    Column("secret_hash", LargeBinary),
    Column("public_key", TEXT),
    Column("created_at", TEXT, nullable=False),
    Column("revoked_at", TEXT),
    Column("generation", BIG, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", TEXT, primary_key=True),
    Column("algorithm", TEXT, nullable=False),
    Column("sealed_private", LargeBinary, nullable=False),
    Column("public_jwk", TEXT, nullable=False),
    Column("created_at", TEXT, nullable=False),
    Column("published_at", TEXT, nullable=False),
    Column("signs_from", TEXT, nullable=False),
    Column("retires_at", TEXT),
)

assertions = Table(
    "assertions",
    metadata,
    Column("issuer", TEXT, nullable=False),
    Column("jti", TEXT, nullable=False),
    Column("expires_at", Float, nullable=False),
    PrimaryKeyConstraint("issuer", "jti"),
    Index("assertions_expires", "expires_at"),
    sqlite_with_rowid=False,
)
"""The `jti` of each private_key_jwt assertion seen, until it expires (RFC 7523)."""

files = Table(
    "files",
    metadata,
    Column("sha256", TEXT, nullable=False),
    Column("agency", TEXT, nullable=False),
    Column("media_type", TEXT, nullable=False),
    Column("size", BIG, nullable=False),
    Column("wrapped", LargeBinary),
    Column("generation", Integer),
    Column("location", TEXT, nullable=False),
    Column("created_at", TEXT, nullable=False),
    PrimaryKeyConstraint("sha256", "agency"),
    sqlite_with_rowid=False,
)
"""A file as one agency uploaded it; `wrapped` is its key, for the uploader, until first named."""

file_holders = Table(
    "file_holders",
    metadata,
    Column("sha256", TEXT, nullable=False),
    Column("stream", TEXT, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    PrimaryKeyConstraint("sha256", "stream"),
    sqlite_with_rowid=False,
)
"""The file's key wrapped under the key of each case that names it."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("agency", TEXT, primary_key=True),
    Column("id", TEXT, nullable=False),
    Column("url", TEXT, nullable=False),
    Column("event_types", TEXT, nullable=False),
    Column("schema_version", Integer),
    Column("sealed_secrets", LargeBinary, nullable=False),
    Column("created_at", TEXT, nullable=False),
    Column("cursor", BIG, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("paused_until", TEXT),
    Column("cause", TEXT),
    Column("generation", BIG, nullable=False),
)
"""One webhook an agency. `cursor` is the mailbox position up to which everything is delivered or has a row
in `deliveries`; `sealed_secrets` the current secret and, for the overlap, the one before. `active` is false
once the endpoint answered 410; `paused_until` is set while it is down, `cause` says why for both."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("agency", TEXT, nullable=False),
    Column("position", BIG, nullable=False),
    Column("id", TEXT, nullable=False),
    Column("event_id", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("type", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("http_status", Integer),
    Column("latency_ms", Float),
    Column("cause", TEXT),
    Column("next_attempt_at", TEXT),
    Column("apart", Boolean, nullable=False),
    Column("created_at", TEXT, nullable=False),
    Column("updated_at", TEXT, nullable=False),
    PrimaryKeyConstraint("agency", "position"),
    UniqueConstraint("id"),
    Index("deliveries_updated", "updated_at"),
    sqlite_with_rowid=False,
)
Index(
    "deliveries_open",
    deliveries.c.agency,
    deliveries.c.position,
    sqlite_where=deliveries.c.state != "done",
)
"""A row per mailbox position of what was sent (done), waits (pending) or was given up (dead). `apart`: asked
for again by redelivery, and sent independently of its subject's order."""

facts = Table(
    "facts",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),
    sqlite_with_rowid=False,
)
"""Single facts about this database: `incarnation`, `registry_generation`, `compatible_from` (the oldest
program, by its revision, that may work with this schema)."""

PROJECTIONS: Final = (
    cases,
    legs,
    case_agencies,
    case_references,
    threads,
    thread_agencies,
    messages,
    message_files,
    commitments,
    agencies,
    dated_facts,
    mailbox,
    mailboxes,
)
ENDED: Final = (sessions,)
"""What no backup holds: after a restore everybody signs in again."""
