"""Fees for holding positions, the rates that instruments state for them, and their sectors.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tidewright.storage.migrations.versions.v0001_first import _amount, _id, _iso, _number, _text
from tidewright.storage.schema import ExactDecimal

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its readable view, and add the columns."""
    op.add_column("instruments", sa.Column("borrow_rate", ExactDecimal))
    op.add_column("instruments", sa.Column("sector", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "charges",
        _id(),
        _number("sequence"),
        _number("timestamp"),
        _text("asset"),
        _text("strategy"),
        _number("days"),
        _amount("amount"),
        _amount("cash"),
    )
    text = _iso("timestamp", op.get_bind().dialect.name)
    op.execute(
        f"CREATE VIEW charges_readable AS SELECT t.*, {text} AS timestamp_text FROM charges t"  # noqa: S608 fixed
    )


def downgrade() -> None:
    """Remove both again."""
    op.execute("DROP VIEW charges_readable")
    op.drop_table("charges")
    op.drop_column("instruments", "sector")
    op.drop_column("instruments", "borrow_rate")
