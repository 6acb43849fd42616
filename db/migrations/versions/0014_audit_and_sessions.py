"""Keep an audit log and connect sessions; allow origins; find connections by customer; pin versions by key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
_ROWS = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR connection_id = {_CONNECTION})"
_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
# What the system role may do: find the session of a secret, and delete what was kept long enough.
_SYSTEM = {
    "audit_entry": "SELECT (id), DELETE",
    "connect_session": "SELECT (id, organization_id, expires_at, code_expires_at), DELETE",
}
# The application adds to the audit log, and changes nothing there.
_APP = {"audit_entry": "SELECT, INSERT", "connect_session": "SELECT, INSERT, UPDATE, DELETE"}
_AUDITED = {
    "organization": ("organization_id", "id"),
    "action": ("organization_id", "action", "id"),
    "actor": ("organization_id", "actor_id", "id"),
    "request": ("organization_id", "request_id", "id"),
    "target": ("organization_id", "target_id", "id"),
    "at": ("organization_id", "at", "id"),
    "connection": ("connection_id", "id"),
}


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("action", sa.Text(collation="C"), nullable=False),
        sa.Column("actor_kind", sa.Text(collation="C"), nullable=False),
        sa.Column("actor_id", sa.Text(collation="C"), nullable=True),
        sa.Column("actor_last_four", sa.Text(collation="C"), nullable=True),
        sa.Column("request_id", sa.Text(collation="C"), nullable=True),
        sa.Column("target_id", sa.Text(collation="C"), nullable=True),
        sa.Column("changes", _JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=True),
        sa.CheckConstraint("actor_kind IN ('KEY', 'TOKEN', 'SESSION', 'OPERATOR')", name="actor_kind_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns in _AUDITED.items():
        op.create_index(f"audit_entry_{name}", "audit_entry", list(columns), unique=False)
    op.create_table(
        "connect_session",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("renews", sa.Boolean(), nullable=False),
        sa.Column("customer", _JSON, nullable=False),
        sa.Column("systems", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("settings", _JSON, nullable=False),
        sa.Column("redirect_uri", sa.Text(collation="C"), nullable=True),
        sa.Column("origin", sa.Text(collation="C"), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("page_hash", sa.LargeBinary(), nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("system_slug", sa.Text(collation="C"), nullable=True),
        sa.Column("key_id", sa.Text(collation="C"), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("refused", _JSON, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exchanged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code_hash"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("connect_session_connection", "connect_session", ["connection_id"], unique=False)
    for table, rights in _SYSTEM.items():
        op.execute(f"CREATE POLICY app ON {table} TO crosshead_app USING ({_ROWS})")
        op.execute(f"GRANT {_APP[table]} ON {table} TO crosshead_app")
        op.execute(f"CREATE POLICY system ON {table} TO crosshead_system USING (true)")
        op.execute(f"GRANT {rights} ON {table} TO crosshead_system")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.add_column("api_token", sa.Column("api_version", sa.Text(collation="C"), nullable=True))
    for name in ("ref", "name"):
        told = sa.Computed(f"customer ->> '{name}'", persisted=True)
        op.add_column("connection", sa.Column(f"customer_{name}", sa.Text(collation="C"), told, nullable=False))
    op.create_index("connection_customer", "connection", ["organization_id", "customer_ref", "id"], unique=False)
    none = sa.text("'{}'")
    op.add_column(
        "organization", sa.Column("allowed_origins", sa.ARRAY(sa.Text()), nullable=False, server_default=none)
    )
    op.alter_column("organization", "allowed_origins", server_default=None)


def downgrade() -> None:
    op.drop_column("organization", "allowed_origins")
    op.drop_index("connection_customer", table_name="connection")
    op.drop_column("connection", "customer_name")
    op.drop_column("connection", "customer_ref")
    op.drop_column("api_token", "api_version")
    op.drop_table("connect_session")
    op.drop_table("audit_entry")
