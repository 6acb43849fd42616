"""Keep every version of every record, and where each raw item came from; lines no longer refer to orders by a key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_RECORDS = ("purchase_order", "vendor", "item", "inventory_level", "work_order")
_LINE_KEY = "purchase_order_line_connection_id_purchase_order_id_fkey"
_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"


def upgrade() -> None:
    _make_record_version()
    for table in _RECORDS:
        _tell_first(table)
    op.add_column("raw_item", sa.Column("feed", sa.Text(collation="C"), nullable=True))
    # USING instead of an UPDATE: the migrating role sees no row of these tables.
    op.add_column("raw_item", sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("ALTER TABLE raw_item ALTER read_at TYPE timestamptz USING fetched_at, ALTER read_at SET NOT NULL")
    op.drop_constraint(_LINE_KEY, "purchase_order_line", type_="foreignkey")


def _make_record_version() -> None:
    op.create_table(
        "record_version",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(collation="C"), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=True),
        sa.Column("operation_id", sa.UUID(), nullable=True),
        sa.Column("diff", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("before", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.CheckConstraint("cause IN ('SYNC', 'WRITE', 'MAPPING')", name="cause_known"),
        sa.PrimaryKeyConstraint("connection_id", "entity", "record_id", "version"),
    )
    op.create_index("record_version_valid", "record_version", ["connection_id", "entity", "record_id", "valid_from"])
    op.create_index(
        "record_version_run",
        "record_version",
        ["connection_id", "run_id", "record_id"],
        postgresql_where="run_id IS NOT NULL",
    )
    op.create_index(
        "record_version_operation",
        "record_version",
        ["connection_id", "operation_id"],
        postgresql_where="operation_id IS NOT NULL",
    )
    rows = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR connection_id = {_CONNECTION})"
    op.execute(f"CREATE POLICY app ON record_version TO crosshead_app USING ({rows})")
    # No UPDATE: what was, was. DELETE is for retention.
    op.execute("GRANT SELECT, INSERT, DELETE ON record_version TO crosshead_app")
    op.execute("ALTER TABLE record_version ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE record_version FORCE ROW LEVEL SECURITY")


def _tell_first(table: str) -> None:
    op.add_column(table, sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        f"ALTER TABLE {table} ALTER first_seen_at TYPE timestamptz USING synced_at, ALTER first_seen_at SET NOT NULL"
    )
    op.add_column(table, sa.Column("first_cause", sa.Text(collation="C"), nullable=False, server_default="SYNC"))
    op.alter_column(table, "first_cause", server_default=None)
    op.create_check_constraint("first_cause_known", table, "first_cause IN ('SYNC', 'WRITE', 'MAPPING')")
    op.add_column(table, sa.Column("first_run_id", sa.UUID(), nullable=True))
    op.add_column(table, sa.Column("first_operation_id", sa.UUID(), nullable=True))
    op.create_index(f"{table}_first_run", table, ["connection_id", "first_run_id", "id"])
    op.create_index(
        f"{table}_first_operation",
        table,
        ["connection_id", "first_operation_id"],
        postgresql_where="first_operation_id IS NOT NULL",
    )


def downgrade() -> None:
    op.create_foreign_key(
        _LINE_KEY,
        "purchase_order_line",
        "purchase_order",
        ["connection_id", "purchase_order_id"],
        ["connection_id", "id"],
        ondelete="CASCADE",
    )
    op.drop_column("raw_item", "read_at")
    op.drop_column("raw_item", "feed")
    for table in _RECORDS:
        for column in ("first_operation_id", "first_run_id", "first_cause", "first_seen_at"):
            op.drop_column(table, column)
    op.drop_table("record_version")
