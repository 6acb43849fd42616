"""Judge what a whole pass did not meet: its keys, what may be gone, and the run that asks."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
_OPEN = "status IN ('QUEUED', 'RUNNING', 'WAITING')"


def upgrade() -> None:
    op.add_column("sync_run", sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sync_run", sa.Column("judged", sa.Integer(), nullable=True))
    op.add_column("sync_run", sa.Column("vanished", sa.Integer(), nullable=True))
    op.add_column("sync_run", sa.Column("awaits_confirmation", sa.Boolean(), nullable=False, server_default="false"))
    op.alter_column("sync_run", "awaits_confirmation", server_default=None)
    _index(f"{_OPEN} AND NOT awaits_confirmation")
    op.add_column("raw_item", sa.Column("dated_on", sa.Date(), nullable=True))
    op.add_column("quarantined_item", sa.Column("dated_on", sa.Date(), nullable=True))
    op.create_table(
        "sync_seen",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("keys", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "run_id", "page"),
    )
    op.create_table(
        "vanished_item",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.PrimaryKeyConstraint("connection_id", "run_id", "source_id"),
    )
    rows = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR connection_id = {_CONNECTION})"
    for table in ("sync_seen", "vanished_item"):
        op.execute(f"CREATE POLICY app ON {table} TO crosshead_app USING ({rows})")
        op.execute(f"GRANT SELECT, INSERT, DELETE ON {table} TO crosshead_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _index(where: str) -> None:
    op.drop_index("sync_run_one_open", table_name="sync_run")
    op.create_index(
        "sync_run_one_open", "sync_run", ["connection_id", "entity", "mode"], unique=True, postgresql_where=where
    )


def downgrade() -> None:
    op.drop_table("vanished_item")
    op.drop_table("sync_seen")
    op.drop_column("quarantined_item", "dated_on")
    op.drop_column("raw_item", "dated_on")
    _index(_OPEN)
    op.drop_column("sync_run", "awaits_confirmation")
    op.drop_column("sync_run", "vanished")
    op.drop_column("sync_run", "judged")
    op.drop_column("sync_run", "completed_at")
