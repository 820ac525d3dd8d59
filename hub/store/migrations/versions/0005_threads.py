"""Coordination threads: the thread, who takes part, messages, files, commitments, read marks.

Expands only. Programs of 0004 cannot read the events that threads write, though, nor the cases that they
share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "threads",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("texts", sa.LargeBinary(), nullable=True),
        sa.Column("next_wake", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "threads_next_wake",
        "threads",
        ["next_wake", "id"],
        unique=False,
        sqlite_where=sa.text("next_wake IS NOT NULL"),
        postgresql_where=sa.text("next_wake IS NOT NULL"),
    )
    op.create_table(
        "thread_agencies",
        sa.Column("agency", TEXT, nullable=False),
        sa.Column("thread_id", TEXT, nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "thread_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "messages",
        sa.Column("thread_id", TEXT, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("texts", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("thread_id", "sequence"),
        sa.UniqueConstraint("id", name="messages_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "message_files",
        sa.Column("thread_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "sha256", "message_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "commitments",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("thread_id", TEXT, nullable=False),
        sa.Column("agency", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("due_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("commitments_owed", "commitments", ["agency", "status", "due_at", "id"], unique=False)
    op.create_table(
        "thread_reads",
        sa.Column("thread_id", TEXT, nullable=False),
        sa.Column("agency", TEXT, nullable=False),
        sa.Column("officer", TEXT, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("read_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "agency", "officer"),
        sqlite_with_rowid=False,
    )
