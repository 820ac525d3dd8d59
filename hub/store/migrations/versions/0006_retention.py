"""What retention needs: of each case its classification, and since when it has ended. And of which topic an
inbound position is, by the broker's id: unknown for those that are there.

The columns only expand; but events name their officer since, and programs of 0005 cannot read those: they
must not work beside it."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
PAGE = 500


def upgrade() -> None:
    op.add_column("cases", sa.Column("classification", TEXT, nullable=True))
    op.add_column("cases", sa.Column("ended_at", TEXT, nullable=True))
    op.add_column("inbound_positions", sa.Column("topic_id", TEXT, nullable=True))
    op.create_index(
        "cases_ended",
        "cases",
        ["classification", "ended_at", "id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    _fill()


def _fill() -> None:
    """From each case's state, in pages by id."""
    cases = sa.table(
        "cases", sa.column("id"), sa.column("state"), sa.column("classification"), sa.column("ended_at")
    )
    page = sa.select(cases.c.id, cases.c.state).where(cases.c.id > sa.bindparam("after"))
    page = page.order_by(cases.c.id).limit(PAGE)
    change = (
        sa.update(cases)
        .where(cases.c.id == sa.bindparam("name"))
        .values(classification=sa.bindparam("kind"), ended_at=sa.bindparam("end"))
    )
    bind, after = op.get_bind(), ""
    while rows := bind.execute(page, {"after": after}).fetchall():
        bind.execute(change, [_filled(name, json.loads(bytes(state))) for name, state in rows])
        after = rows[-1][0]


def _filled(name: str, state: dict[str, object]) -> dict[str, object]:
    complaint = state["complaint"]
    assert isinstance(complaint, dict)
    has_ended = state["status"] in ("closed", "rejected") and not state["erased"]
    end = (state.get("closed_at") or state["updated_at"]) if has_ended else None
    return {"name": name, "kind": complaint.get("classification"), "end": end}
