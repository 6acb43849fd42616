"""Keep a log of requests."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('crosshead.organization', true), '')::uuid"
_CONNECTION = "nullif(current_setting('crosshead.connection', true), '')::uuid"
_ROWS = f"organization_id = {_ORGANIZATION} AND ({_CONNECTION} IS NULL OR connection_id = {_CONNECTION})"
_CODES = (
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "BAD_USER_INPUT",
    "UNSUPPORTED",
    "CONFLICT",
    "IDEMPOTENCY_CONFLICT",
    "REAUTHORIZATION_REQUIRED",
    "SOURCE_UNREACHABLE",
    "SOURCE_RATE_LIMITED",
    "SOURCE_PERMISSION",
    "SOURCE_REJECTED",
    "SOURCE_ERROR",
    "OUTCOME_UNKNOWN",
    "CREDITS_EXHAUSTED",
    "RATE_LIMITED",
    "QUERY_TOO_COMPLEX",
    "SEQUENCE_EXPIRED",
    "UNAVAILABLE",
    "INTERNAL",
)
_INDEXES = {
    "organization": ("organization_id", "id"),
    "request": ("organization_id", "request_id", "id"),
    "operation": ("organization_id", "operation_name", "id"),
    "code": ("organization_id", "code", "id"),
    "at": ("organization_id", "at", "id"),
    "connection": ("connection_id", "id"),
}


def upgrade() -> None:
    op.create_table(
        "request_log",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("request_id", sa.Text(collation="C"), nullable=False),
        sa.Column("token_id", sa.Text(collation="C"), nullable=False),
        sa.Column("operation_name", sa.Text(collation="C"), nullable=True),
        sa.Column("operation_type", sa.Text(collation="C"), nullable=True),
        sa.Column("cost", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(collation="C"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=True),
        sa.CheckConstraint("operation_type IN ('QUERY', 'MUTATION', 'SUBSCRIPTION')", name="operation_type_known"),
        sa.CheckConstraint(f"code IN ({', '.join(repr(code) for code in _CODES)})", name="code_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns in _INDEXES.items():
        op.create_index(f"request_log_{name}", "request_log", list(columns), unique=False)
    op.execute(f"CREATE POLICY app ON request_log TO crosshead_app USING ({_ROWS})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON request_log TO crosshead_app")
    op.execute("CREATE POLICY system ON request_log TO crosshead_system USING (true)")
    op.execute("GRANT INSERT, DELETE, SELECT (id) ON request_log TO crosshead_system")
    op.execute("ALTER TABLE request_log ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE request_log FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_table("request_log")
