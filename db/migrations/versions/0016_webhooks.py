"""Send events to webhook endpoints."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
_ROWS = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR connection_id = {_CONNECTION})"
_TEXT = sa.Text(collation="C")
_AT = sa.DateTime(timezone=True)
# What the system role may do.
_SYSTEM = {
    "webhook_endpoint": "SELECT, UPDATE (failing_since, last_failure_at, last_success_at)",
    "webhook_delivery": "SELECT, UPDATE, DELETE",
    "webhook_attempt": "SELECT (id, delivery_id), INSERT, DELETE",
    "event_relay": "SELECT (organization_id, stream_id, relayed_sequence)",
    "event_counter": "SELECT",
}


def _owned() -> list[sa.Column[object]]:
    return [
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=True),
    ]


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        *_owned(),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("url", _TEXT, nullable=False),
        sa.Column("description", _TEXT, nullable=True),
        sa.Column("types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("disabled_as", _TEXT, nullable=True),
        sa.Column("disabled_at", _AT, nullable=True),
        sa.Column("failing_since", _AT, nullable=True),
        sa.Column("last_failure_at", _AT, nullable=True),
        sa.Column("last_success_at", _AT, nullable=True),
        sa.Column("secret_last_four", _TEXT, nullable=False),
        sa.Column("old_secret_expires_at", _AT, nullable=True),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("deleted_at", _AT, nullable=True),
        sa.Column("key_id", _TEXT, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("state IN ('ENABLED', 'DISABLED')", name="state_known"),
        sa.CheckConstraint("disabled_as IN ('REQUESTED', 'FAILING', 'GONE')", name="disabled_as_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_endpoint_organization", "webhook_endpoint", ["organization_id", "id"], unique=False)
    op.create_index("webhook_endpoint_connection", "webhook_endpoint", ["connection_id", "id"], unique=False)
    op.create_table(
        "webhook_delivery",
        *_owned(),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("type", _TEXT, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _AT, nullable=True),
        sa.Column("lease_owner", _TEXT, nullable=True),
        sa.Column("lease_expires_at", _AT, nullable=True),
        sa.Column("settled_at", _AT, nullable=True),
        sa.Column("created_at", _AT, nullable=False),
        sa.CheckConstraint("state IN ('PENDING', 'SUCCEEDED', 'FAILED')", name="state_known"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("endpoint_id", "event_id"),
    )
    pending = "state = 'PENDING'"
    for name, columns, where in (
        ("due", ["endpoint_id", "next_attempt_at"], pending),
        ("endpoint", ["endpoint_id", "id"], None),
        ("organization", ["organization_id", "id"], None),
        ("connection", ["connection_id", "id"], None),
        ("state", ["organization_id", "state", "id"], None),
    ):
        op.create_index(f"webhook_delivery_{name}", "webhook_delivery", columns, unique=False, postgresql_where=where)
    # A queue: rows are updated soon and often.
    op.execute(
        "ALTER TABLE webhook_delivery SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,"
        " autovacuum_vacuum_threshold = 1000)"
    )
    op.create_table(
        "webhook_attempt",
        *_owned(),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("delivery_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("failure", _TEXT, nullable=True),
        sa.Column("address", _TEXT, nullable=True),
        sa.Column("response_head", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_attempt_delivery", "webhook_attempt", ["delivery_id", "id"], unique=False)
    op.create_index("webhook_attempt_connection", "webhook_attempt", ["connection_id", "id"], unique=False)
    op.create_table(
        "event_relay",
        *_owned(),
        sa.Column("stream_id", sa.UUID(), nullable=False),
        sa.Column("relayed_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream_id"),
    )
    op.create_index("event_recent", "event", ["created_at"], unique=False, postgresql_using="brin")
    for table in ("webhook_endpoint", "webhook_delivery", "webhook_attempt", "event_relay"):
        op.execute(f"CREATE POLICY app ON {table} TO crosshead_app USING ({_ROWS})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO crosshead_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table, rights in _SYSTEM.items():
        op.execute(f"CREATE POLICY system ON {table} TO crosshead_system USING (true)")
        op.execute(f"GRANT {rights} ON {table} TO crosshead_system")


def downgrade() -> None:
    op.execute("REVOKE ALL ON event_counter FROM crosshead_system")
    op.execute("DROP POLICY system ON event_counter")
    op.drop_index("event_recent", table_name="event")
    for table in ("event_relay", "webhook_attempt", "webhook_delivery", "webhook_endpoint"):
        op.drop_table(table)
