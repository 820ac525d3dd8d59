"""Tables about cases: the case itself, what in it has an id, who takes part, by which reference it came. All
of them are projections of the log."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, text

from hub.store.columns import TEXT, metadata

cases = Table(
    "cases",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("tracking_number", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("category", TEXT, nullable=False),
    Column("region", TEXT),
    Column("updated_at", TEXT, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("texts", LargeBinary),
    Column("next_wake", TEXT),
    Column("classification", TEXT),
    Column("ended_at", TEXT),
)
Index(
    "cases_next_wake",
    cases.c.next_wake,
    cases.c.id,
    sqlite_where=text("next_wake IS NOT NULL"),
)
Index(
    "cases_ended",
    cases.c.classification,
    cases.c.ended_at,
    cases.c.id,
    sqlite_where=text("ended_at IS NOT NULL"),
)
"""`state` is CaseState as JSON, `texts` the masked words as JSON (null once erased), `next_wake` the earliest
moment at which one of its clocks has something to say, `ended_at` since when nobody works on it (null for an
open and for an erased one)."""

legs = Table(
    "legs",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("case_id", TEXT, nullable=False),
    sqlite_with_rowid=False,
)
"""What in a case has an id by which a route names it: legs, and consultations."""

case_agencies = Table(
    "case_agencies",
    metadata,
    Column("agency", TEXT, nullable=False),
    Column("case_id", TEXT, nullable=False),
    Column("role", Integer, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("updated_at", TEXT, nullable=False),
    Column("overdue", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("agency", "case_id"),
    Index("case_agencies_status", "agency", "status", "case_id"),
    Index("case_agencies_updated", "agency", "updated_at", "case_id"),
    sqlite_with_rowid=False,
)
Index(
    "case_agencies_overdue",
    case_agencies.c.agency,
    case_agencies.c.case_id,
    sqlite_where=text("overdue"),
)
"""Who takes or took part. `role` is a bit set: 1 owner, 2 source, 4 handler, 8 former, 16 consulted, 32
former owner, 64 overseer. For a former one, `status` and `updated_at` stay as they stood when it left, and
nothing is `overdue`."""

case_references = Table(
    "case_references",
    metadata,
    Column("agency", TEXT, nullable=False),
    Column("reference", TEXT, nullable=False),
    Column("case_id", TEXT, nullable=False),
    Column("accepted_at", TEXT, nullable=False),
    PrimaryKeyConstraint("agency", "reference"),
    Index("case_references_accepted", "agency", "accepted_at"),
    sqlite_with_rowid=False,
)
