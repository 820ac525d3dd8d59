"""What several processes and a broker need: leases, relay cursors, inbound positions, replies, dead letters.

Expands only: programs of revision 0001 may go on beside it. On PostgreSQL, where 0001 was never in use, every
text becomes COLLATE "C" first, so that both engines order alike whatever the database's locale is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _compare_by_bytes()
    op.create_table(
        "leases",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("token", BIG, nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "relay_cursors",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("incarnation", TEXT, nullable=False),
        sa.Column("token", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inbound_positions",
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", BIG, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inbound_replies",
        sa.Column("agency", TEXT, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("origin_offset", BIG, nullable=False),
        sa.Column("correlation", TEXT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("agency", "topic", "partition", "origin_offset"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("agency", TEXT, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("origin_offset", BIG, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("dead_letters_state", "dead_letters", ["state", "created_at"], unique=False)


def _compare_by_bytes() -> None:
    """The server's own list of text columns, as 0001 left them."""
    bind = op.get_bind()
    columns = bind.execute(
        sa.text(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND data_type = 'text' "
            "AND table_name <> 'alembic_version' ORDER BY table_name, ordinal_position"
        )
    ).all()
    for table in sorted({name for name, _ in columns}):
        changes = ", ".join(
            f'ALTER COLUMN "{column}" TYPE text COLLATE "C"' for name, column in columns if name == table
        )
        op.execute(f'ALTER TABLE "{table}" {changes}')
