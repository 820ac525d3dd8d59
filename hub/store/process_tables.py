"""Tables about processes and the broker: who holds which lease, how far the relay and the inbound consumer
came. None is a projection of the log; each says why."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

from hub.store.columns import BIG, TEXT, metadata

leases = Table(
    "leases",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("holder", TEXT, nullable=False),
    Column("token", BIG, nullable=False),
    Column("until", Float, nullable=False),
    sqlite_with_rowid=False,
)
"""What one process at a time may do. `token` grows with every holder and is never taken back; `until` is
seconds since 1970 on the database's clock. No projection: it is about processes, not cases."""

relay_cursors = Table(
    "relay_cursors",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("position", BIG, nullable=False),
    Column("incarnation", TEXT, nullable=False),
    Column("token", BIG, nullable=False),
    sqlite_with_rowid=False,
)
"""How far each lane is published at the broker, in the positions of `incarnation`; `token` is that of the
lease under which it was moved. No projection: the log does not know the broker."""

inbound_positions = Table(
    "inbound_positions",
    metadata,
    Column("topic", TEXT, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BIG, nullable=False),
    Column("topic_id", TEXT),
    PrimaryKeyConstraint("topic", "partition"),
    sqlite_with_rowid=False,
)
"""Per inbound partition the first offset that has taken no effect yet, written with the effect of the one
before, and the broker's id of the topic in which it counts (none: unknown). No projection: events do not tell
which way a command came."""

inbound_replies = Table(
    "inbound_replies",
    metadata,
    Column("agency", TEXT, nullable=False),
    Column("topic", TEXT, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("origin_offset", BIG, nullable=False),
    Column("correlation", TEXT, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("created_at", TEXT, nullable=False),
    PrimaryKeyConstraint("agency", "topic", "partition", "origin_offset"),
    sqlite_with_rowid=False,
)
"""Answers to inbound records that wait to be published; gone once they are. No projection: a refused command
leaves no event."""

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("agency", TEXT, nullable=False),
    Column("topic", TEXT, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("origin_offset", BIG, nullable=False),
    Column("sha256", TEXT, nullable=False),
    Column("cause", TEXT, nullable=False),
    Column("created_at", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Index("dead_letters_state", "state", "created_at"),
    sqlite_with_rowid=False,
)
"""Inbound records that could not be taken: cause and origin, never the record. `state` is waiting (to be
published), published, or redriven (taken at a later attempt: no dead letter any more). Rows are kept as long
as the topic keeps them. No projection: a poison record leaves no event."""
