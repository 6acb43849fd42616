"""Keep how each connection's source fares: health, call budget, errors and the issues they group into."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
_SCOPED = ("connection_health", "call_budget", "issue", "connection_error")
# What the system role may do; with no entry a table is closed to it. Nothing that a source said is open to it.
_SYSTEM = {
    "connection_health": "SELECT (organization_id, connection_id, last_success_at, breaker, reason, probe_at,"
    " probed_at, paused_until), UPDATE (probe_at, probed_at)",
    "call_budget": "SELECT, UPDATE",
    "issue": "SELECT (connection_id, id, resolved_at), DELETE",
    "connection_error": "SELECT (connection_id, id, occurred_at), DELETE",
}
_CODES = (
    "code IN ('UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'BAD_USER_INPUT', 'UNSUPPORTED', 'CONFLICT',"
    " 'IDEMPOTENCY_CONFLICT', 'REAUTHORIZATION_REQUIRED', 'SOURCE_UNREACHABLE', 'SOURCE_RATE_LIMITED',"
    " 'SOURCE_PERMISSION', 'SOURCE_REJECTED', 'SOURCE_ERROR', 'OUTCOME_UNKNOWN', 'CREDITS_EXHAUSTED', 'RATE_LIMITED',"
    " 'QUERY_TOO_COMPLEX', 'SEQUENCE_EXPIRED', 'UNAVAILABLE', 'INTERNAL')"
)
_ENTITIES = "entity IN ('PURCHASE_ORDER', 'WORK_ORDER', 'VENDOR', 'ITEM', 'INVENTORY_LEVEL', 'ASSET', 'LOCATION')"


def _secure() -> None:
    rows = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR connection_id = {_CONNECTION})"
    for table in _SCOPED:
        op.execute(f"CREATE POLICY app ON {table} TO crosshead_app USING ({rows})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO crosshead_app")
        op.execute(f"CREATE POLICY system ON {table} TO crosshead_system USING (true)")
        op.execute(f"GRANT {_SYSTEM[table]} ON {table} TO crosshead_system")


def _fill() -> None:
    """Give each connection its rows; for as long as that takes, the owner sees the connections."""
    op.execute("ALTER TABLE connection NO FORCE ROW LEVEL SECURITY")
    for table in ("connection_health", "call_budget"):
        values = "0, 0, 'CLOSED'" if table == "connection_health" else "'{}'"
        names = "consecutive_failures, unanswered, breaker" if table == "connection_health" else "calls"
        op.execute(
            f"INSERT INTO {table} (organization_id, connection_id, {names})"
            f" SELECT organization_id, id, {values} FROM connection"
        )
        op.execute(
            f"DO $$ BEGIN ASSERT (SELECT count(*) FROM {table}) = (SELECT count(*) FROM connection),"
            f" 'not every connection has its {table}'; END $$"
        )
    op.execute("ALTER TABLE connection FORCE ROW LEVEL SECURITY")


def upgrade() -> None:
    op.create_table(
        "connection_health",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consecutive_failures", sa.Integer(), nullable=False),
        sa.Column("breaker", sa.Text(collation="C"), nullable=False),
        sa.Column("last_error", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(collation="C"), nullable=True),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("breaker IN ('CLOSED', 'OPEN')", name="breaker_known"),
        sa.PrimaryKeyConstraint("connection_id"),
    )
    op.create_index(
        "connection_health_probe",
        "connection_health",
        ["probe_at"],
        unique=False,
        postgresql_where="breaker = 'OPEN'",
    )
    op.create_table(
        "call_budget",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("calls", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("next_call_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("writes_wait_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("connection_id"),
    )
    # Two updates a call: with room on the page they need no new index entry, and leave nothing for a vacuum.
    op.execute("ALTER TABLE call_budget SET (fillfactor = 50)")
    op.execute("ALTER TABLE connection_health SET (fillfactor = 70)")
    op.create_table(
        "issue",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=True),
        sa.Column("operation", sa.Text(collation="C"), nullable=True),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("message", sa.Text(collation="C"), nullable=False),
        sa.Column("source_message", sa.Text(collation="C"), nullable=True),
        sa.Column("remedy", sa.Text(collation="C"), nullable=True),
        sa.Column("reason", sa.Text(collation="C"), nullable=True),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("fingerprint", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint(_ENTITIES, name="entity_known"),
        sa.CheckConstraint(_CODES, name="code_known"),
        sa.PrimaryKeyConstraint("connection_id", "id"),
    )
    op.create_index(
        "issue_one_open",
        "issue",
        ["connection_id", "fingerprint"],
        unique=True,
        postgresql_where="resolved_at IS NULL",
    )
    op.create_index("issue_recent", "issue", ["organization_id", "id"], unique=False)
    op.create_table(
        "connection_error",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=True),
        sa.Column("operation", sa.Text(collation="C"), nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("message", sa.Text(collation="C"), nullable=False),
        sa.Column("source_message", sa.Text(collation="C"), nullable=True),
        sa.Column("remedy", sa.Text(collation="C"), nullable=True),
        sa.Column("reason", sa.Text(collation="C"), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("issue_id", sa.UUID(), nullable=True),
        sa.Column("run_id", sa.UUID(), nullable=True),
        sa.Column("operation_id", sa.UUID(), nullable=True),
        sa.CheckConstraint(_ENTITIES, name="entity_known"),
        sa.CheckConstraint(_CODES, name="code_known"),
        sa.PrimaryKeyConstraint("connection_id", "id"),
    )
    op.create_index("connection_error_recent", "connection_error", ["organization_id", "id"], unique=False)
    op.create_index("connection_error_occurred_at", "connection_error", ["occurred_at"], unique=False)
    _fill()
    _secure()
    for table in _SCOPED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    for table in reversed(_SCOPED):
        op.drop_table(table)
