"""Let write operations be leased, looked up and repeated; keep what can be done to each connection."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
_SEEN = "next_attempt_at, lease_owner, lease_expires_at, fence, woken_at, settled_at"
_SET = "lease_owner, lease_expires_at, fence, woken_at"


def upgrade() -> None:
    op.create_table(
        "connection_capability",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("operation", sa.Text(collation="C"), nullable=False),
        sa.Column("supported", sa.Boolean(), nullable=False),
        sa.Column("unavailable_reason", sa.Text(collation="C"), nullable=True),
        sa.Column("reference_field", sa.Text(collation="C"), nullable=True),
        sa.Column("fields", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("refused", sa.Text(collation="C"), nullable=True),
        sa.CheckConstraint(
            "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')",
            name="entity_known",
        ),
        sa.CheckConstraint(
            "operation IN ('READ', 'CREATE', 'UPDATE', 'CANCEL', 'DELETE', 'ADJUST')", name="operation_known"
        ),
        sa.PrimaryKeyConstraint("connection_id", "entity", "operation"),
    )
    rows = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR connection_id = {_CONNECTION})"
    op.execute(f"CREATE POLICY app ON connection_capability TO crosshead_app USING ({rows})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON connection_capability TO crosshead_app")
    op.execute("CREATE POLICY system ON connection_capability TO crosshead_system USING (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON connection_capability TO crosshead_system")
    op.execute("ALTER TABLE connection_capability ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE connection_capability FORCE ROW LEVEL SECURITY")

    table = "write_operation"
    json = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    # Generated and then let go: so rows from before are filled without a statement, which row-level security would
    # keep from seeing them.
    filled = {
        'reference text COLLATE "C" NOT NULL': "upper(right(replace(id::text, '-', ''), 12))",
        'key_claim text COLLATE "C"': "idempotency_key",
        "sends integer NOT NULL": "CASE WHEN sent_at IS NULL THEN 0 ELSE 1 END",
        "next_attempt_at timestamptz": "CASE WHEN state IN ('PENDING', 'SENT') THEN created_at END",
    }
    for column, value in filled.items():
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} GENERATED ALWAYS AS ({value}) STORED")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column.split()[0]} DROP EXPRESSION")
    # jsonb forgets the order of keys, and with it the bytes of the request that is made of them.
    op.execute(f"ALTER TABLE {table} ALTER COLUMN input TYPE json")
    op.add_column(table, sa.Column("user_errors", json, nullable=False, server_default=sa.text("'[]'")))
    op.add_column(table, sa.Column("before", json, nullable=True))
    for name in ("tries", "looks"):
        op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column(table, sa.Column("background", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.add_column(table, sa.Column("fence", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column(table, sa.Column("lease_owner", sa.Text(collation="C"), nullable=True))
    for name in ("unknown_since", "lease_expires_at", "woken_at"):
        op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in ("user_errors", "tries", "looks", "background", "fence"):
        op.alter_column(table, name, server_default=None)
    op.drop_index("write_operation_idempotency", table_name=table)
    claimed = {"unique": True, "postgresql_where": "key_claim IS NOT NULL"}
    op.create_index("write_operation_idempotency", table, ["connection_id", "key_claim"], **claimed)
    op.create_unique_constraint("write_operation_connection_id_reference_key", table, ["connection_id", "reference"])
    open_ones = {"unique": False, "postgresql_where": "settled_at IS NULL"}
    op.create_index("write_operation_open", table, ["connection_id", "id"], **open_ones)
    op.execute(f"GRANT SELECT ({_SEEN}), UPDATE ({_SET}) ON {table} TO crosshead_system")


def downgrade() -> None:
    table = "write_operation"
    op.execute(f"REVOKE SELECT ({_SEEN}), UPDATE ({_SET}) ON {table} FROM crosshead_system")
    op.drop_index("write_operation_open", table_name=table)
    op.drop_constraint("write_operation_connection_id_reference_key", table)
    op.drop_index("write_operation_idempotency", table_name=table)
    kept = {"unique": True, "postgresql_where": "idempotency_key IS NOT NULL"}
    op.create_index("write_operation_idempotency", table, ["connection_id", "idempotency_key"], **kept)
    for name in ("reference", "user_errors", "key_claim", "before", "sends", "tries", "looks", "background", "fence"):
        op.drop_column(table, name)
    for name in ("lease_owner", "unknown_since", "next_attempt_at", "lease_expires_at", "woken_at"):
        op.drop_column(table, name)
    op.execute(f"ALTER TABLE {table} ALTER COLUMN input TYPE jsonb")
    op.drop_table("connection_capability")
