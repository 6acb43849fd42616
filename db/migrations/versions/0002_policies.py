"""Full runs by schedule, queued behind incremental ones; windows by the source's clock."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPEN = "status IN ('QUEUED', 'RUNNING', 'WAITING')"


def upgrade() -> None:
    op.add_column("connected_entity", sa.Column("full_every_hours", sa.Integer(), nullable=True))
    op.add_column("connected_entity", sa.Column("next_full_run_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("connected_entity", sa.Column("source_ahead_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("connected_entity", "source_ahead_ms", server_default=None)
    op.create_index("connected_entity_full_due", "connected_entity", ["next_full_run_at"], unique=False)
    op.add_column("sync_run", sa.Column("period_start", sa.Date(), nullable=True))
    op.add_column("sync_run", sa.Column("source_ahead_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("sync_run", "source_ahead_ms", server_default=None)
    op.drop_index("sync_run_one_open", table_name="sync_run")
    op.create_index(
        "sync_run_one_open",
        "sync_run",
        ["connection_id", "entity", "mode"],
        unique=True,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_index("sync_run_one_open", table_name="sync_run")
    op.create_index("sync_run_one_open", "sync_run", ["connection_id", "entity"], unique=True, postgresql_where=_OPEN)
    op.drop_column("sync_run", "source_ahead_ms")
    op.drop_column("sync_run", "period_start")
    op.drop_index("connected_entity_full_due", table_name="connected_entity")
    op.drop_column("connected_entity", "source_ahead_ms")
    op.drop_column("connected_entity", "next_full_run_at")
    op.drop_column("connected_entity", "full_every_hours")
