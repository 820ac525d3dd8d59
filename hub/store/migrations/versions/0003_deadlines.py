"""What deadlines need: when a case wakes, whether it is overdue, and the calendars and policies.

Expands only, and touches no row: cases from before have no clocks, so they never wake and are not overdue.
Programs of 0002 cannot read the cases that this revision's programs write, though."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("cases", sa.Column("next_wake", TEXT, nullable=True))
    op.create_index(
        "cases_next_wake",
        "cases",
        ["next_wake", "id"],
        unique=False,
        sqlite_where=sa.text("next_wake IS NOT NULL"),
        postgresql_where=sa.text("next_wake IS NOT NULL"),
    )
    op.add_column(
        "case_agencies",
        sa.Column("overdue", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "case_agencies_overdue",
        "case_agencies",
        ["agency", "case_id"],
        unique=False,
        sqlite_where=sa.text("overdue"),
        postgresql_where=sa.text("overdue"),
    )
    op.create_table(
        "dated_facts",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name"),
        sqlite_with_rowid=False,
    )
