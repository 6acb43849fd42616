"""Tell how fast a run goes, and when it will have read all."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sync_run", sa.Column("total", sa.Integer(), nullable=True))
    op.add_column("sync_run", sa.Column("items_per_second", sa.Numeric(), nullable=True))
    op.add_column("sync_run", sa.Column("estimated_end_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sync_run", sa.Column("worked_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("sync_run", "worked_ms", server_default=None)


def downgrade() -> None:
    op.drop_column("sync_run", "worked_ms")
    op.drop_column("sync_run", "estimated_end_at")
    op.drop_column("sync_run", "items_per_second")
    op.drop_column("sync_run", "total")
